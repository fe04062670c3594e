"""An experiment opened: started, or taken up where it broke off."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onecycle_cli.config import Config, load_config
from onecycle_cli.engine.start import versions
from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.hyper_parameters import (
    Values,
    check_rate,
    conditions_of,
    premises,
    suggestions_on_file,
)
from onecycle_cli.experiments.manifest import label_of, manifest_of, write_config
from onecycle_cli.experiments.preparation import Setup, Shared, prepared, workbench
from onecycle_cli.experiments.resume import Remembered, epochs_asked_for
from onecycle_cli.observer import Observer
from onecycle_cli.registry import models
from onecycle_cli.runs import finding, suggestions_file
from onecycle_cli.runs.journal import Journal
from onecycle_cli.runs.run_folder import RunFolder
from onecycle_cli.suggest import Suggestion
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.split_file import Split


@dataclass(frozen=True)
class Opened(Setup):
    """An experiment that is ready to go on, and where it is recorded.

    Attributes:
        observer: hears of the progress.
        run: where to write, or `None`.
        out: the folder of runs, or `None`.
        label: what pictures and suggestions call the run.
        journal: recalls what was finished before.
        asked_epochs: the epochs of each cycle that were asked for when it was taken up, where
            that was said.
        is_resumed: whether it was taken up.
    """

    observer: Observer
    run: RunFolder | None
    out: Path | None
    label: str
    journal: Journal
    asked_epochs: list[int] | None = None
    is_resumed: bool = False

    def conditions_for(self, key: str) -> dict[str, Any]:
        """Return what a suggestion for a key depends on, the other values included."""
        return self.conditions | premises(self.values, key)

    def suggest(self, key: str, suggestion: Suggestion) -> None:
        """Put what was found on file, if anything is written."""
        if self.run is not None:
            self.run.keep()
        if self.out is not None:
            suggestions_file.write_suggestion(
                self.out / self.bench.config.name,
                key,
                suggestion,
                run=self.label,
                conditions=self.conditions_for(key),
            )


@contextlib.contextmanager
def opened(
    kind: str,
    config: str | Path | Mapping[str, Any] | Config | None,
    out: str | Path | None,
    observer: Observer | None,
    *,
    searched: str = "",
    shared: Shared | None = None,
    resume: str | Path | None = None,
    force: bool = False,
) -> Iterator[Opened]:
    """Start an experiment in a new folder, or take one up in its own.

    Args:
        kind: `find-lr`, `find-momentum`, `find-wd` or `train`.
        config: a path, a mapping or a `Config`; may be `None` with `resume`, and must otherwise
            agree with what the run was started with.
        out: the folder for runs; `None` writes nothing. With `resume` it is where the run is.
        observer: hears of the progress.
        searched: the key that the experiment is about to find.
        shared: what a recipe gives its stages.
        resume: a run that broke off, as `finding.find_unfinished` takes it.
        force: use a learning rate that was suggested for another optimizer, model or data set.

    Raises:
        OnecycleError: when the configuration, the data or the model won't do, or do not belong to
            the run that is to be taken up.
    """
    observer = observer or Observer()
    if resume is not None:
        with _taken_up(kind, resume, config, observer, shared) as ready:
            yield ready
        return
    if config is None:
        raise ConfigError("a config is needed, unless a run is taken up.")
    config = load_config(config)
    out = None if out is None else Path(out).absolute()
    if shared is None:
        check_rate(kind, config, suggestions_on_file(config, out), force=force)
    with prepared(config, out, observer, searched=searched, shared=shared) as ready:
        bench, values, conditions = ready.bench, ready.values, ready.conditions
        _check_rates(kind, values, config)
        if out is None:
            label, journal = label_of(None, config, kind), Journal(None, observer)
            yield Opened(bench, conditions, values, observer, None, None, label, journal)
            return
        manifest = manifest_of(config, values.sources) | {"replay": bench.replay}
        with RunFolder.create(out, config.name, kind, manifest) as run:
            write_config(run, bench, values)
            if kind == "train":
                Split.of(bench.dataset).write(run.path)
            recipe = None if shared is None else shared.recipe
            Remembered(config, values, _identity(bench), recipe, kind).write(run.path)
            label, journal = label_of(run, config, kind), Journal(run.path, observer)
            with _saying_how_to_go_on(kind, run, shared):
                yield Opened(bench, conditions, values, observer, run, out, label, journal)


@contextlib.contextmanager
def _taken_up(
    kind: str,
    resume: str | Path,
    asked: str | Path | Mapping[str, Any] | Config | None,
    observer: Observer,
    shared: Shared | None,
) -> Iterator[Opened]:
    folder = finding.find_unfinished(resume, kind)
    known = Remembered.read(folder)
    epochs = None if asked is None else epochs_asked_for(folder, known.config, load_config(asked))
    with workbench(known.config, observer, shared) as bench:
        check_identity(folder, known.conditions, _identity(bench))
        conditions = conditions_of(known.config, bench.dataset.fingerprint)
        with RunFolder.take_up(folder, command=sys.argv) as run:
            _warn_of_other_surroundings(run.manifest, observer)
            observer.note(f"taking up {run.final}")
            out = folder.parents[2]
            label, journal = label_of(run, known.config, kind), Journal(run.path, observer)
            ready = Opened(
                bench, conditions, known.values, observer, run, out, label, journal, epochs, True
            )
            with _saying_how_to_go_on(kind, run, shared):
                yield ready


@contextlib.contextmanager
def _saying_how_to_go_on(kind: str, run: RunFolder, shared: Shared | None) -> Iterator[None]:
    """Add to an interruption by which command the run is taken up; recipes have their own."""
    try:
        yield
    except KeyboardInterrupt as error:
        if run.is_kept and shared is None:
            error.add_note(f"'onecycle {kind} --resume {run.final}' goes on.")
        raise


def _check_rates(kind: str, values: Values, config: Config) -> None:
    """Refuse to start where a learning rate is needed and none is known."""
    if kind == "train":
        values.cycle_rates(config)
    elif kind != "find-lr":
        values.known_max_lr(config)


def _identity(bench: Workbench) -> dict[str, Any]:
    """Return what must be the same when a run is taken up, besides its configuration."""
    config = bench.config
    return conditions_of(config, bench.dataset.fingerprint) | model_files(config)


def model_files(config: Config) -> dict[str, Any]:
    """Return digests of the file that the model is built by and of what that imports."""
    name = config.model.name
    return {"model_file": models.fingerprint(name), "model_helpers": models.helpers(name)}


def check_identity(folder: Path, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Make sure that a run is taken up under the conditions that it was started with.

    Raises:
        ConfigError: when something is different, naming it.
    """
    changed = [key for key in {**then, **now} if then.get(key) != now.get(key)]
    if changed == ["model_helpers"]:
        before, after = then.get("model_helpers") or {}, now["model_helpers"]
        files = [f for f in {**before, **after} if before.get(f) != after.get(f)]
        raise ConfigError(
            f"{folder}: was started with other versions of what the model's file imports: "
            f"{', '.join(sorted(files))}; put the old ones back, or start a new run without "
            f"--resume."
        )
    if changed == ["model_file"]:
        raise ConfigError(
            f"{folder}: was started with another version of the model's file; put the old one "
            f"back, or start a new run without --resume."
        )
    if changed == ["data"]:
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


def _warn_of_other_surroundings(manifest: Mapping[str, Any], observer: Observer) -> None:
    """Name what decides the bits of a run, besides its config and data, and has changed."""
    then = dict(manifest.get("versions") or {}) | {"threads": manifest.get("threads")}
    now = versions() | {"threads": os.cpu_count()}
    changed = [f"{k} {then[k]}, now {now.get(k)}" for k in then if then[k] != now.get(k)]
    if changed:
        observer.warn(
            f"the run was started with other versions or threads: {'; '.join(changed)}. It goes "
            f"on, but not to the same bits as without a break."
        )
