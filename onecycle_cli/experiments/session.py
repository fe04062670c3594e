"""An experiment that can start or go on: its model, its values, and the run that records it."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onecycle_cli import plotting, registry
from onecycle_cli.config import Config, load_config
from onecycle_cli.engine.start import versions
from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.hyper_parameters import (
    Suggestions,
    Values,
    check_rate,
    conditions_of,
    gather,
    premises,
    suggestions_on_file,
)
from onecycle_cli.experiments.manifest import manifest_of, write_config
from onecycle_cli.experiments.resume import Resume, epochs_asked_for
from onecycle_cli.kinds import FIND_LR, TRAIN, Kind
from onecycle_cli.observer import Observer
from onecycle_cli.runs import files, finding, records, suggestions_file
from onecycle_cli.runs.journal import Journal
from onecycle_cli.runs.run_folder import RunFolder
from onecycle_cli.suggest import Suggestion
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.replay import replay
from onecycle_cli.workbench.split_file import Split

Source = str | Path | Mapping[str, Any] | Config
"""What a configuration is made of: a path, a mapping, or a `Config`."""


@dataclass(frozen=True)
class Shared:
    """What the stages of a recipe share, where a single experiment sets it up or looks it up.

    Attributes:
        bench: the model, compiled once.
        suggestions: what the recipe knows so far; those on file are not read.
        label: what it is called, such as `digits/run/001`.
    """

    bench: Workbench
    suggestions: Suggestions
    label: str | None


@dataclass(frozen=True)
class Session:
    """An experiment that is ready to start or to go on.

    Attributes:
        kind: of the experiment.
        bench: the model, at its start.
        values: the hyper-parameters in use, and where they came from.
        conditions: what a suggestion will depend on, besides the other suggestions.
        observer: hears of the progress.
        run: where to write.
        out: the folder of runs; `None` if the run is a scratch folder, which is removed at the end.
        known: the suggestions of the recipe that it is a stage of; `None`: those on file.
        asked_epochs: the epochs of each cycle that were asked for on resuming, if they were.
        is_resumed: whether it goes on.
    """

    kind: Kind
    bench: Workbench
    values: Values
    conditions: dict[str, Any]
    observer: Observer
    run: RunFolder
    out: Path | None
    known: Suggestions | None = None
    asked_epochs: list[int] | None = None
    is_resumed: bool = False

    @property
    def config(self) -> Config:
        """The configuration."""
        return self.bench.config

    @property
    def is_scratch(self) -> bool:
        """Whether nothing of it is kept."""
        return self.out is None

    @property
    def folder(self) -> Path | None:
        """Where its result will be found; `None` if it is not kept."""
        return None if self.is_scratch else self.run.final

    @property
    def label(self) -> str:
        """What pictures and suggestions call it."""
        number = "" if self.is_scratch else f"/{self.run.number:03d}"
        return f"{self.config.name}/{self.kind.name}{number}"

    @property
    def journal(self) -> Journal:
        """The pieces of it that are finished."""
        return Journal(self.run.path, self.observer)

    @property
    def training_values(self) -> Values:
        """The values that a training would use, where this experiment is yet to find one."""
        return gather(
            self.config, self.out, Observer(), conditions=self.conditions, suggestions=self.known
        )

    @property
    def conditions_of_suggestion(self) -> dict[str, Any]:
        """What its suggestion depends on, the other values included."""
        return self.conditions | premises(self.values, str(self.kind.finds))

    def suggest(self, suggestion: Suggestion) -> None:
        """Put what was found on file."""
        self.run.keep()
        if self.out is not None:
            suggestions_file.write_suggestion(
                self.out / self.config.name,
                str(self.kind.finds),
                suggestion,
                run=self.label,
                conditions=self.conditions_of_suggestion,
            )

    def write_config(self, found: Suggestion | None = None) -> None:
        """Write every value in use, and what was found, as the run's configuration."""
        values = {str(self.kind.finds): found.value} if found and found.accepted else {}
        write_config(self.run, self.bench, self.values, **values)

    def draw(self) -> None:
        """Draw what is written of the run; nobody would see the picture of a scratch folder."""
        if not self.is_scratch:
            picture = plotting.draw(records.read_record(self.run.path))
            files.write_bytes(self.run.path / "plot.png", plotting.png(picture))


