"""A recipe: the stages on the way to a trained model, and how far they have got.

What is here needs no Keras, so that a recipe which can't be started or resumed is refused at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from onecycle_cli.config import Config, load_config
from onecycle_cli.errors import ConfigError, OnecycleError, ResultError
from onecycle_cli.experiments.asked.backend import on_its_backend
from onecycle_cli.experiments.asked.carried_over import check_rate
from onecycle_cli.experiments.asked.installed import check_installed
from onecycle_cli.experiments.asked.resume import refuse_changes
from onecycle_cli.experiments.hyper_parameters import (
    Suggestions,
    gather,
    in_words,
    is_auto,
    premises,
    suggestions_on_file,
    warn_of_other_conditions,
)
from onecycle_cli.kinds import FINDERS, KINDS, RUN, STAGES
from onecycle_cli.observer import Observer
from onecycle_cli.runs import files, finding, run_folder
from onecycle_cli.runs.stores.unfinished import here

KEYS = {kind.name: key for key, kind in FINDERS.items()}
"""What each search finds, in the order of the searches."""

FILE = "recipe.json"
_SETTLED = ("done", "reused", "skipped", "refused")
_OVER = ("done", "refused")


@dataclass
class Stage:
    """One stage of a recipe.

    Attributes:
        name: `find-lr`, `find-wd`, `find-momentum` or `train`.
        status: `pending`, `running`, `done`, `reused` (an earlier suggestion), `skipped`,
            `refused` (the search suggests nothing), `interrupted` or `failed`.
        note: why, in words, where that needs saying.
        value: the value that the following stages use; a `{max, min}` for momentum.
        is_default: whether that is what is used where nothing was found.
        interval: in which it lies, as its search says.
        verdict: of its search.
        reason: for that verdict.
        folder: of its run, relative to the folder of all runs; `NAME/find-lr/001`.
        conditions: under which it was found; of the training, the values that it had.
        predicted: the cost foreseen: steps, epochs, training_runs, seconds.
        cost: the cost in the end; its seconds are those of the whole stage.
        scores: of the training: test_accuracy, test_loss, val_accuracy_last and so on.
    """

    name: str
    status: str = "pending"
    note: str = ""
    value: Any = None
    is_default: bool = False
    interval: list[Any] | None = None
    verdict: str | None = None
    reason: str | None = None
    folder: str | None = None
    conditions: dict[str, Any] = field(default_factory=dict)
    predicted: dict[str, float] = field(default_factory=dict)
    cost: dict[str, float] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)

    @property
    def is_settled(self) -> bool:
        """Whether nothing remains to be done."""
        return self.status in _SETTLED

    def take(self, entry: Mapping[str, Any], status: str, note: str = "") -> None:
        """Take a value from an entry of `suggestions.yaml`."""
        self.status, self.note, self.value = status, note, entry["value"]
        self.interval, self.verdict = entry.get("interval"), entry.get("verdict")
        self.reason, self.folder = entry.get("reason"), entry.get("run")
        conditions = entry.get("conditions")
        self.conditions = dict(conditions) if isinstance(conditions, Mapping) else {}

    def take_default(self, config: Config) -> None:
        """Take what is used where nothing was found; there is no default learning rate."""
        values = gather(config, None, Observer(), conditions={}, suggestions={})
        self.value = getattr(values, KEYS[self.name])
        self.is_default = self.value is not None
        if self.is_default:
            used = f"the default {in_words(self.value)} is used"
            self.note = f"{self.note}; {used}" if self.note else used


@dataclass
class Recipe:
    """All stages, in order.

    Attributes:
        stages: by name.
        status: `running`, `done`, `refused` (without a learning rate), `interrupted` or `failed`.
        conditions: what the suggestions depend on; known once the data are loaded.
        others: of the processors, what other programs took when the cost was predicted, 0 to 1.
    """

    stages: dict[str, Stage]
    status: str = "running"
    conditions: dict[str, Any] = field(default_factory=dict)
    others: float = field(default=0.0, compare=False)

    @property
    def is_over(self) -> bool:
        """Whether nothing remains to be done."""
        return self.status in _OVER

    @property
    def pending(self) -> list[Stage]:
        """The stages that remain to be done."""
        return [stage for stage in self.stages.values() if not stage.is_settled]

    def suggestions(self) -> dict[str, dict[str, Any]]:
        """Return what is known so far, as `suggestions.yaml` would have it."""
        found = {}
        for name, key in KEYS.items():
            stage = self.stages[name]
            if stage.is_settled and stage.value is not None and not stage.is_default:
                entry = {"value": stage.value, "conditions": stage.conditions}
                found[key] = entry | ({"run": stage.folder} if stage.folder else {})
        return found

    def as_dict(self) -> dict[str, Any]:
        """Return the recipe as plain data."""
        return {
            "schema_version": run_folder.SCHEMA_VERSION,
            "status": self.status,
            "conditions": self.conditions,
            "stages": {name: asdict(stage) for name, stage in self.stages.items()},
        }

    @classmethod
    def read(cls, folder: Path) -> Recipe:
        """Return the recipe in a folder.

        Raises:
            ResultError: when there is none, or it is damaged.
        """
        path = folder / FILE
        if not path.is_file():
            raise ResultError(
                f"{folder}: holds no recipe; give a folder such as runs/NAME/{RUN.name}/001."
            )
        data = files.read_json(path)
        known = {f.name for f in fields(Stage)}
        try:
            version = data["schema_version"]
            stages = {
                name: Stage(**{k: v for k, v in data["stages"][name].items() if k in known})
                for name in STAGES
            }
            recipe = cls(stages, data["status"], data["conditions"])
        except (LookupError, TypeError, AttributeError):
            raise ResultError(f"{path}: is damaged; start again without --resume.") from None
        if version != run_folder.SCHEMA_VERSION:
            raise ResultError(
                f"{path}: was written by another version of onecycle (schema {version}, here "
                f"{run_folder.SCHEMA_VERSION}); start again without --resume."
            )
        return recipe


def total(costs: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the sum of costs, in steps, epochs, training_runs and seconds."""
    costs = list(costs)
    names = ("steps", "epochs", "training_runs", "seconds")
    return {name: round(sum(cost.get(name, 0) for cost in costs), 4) for name in names}


