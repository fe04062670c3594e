"""What a run was started with, as it is needed to resume it; known without Keras."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onecycle_cli import registry
from onecycle_cli.config import IN_MEMORY, Config, load_config
from onecycle_cli.engine.start import versions
from onecycle_cli.errors import ConfigError, ResultError
from onecycle_cli.experiments.hyper_parameters.conditions import conditions_of
from onecycle_cli.experiments.hyper_parameters.values import Values
from onecycle_cli.kinds import TRAIN, Kind
from onecycle_cli.observer import Observer
from onecycle_cli.runs import files, run_folder

if TYPE_CHECKING:
    from onecycle_cli.workbench.bench import Workbench

_CYCLES = "train.cycles"
_AS_ASKED_NOW = ("search.", "devices", "train.log_to", "report")
"""Keys that may differ when a run is resumed: where it is computed, and where it is shown."""


@dataclass(frozen=True)
class Resume:
    """What a run needs to be resumed, as `resume.json` has it.

    Attributes:
        config: as the run was started with it, its `auto`s left open.
        values: the values in use.
        conditions: of the data, the model and the optimizer; see `_identity`.
        recipe: the recipe that it is a stage of, or `None`.
        kind: `find-lr`, `find-momentum`, `find-wd` or `train`; `None` where an older version of
            this program did not say.
    """

    config: Config
    values: Values
    conditions: dict[str, Any]
    recipe: str | None
    kind: str | None = None

    def write(self, folder: Path) -> None:
        """Write it, whole."""
        files.write_json(
            folder / run_folder.RESUME,
            {
                "schema_version": run_folder.SCHEMA_VERSION,
                "kind": self.kind,
                "config": self.config.model_dump(),
                "origins": self.config.origins,
                "values": asdict(self.values),
                "conditions": self.conditions,
                "recipe": self.recipe,
            },
        )

    @classmethod
    def read(cls, folder: Path) -> Resume:
        """Return what is remembered in a run's folder.

        Raises:
            ResultError: when it is damaged, or of another version of this program.
        """
        path = folder / run_folder.RESUME
        data = files.read_json(path)
        try:
            if data["schema_version"] != run_folder.SCHEMA_VERSION:
                raise ResultError(
                    f"{path}: was written by another version of onecycle; start the run again."
                )
            config = load_config(data["config"]).with_origins(data["origins"])
            values = Values(**data["values"])
            return cls(config, values, data["conditions"], data["recipe"], data.get("kind"))
        except (ConfigError, LookupError, TypeError, AttributeError, ValueError):
            raise ResultError(f"{path}: is damaged; start the run again.") from None


def refuse_changes(
    folder: Path, started_with: Config, asked: Config, *, but: Collection[str] = (), instead: str
) -> Config:
    """Make sure that a configuration that is given again is the one that a run was started with.

    Returns it as `where_asked` does.

    Args:
        folder: of the run.
        started_with: the one.
        asked: the other.
        but: dotted keys that may differ.
        instead: what else the user can do, in words.

    Raises:
        ConfigError: when anything else differs, naming it.
    """
    then, now = started_with.leaves(), asked.leaves()
    for key in ("backend", "precision", "fused_batch_norm"):
        if now[key] == "auto":  # which has been settled since
            now[key] = then[key]
    changed = [
        key
        for key in {**then, **now}
        if then.get(key) != now.get(key) and key not in but and not key.startswith(_AS_ASKED_NOW)
    ]
    if changed:
        what = ", ".join(f"{key} {then.get(key)}, now {now.get(key)}" for key in changed)
        raise ConfigError(
            f"{folder}: was started with another config: {what}. Resume it without a config, or "
            f"{instead}."
        )
    return where_asked(started_with, asked)


def where_asked(started_with: Config, asked: Config) -> Config:
    """Return a run's configuration with its searches, devices, trackers and report as asked now."""
    train = started_with.train.model_copy(update={"log_to": asked.train.log_to})
    now = {"search": asked.search, "devices": asked.devices, "report": asked.report}
    return started_with.model_copy(update=now | {"train": train})


