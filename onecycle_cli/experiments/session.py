"""An experiment that can start or go on: its model, its values, and the run that records it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli import plotting
from onecycle_cli.config import Config
from onecycle_cli.engine.backends.choice import with_backend
from onecycle_cli.engine.devices.data_parallel import data_parallel, in_use
from onecycle_cli.experiments.asked.how_to_resume import saying_how_to_resume
from onecycle_cli.experiments.asked.request import Request, check_rates
from onecycle_cli.experiments.asked.resume import (
    Resume,
    check_identity,
    identity_of,
    warn_of_other_surroundings,
)
from onecycle_cli.experiments.distributed import folders
from onecycle_cli.experiments.distributed.alike import check_that_all_do_the_same
from onecycle_cli.experiments.distributed.meeting import meet
from onecycle_cli.experiments.hyper_parameters.conditions import conditions_of, premises
from onecycle_cli.experiments.hyper_parameters.gathering import Suggestions, gather
from onecycle_cli.experiments.hyper_parameters.values import Values
from onecycle_cli.experiments.manifest import manifest_of, write_config
from onecycle_cli.experiments.reported import write_report
from onecycle_cli.experiments.searches.engines.choice import engine_for
from onecycle_cli.experiments.searches.engines.engine import Engine
from onecycle_cli.experiments.speed.fusion import with_fusion_of
from onecycle_cli.experiments.speed.precision import with_precision
from onecycle_cli.experiments.speed.settling import settle
from onecycle_cli.kinds import TRAIN, Kind
from onecycle_cli.observer import Observer
from onecycle_cli.runs import files, suggestions_file
from onecycle_cli.runs.journal import Journal
from onecycle_cli.runs.mistakes import Mistake
from onecycle_cli.runs.records import Record
from onecycle_cli.runs.run_folder import RunFolder
from onecycle_cli.runs.stores.objects import StoreError
from onecycle_cli.runs.stores.urls import address, from_here
from onecycle_cli.suggest import Suggestion
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.replay import replay
from onecycle_cli.workbench.settings import check_clipping, decide_devices
from onecycle_cli.workbench.split_file import Split
from onecycle_cli.workbench.subjects.in_hand import InHand


@dataclass(frozen=True)
class Shared:
    """What the stages of a recipe share, where a single experiment sets it up or looks it up.

    Attributes:
        bench: the model, compiled once.
        suggestions: what the recipe knows so far; those on file are not read.
        label: what it is called, such as `digits/run/001`.
        engine: carries trials out.
    """

    bench: Workbench
    suggestions: Suggestions
    label: str
    engine: Engine


@dataclass(frozen=True)
class Session:
    """An experiment that is ready to start or to go on.

    Attributes:
        kind: of the experiment.
        bench: the model, at its start.
        engine: carries trials out.
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
    engine: Engine
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
        return Journal(self.run.path, self.observer, self.run.upload)

    @property
    def conditions_of_suggestion(self) -> dict[str, Any]:
        """What its suggestion depends on, the other values included."""
        return self.conditions | premises(self.values, str(self.kind.finds))

    def suggest(self, suggestion: Suggestion) -> None:
        """Put what was found on file."""
        self.run.keep()
        if self.out is None:
            return
        try:
            suggestions_file.write_suggestion(
                self.out / self.config.name,
                str(self.kind.finds),
                suggestion,
                run=self.label,
                conditions=self.conditions_of_suggestion,
            )
        except StoreError as error:
            self.observer.warn(f"{error} The suggestion is uploaded by the next command there.")

    def write_config(self, found: Suggestion | None = None) -> dict[str, Any]:
        """Write and return every value in use, and what was found, as the run's configuration."""
        values = {str(self.kind.finds): found.value} if found and found.accepted else {}
        return write_config(self.run, self.bench, self.values, **values)

    def write(
        self,
        result: Mapping[str, Any],
        tables: Mapping[str, files.Table],
        found: Suggestion | None = None,
        *,
        with_tables: bool = True,
        mistakes: Sequence[Mistake] = (),
    ) -> Record:
        """Write the result, and return it; and draw it, unless it is in a scratch folder.

        Args:
            result: what `result.json` is to say besides the kind and the label.
            tables: the CSV files by stem.
            found: what the experiment suggests.
            with_tables: whether the tables are not on disk yet.
            mistakes: images that the model got wrong.
        """
        config = self.write_config(found)
        names = {"dataset": self.bench.dataset.origin, "model": self.bench.model.name}
        in_hand = {"in_hand": names} if self.bench.is_in_hand else {}
        said = dict(result) | in_hand
        record = Record(self.kind.name, self.label, said, tables, config, mistakes)
        record.write(self.run.path, with_tables=with_tables)
        written = record.as_read()
        if not self.is_scratch:
            self._draw(written)
        return written

    def _draw(self, record: Record) -> None:
        pictures = {"plot.png": plotting.draw}
        if "confusion" in record.result:
            pictures["confusion.png"] = plotting.draw_confusion
        self.observer.busy(f"drawing {' and '.join(pictures)} ...")
        for name, draw in pictures.items():
            files.write_bytes(self.run.path / name, plotting.png(draw(record)))
        if self.config.report:
            write_report(self.run, record, self.observer)