def plan(
    config: Config,
    out: str | Path | None,
    observer: Observer,
    skip: Collection[str] = (),
    *,
    force: bool = False,
) -> Recipe:
    """Return the stages that a recipe of this configuration has.

    What the configuration fixes is not searched. For a stage that is left out, its suggestion on
    file is used, if there is one.

    Raises:
        ConfigError: when there is no such stage, none remains, or a package or a learning rate is
            missing; or the rate, without `force`, was suggested for another optimizer, model, data.
        ResultError: when `suggestions.yaml` is damaged.
    """
    _check_names(skip)
    check_installed(config)
    recipe = Recipe({name: Stage(name) for name in STAGES})
    on_file = suggestions_on_file(config, out)
    for name, key in KEYS.items():
        stage = recipe.stages[name]
        if not is_auto(config, key):
            stage.status, stage.note = "skipped", f"train.{key}, {config.origin(f'train.{key}')}"
            stage.value = config.model_dump()["train"][key]
        elif name in skip and key in on_file:
            stage.take(on_file[key], "skipped", "left out; the saved suggestion is used")
        elif name in skip:
            stage.status, stage.note = "skipped", "left out"
            stage.take_default(config)
    if "train" in skip:
        recipe.stages["train"].status, recipe.stages["train"].note = "skipped", "left out"
    _leave_out_a_rate_that_nobody_needs(recipe, config)
    if not recipe.pending:
        raise ConfigError("nothing is left to do: every stage is skipped or fixed by the config.")
    if recipe.stages["find-lr"].is_settled and _needs_a_rate(recipe, config):
        gather(config, None, observer, conditions={}, suggestions=recipe.suggestions()
        ).known_max_lr(config)  # fmt: skip
        check_rate("run", config, on_file, force=force)
    return recipe


def check_adopted(recipe: Recipe, config: Config, on_file: Suggestions) -> None:
    """Refuse a rate on file of another matter, once the optimizer of the model is known."""
    if recipe.stages["find-lr"].is_settled and _needs_a_rate(recipe, config):
        check_rate("run", config, on_file, is_adopted=True)


def warn_of_what_is_on_file(recipe: Recipe, config: Config, observer: Observer) -> None:
    """Say where suggestions on file that are used were made under other conditions."""
    for name, key in KEYS.items():
        stage = recipe.stages[name]
        if stage.status == "skipped" and stage.conditions and is_auto(config, key):
            entry = {"conditions": stage.conditions}
            warn_of_other_conditions(key, entry, recipe.conditions, observer)