def epochs_asked_for(folder: Path, started_with: Config, asked: Config) -> list[int] | None:
    """Compare a configuration that is given again with the one that a run was started with.

    Returns:
        The epochs of each cycle if others are asked for; `None` if not.

    Raises:
        ConfigError: when anything else is asked for than the run was started with.
    """
    refuse_changes(
        folder,
        started_with,
        asked,
        but=("name", _CYCLES),
        instead="start a new run without --resume",
    )
    if started_with.train.cycles == asked.train.cycles:
        return None
    rates = [[c.max_lr for c in config.train.cycles] for config in (started_with, asked)]
    if rates[0] != rates[1]:
        raise ConfigError(
            f"{folder}: was started with {len(rates[0])} cycles; on resuming only their epochs can "
            f"be changed, not their number or their max_lr."
        )
    return [cycle.epochs for cycle in asked.train.cycles]


def identity_of(bench: Workbench, kind: Kind) -> dict[str, Any]:
    """Return what must be the same when a run is resumed, besides its configuration.

    The test set is none of it for the finders, which never see it.
    """
    config, dataset = bench.config, bench.dataset
    tested = {"test_data": dataset.fingerprint_of_test} if kind is TRAIN else {}
    data = conditions_of(config, dataset.fingerprint) | tested
    return data | _kernels(bench) | model_files(config)


def _kernels(bench: Workbench) -> dict[str, Any]:
    """Return which operations train the model, as far as no key of the configuration says so.

    Runs of a version that had none of them have no such entry.
    """
    return {"filter_gradient": "by convolution"} if bench.convolved.layers else {}


def model_files(config: Config) -> dict[str, Any]:
    """Return digests of the files of code that the configuration names, and of what they import."""
    return {} if config.model.name == IN_MEMORY else registry.files(config)


def check_identity(folder: Path, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Make sure that a run is resumed under the conditions that it was started with.

    Raises:
        ConfigError: when something is different, naming it.
    """
    changed = [key for key in {**then, **now} if then.get(key) != now.get(key)]
    of_files = registry.changed_files(then, now)
    if changed and set(changed) <= set(of_files):
        old = "one" if len(changed) == 1 and changed[0].endswith("_file") else "ones"
        raise ConfigError(
            f"{folder}: was started with {' and '.join(of_files.values())}; put the old {old} "
            f"back, or start a new run without --resume."
        )
    if changed == ["test_data"]:
        raise ConfigError(
            f"{folder}: was started with another test set: its files have changed since; put the "
            f"old ones back, or start a new run without --resume."
        )
    if changed and {*changed} <= {"data", "test_data"}:
        raise ConfigError(
            f"{folder}: was started with other data: the examples, or their split, have changed "
            f"since; put the old data back, or start a new run without --resume."
        )
    if changed:
        what = ", ".join(f"{key} {then.get(key)}, now {now.get(key)}" for key in changed)
        raise ConfigError(
            f"{folder}: was started under other conditions: {what}; bring them back, or start a "
            f"new run without --resume."
        )


def warn_of_other_surroundings(
    manifest: Mapping[str, Any], observer: Observer, *, devices: int
) -> None:
    """Name what decides the bits of a run, besides its config and data, and has changed.

    Args:
        manifest: of the run.
        observer: hears of it.
        devices: how many train together now.
    """
    now = versions() | {"threads": os.cpu_count(), "devices": devices}
    others = {"threads": manifest.get("threads"), "devices": manifest.get("devices", devices)}
    then = dict(manifest.get("versions") or {}) | others
    changed = [f"{k} {then[k]}, now {now.get(k)}" for k in then if then[k] != now.get(k)]
    if changed:
        observer.warn(
            f"the run was started with other versions, threads or devices: {'; '.join(changed)}. "
            f"It goes on, but not to the same bits as without a break."
        )