@contextlib.contextmanager
def session(
    request: Request, observer: Observer, recipe: Shared | None = None
) -> Iterator[Session]:
    """Start an experiment in a new folder, or resume one in its own.

    Args:
        request: what is asked for.
        observer: hears of the progress.
        recipe: the one that it is a stage of, if it is.

    Raises:
        OnecycleError: when the configuration, the data or the model won't do, or do not belong to
            the run that is to be resumed.
    """
    if recipe is None:
        request = replace(request, config=with_backend(request.config, observer))
    if recipe is None and request.folder is None and request.in_hand is None:
        request = replace(request, config=with_precision(request.config, observer))
    with equipped(request.config, observer, recipe, request.in_hand) as (bench, engine):
        if request.folder is None:
            if recipe is None:
                settle(bench, observer)
            opening = _started(request, bench, engine, observer, recipe)
        else:
            opening = _resumed(request, bench, engine, observer, recipe)
        with opening as ready, saying_how_to_resume(ready, request, is_stage=recipe is not None):
            if recipe is not None:
                ready.run.let_upload_wait()
            yield ready


@contextlib.contextmanager
def _started(
    request: Request, bench: Workbench, engine: Engine, observer: Observer, recipe: Shared | None
) -> Iterator[Session]:
    kind, config = request.kind, bench.config
    conditions = conditions_of(config, bench.dataset.fingerprint)
    if recipe is None:
        request.check_adopted(config)
    known = None if recipe is None else recipe.suggestions
    values = gather(
        config,
        request.out,
        observer,
        conditions=conditions,
        searched=kind.finds or "",
        suggestions=known,
        found=request.found,
    )
    check_rates(kind, values, config)
    identity, out = identity_of(bench, kind), folders.kept_by_this_process(request.out)
    check_that_all_do_the_same(bench, values, identity)
    manifest = manifest_of(config, values.sources) | {"replay": bench.replay}
    with (
        folders.folder_for_runs(out) as place,
        RunFolder.create(place, config.name, kind.name, manifest, observer.warn) as run,
    ):
        write_config(run, bench, values)
        if kind is TRAIN and bench.dataset.stream is None:
            Split.of(bench.dataset).write(run.path)
        label = None if recipe is None else recipe.label
        started_with = with_fusion_of(bench, request.config)
        Resume(started_with, values, identity, label, kind.name).write(run.path)
        run.upload()
        if out is not None:
            observer.note(f"writing to {from_here(run.path)}")
        yield Session(kind, bench, engine, values, conditions, observer, run, out, known)


@contextlib.contextmanager
def _resumed(
    request: Request, bench: Workbench, engine: Engine, observer: Observer, recipe: Shared | None
) -> Iterator[Session]:
    folder, then = request.folder, request.then
    if folder is None or then is None:
        raise ValueError("there is no run to resume.")
    identity = identity_of(bench, request.kind)
    check_identity(folder, then.conditions, identity)
    check_that_all_do_the_same(bench, then.values, identity, folder.name, request.epochs)
    with (
        folders.folder_to_resume(folder) as place,
        RunFolder.resume(place, observer.warn, command=sys.argv) as run,
    ):
        warn_of_other_surroundings(run.manifest, observer, devices=in_use())
        observer.note(f"resuming {address(run.final)}")
        yield Session(
            request.kind,
            bench,
            engine,
            then.values,
            conditions_of(bench.config, bench.dataset.fingerprint),
            observer,
            run,
            folders.kept_by_this_process(request.out),
            None if recipe is None else recipe.suggestions,
            request.epochs,
            is_resumed=True,
        )


@contextlib.contextmanager
def equipped(
    config: Config,
    observer: Observer,
    recipe: Shared | None = None,
    in_hand: InHand | None = None,
) -> Iterator[tuple[Workbench, Engine]]:
    """Give a model at its start, see `workbench`, and what carries its trials out."""
    with workbench(config, observer, recipe, in_hand) as bench:
        if recipe is not None:
            yield bench, recipe.engine
            return
        with engine_for(config, bench, observer) as engine:
            yield bench, engine


@contextlib.contextmanager
def workbench(
    config: Config,
    observer: Observer,
    recipe: Shared | None = None,
    in_hand: InHand | None = None,
) -> Iterator[Workbench]:
    """Give a model at its start: that of a recipe, or one in hand or new, closed at the end.

    Of a new one it is found out whether its state can be kept.
    """
    if recipe is not None:
        recipe.bench.rewind()
        yield recipe.bench
        return
    meet(config, observer)
    devices = decide_devices(config, is_in_hand=in_hand is not None)
    if devices:
        observer.note(f"devices: {', '.join(devices)}")
    with data_parallel(devices):
        bench = Workbench(config, observer, in_hand)
        try:
            check_clipping(bench.config, bench.model)
            if bench.dataset.stream is None:
                bench.replay = replay(bench).as_dict()
            yield bench
        finally:
            bench.close()