@contextlib.contextmanager
def session(
    kind: Kind,
    config: Source | None,
    *,
    out: str | Path | None,
    observer: Observer | None,
    resume: str | Path | None = None,
    force: bool = False,
    recipe: Shared | None = None,
) -> Iterator[Session]:
    """Start an experiment in a new folder, or resume one in its own.

    Args:
        kind: of the experiment.
        config: may be `None` with `resume`, and must otherwise agree with what the run was started
            with.
        out: the folder for runs; `None` keeps nothing. With `resume` it is where the run is.
        observer: hears of the progress.
        resume: a run that broke off, as `find_unfinished` takes it.
        force: use a learning rate that was suggested for another optimizer, model or data set.
        recipe: the one that it is a stage of, if it is.

    Raises:
        OnecycleError: when the configuration, the data or the model won't do, or do not belong to
            the run that is to be resumed.
    """
    observer = observer or Observer()
    if resume is not None:
        with _resumed(kind, resume, config, observer, recipe) as ready:
            yield ready
        return
    if config is None:
        raise ConfigError("a config is needed, unless a run is resumed.")
    config = load_config(config)
    out = None if out is None else Path(out).absolute()
    if recipe is None:
        check_rate(kind.name, config, suggestions_on_file(config, out), force=force)
    with _started(kind, config, out, observer, recipe) as ready:
        yield ready


@contextlib.contextmanager
def _started(
    kind: Kind, config: Config, out: Path | None, observer: Observer, recipe: Shared | None
) -> Iterator[Session]:
    with workbench(config, observer, recipe) as bench:
        conditions = conditions_of(config, bench.dataset.fingerprint)
        known = None if recipe is None else recipe.suggestions
        values = gather(
            config,
            out,
            observer,
            conditions=conditions,
            searched=kind.finds or "",
            suggestions=known,
        )
        _check_rates(kind, values, config)
        manifest = manifest_of(config, values.sources) | {"replay": bench.replay}
        with (
            _folder_for_runs(out) as place,
            RunFolder.create(place, config.name, kind.name, manifest) as run,
        ):
            write_config(run, bench, values)
            if kind is TRAIN:
                Split.of(bench.dataset).write(run.path)
            label = None if recipe is None else recipe.label
            Resume(config, values, identity_of(bench), label, kind.name).write(run.path)
            ready = Session(kind, bench, values, conditions, observer, run, out, known)
            with _saying_how_to_resume(ready, recipe):
                yield ready


@contextlib.contextmanager
def _resumed(
    kind: Kind,
    resume: str | Path,
    asked: Source | None,
    observer: Observer,
    recipe: Shared | None,
) -> Iterator[Session]:
    folder = finding.find_unfinished(resume, kind.name)
    then = Resume.read(folder)
    epochs = None if asked is None else epochs_asked_for(folder, then.config, load_config(asked))
    with workbench(then.config, observer, recipe) as bench:
        check_identity(folder, then.conditions, identity_of(bench))
        conditions = conditions_of(then.config, bench.dataset.fingerprint)
        with RunFolder.resume(folder, command=sys.argv) as run:
            _warn_of_other_surroundings(run.manifest, observer)
            observer.note(f"resuming {run.final}")
            known = None if recipe is None else recipe.suggestions
            ready = Session(
                kind,
                bench,
                then.values,
                conditions,
                observer,
                run,
                folder.parents[2],
                known,
                epochs,
                is_resumed=True,
            )
            with _saying_how_to_resume(ready, recipe):
                yield ready


@contextlib.contextmanager
def workbench(
    config: Config, observer: Observer, recipe: Shared | None = None
) -> Iterator[Workbench]:
    """Give a model at its start: that of a recipe, or one that is closed at the end.

    Of a new one it is found out whether its state can be kept.
    """
    if recipe is not None:
        recipe.bench.rewind()
        yield recipe.bench
        return
    bench = Workbench(config, observer)
    try:
        bench.replay = replay(bench).as_dict()
        yield bench
    finally:
        bench.close()


def _folder_for_runs(out: Path | None) -> contextlib.AbstractContextManager[str | Path]:
    if out is not None:
        return contextlib.nullcontext(out)
    return tempfile.TemporaryDirectory(prefix="onecycle-", ignore_cleanup_errors=True)


@contextlib.contextmanager
def _saying_how_to_resume(ready: Session, recipe: Shared | None) -> Iterator[None]:
    """Add to an interruption by which command the run is resumed; recipes have their own."""
    try:
        yield
    except KeyboardInterrupt as error:
        if ready.run.is_kept and recipe is None and not ready.is_scratch:
            error.add_note(f"'onecycle {ready.kind.name} --resume {ready.run.final}' goes on.")
        raise


def _check_rates(kind: Kind, values: Values, config: Config) -> None:
    """Refuse to start where a learning rate is needed and none is known."""
    if kind is TRAIN:
        values.cycle_rates(config)
    elif kind is not FIND_LR:
        values.known_max_lr(config)


def identity_of(bench: Workbench) -> dict[str, Any]:
    """Return what must be the same when a run is resumed, besides its configuration."""
    config = bench.config
    return conditions_of(config, bench.dataset.fingerprint) | model_files(config)


def model_files(config: Config) -> dict[str, Any]:
    """Return digests of the files of code that the configuration names, and of what they import."""
    return registry.files(config)


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