def reuse(recipe: Recipe, config: Config, on_file: Suggestions) -> None:
    """Settle those searches whose suggestion on file was made under exactly these conditions.

    These include the values found before; so once a search is to be done, so are those after it.
    """
    for name, key in KEYS.items():
        stage = recipe.stages[name]
        if stage.is_settled:
            continue
        values = gather(
            config, None, Observer(), conditions={}, searched=key, suggestions=recipe.suggestions()
        )
        wanted = recipe.conditions | premises(values, key)
        if key not in on_file or on_file[key].get("conditions") != wanted:
            return
        stage.take(on_file[key], "reused", "found under the same conditions")


# --- resuming -----------------------------------------------------------------------------------


def find_recipe(path: str | Path) -> Path:
    """Return the folder of the recipe to be resumed.

    Args:
        path: a recipe's folder, or its URL; or one above it, such as `runs/digits` or
            `runs/digits/run`: then the newest recipe there that is not finished.

    Raises:
        ConfigError: when there is none.
        ResultError: when it is damaged.
    """
    folder = Path(here(path, RUN.name))
    if (folder / FILE).is_file() or (folder / run_folder.MANIFEST).is_file():
        _check_is_recipe(folder)
        Recipe.read(folder)
        return folder
    for parent in (folder, folder / RUN.name):
        numbered = (path for path in parent.glob("[0-9]*") if path.name.isdecimal())
        for found in sorted(numbered, key=lambda path: int(path.name), reverse=True):
            with contextlib.suppress(OnecycleError):
                if not Recipe.read(found).is_over:
                    return found
    raise ConfigError(
        f"{path}: holds no unfinished recipe; give the folder of one, such as "
        f"runs/NAME/{RUN.name}/001, or start one without --resume."
    )


def _check_is_recipe(folder: Path) -> None:
    """Refuse to take a run of a single stage up as a recipe."""
    kind = finding.kind_of(folder)
    if kind not in (RUN.name, None):
        raise ConfigError(
            f"{folder}: is a run of {kind} and no recipe; use 'onecycle {kind} --resume {folder}', "
            f"or give a recipe, such as runs/NAME/{RUN.name}/001."
        )


def config_of(folder: Path) -> Config:
    """Return the configuration that a recipe was started with, to go on with."""
    return on_its_backend(folder, load_config(folder / "config.yaml"))


def check_config(folder: Path, config: Config) -> Config:
    """Make sure that a config that is given again is the recipe's, and return how it goes on.

    Raises:
        ConfigError: when it is not, naming the difference.
    """
    instead = "start again without --resume; --reuse keeps what still holds"
    return refuse_changes(folder, config_of(folder), config, instead=instead)


def check_conditions(folder: Path, recipe: Recipe, conditions: Mapping[str, Any]) -> None:
    """Make sure that the data are those that the recipe was started with.

    Raises:
        ConfigError: when they are not.
    """
    if recipe.conditions != conditions:
        changed = [k for k, now in conditions.items() if recipe.conditions.get(k) != now]
        what = "the data" if changed == ["data"] else ", ".join(changed)
        raise ConfigError(
            f"{folder}: was started with other data: {what} changed since; start again without "
            f"--resume."
        )


# --- planning -----------------------------------------------------------------------------------


def _check_names(skip: Collection[str]) -> None:
    for name in skip:
        if name not in STAGES:
            raise ConfigError(f"--skip {name}: must be one of {', '.join(STAGES)}.")


def _needs_a_rate(recipe: Recipe, config: Config) -> bool:
    """Tell whether a stage to come needs the learning rate that the cycles have in common."""
    compares = any(KINDS[stage.name].compares for stage in recipe.pending)
    trains = not recipe.stages["train"].is_settled
    return compares or (trains and any(c.max_lr is None for c in config.train.cycles))


def _leave_out_a_rate_that_nobody_needs(recipe: Recipe, config: Config) -> None:
    stage, trains = recipe.stages["find-lr"], not recipe.stages["train"].is_settled
    if not stage.is_settled and trains and not _needs_a_rate(recipe, config):
        stage.status, stage.note = "skipped", "each cycle has a max_lr of its own"
