"""The whole recipe: find the learning rate, the weight decay and the momentum, then train."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.config import Config, load_config
from onecycle_cli.engine.backends.choice import with_backend
from onecycle_cli.errors import ConfigError, ResultError
from onecycle_cli.experiments import find_lr, find_momentum, find_wd, train
from onecycle_cli.experiments.asked.installed import check_installed
from onecycle_cli.experiments.asked.request import Request
from onecycle_cli.experiments.asked.resume import Resume, check_identity, model_files
from onecycle_cli.experiments.asked.watching import Progress, watching
from onecycle_cli.experiments.distributed.folders import folder_for_runs
from onecycle_cli.experiments.find_lr import FindLRResult
from onecycle_cli.experiments.hyper_parameters.conditions import conditions_of, premises
from onecycle_cli.experiments.hyper_parameters.gathering import suggestions_on_file
from onecycle_cli.experiments.recipe import planning, resuming
from onecycle_cli.experiments.recipe.folder import (
    manifest_in,
    new_folder,
    note_in_manifest,
    result_of,
)
from onecycle_cli.experiments.recipe.forecast import forecast
from onecycle_cli.experiments.recipe.pace import Pace
from onecycle_cli.experiments.recipe.result import RunResult
from onecycle_cli.experiments.recipe.stages import FILE, KEYS, Recipe, Stage
from onecycle_cli.experiments.recipe.summary import (
    ending,
    forecast_rows,
    in_markdown,
)
from onecycle_cli.experiments.reported import write_recipe_report
from onecycle_cli.experiments.searches.comparing import ComparisonResult
from onecycle_cli.experiments.searches.engines.engine import Engine
from onecycle_cli.experiments.session import Session, Shared, equipped, session
from onecycle_cli.experiments.speed.fusion import with_fusion_of
from onecycle_cli.experiments.speed.other_work import OtherWork
from onecycle_cli.experiments.speed.precision import with_precision
from onecycle_cli.experiments.speed.settling import settle
from onecycle_cli.experiments.trainings.result import TrainResult
from onecycle_cli.kinds import FIND_LR, FIND_MOMENTUM, FIND_WD, KINDS, RUN, TRAIN
from onecycle_cli.observer import Observer
from onecycle_cli.runs import files, finding
from onecycle_cli.runs.folders.latest import link_latest
from onecycle_cli.runs.folders.lock import locked
from onecycle_cli.runs.folders.writable import check_writable
from onecycle_cli.runs.stores.mirror import mirror_of, take_over
from onecycle_cli.runs.stores.objects import StoreError
from onecycle_cli.runs.stores.recipes import upload_stages
from onecycle_cli.runs.stores.urls import address, from_here, local
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.saving import check_can_be_saved

_CARRY_OUT: dict[str, Callable[[Session], FindLRResult | ComparisonResult | TrainResult]] = {
    FIND_LR.name: find_lr.carry_out,
    FIND_WD.name: find_wd.carry_out,
    FIND_MOMENTUM.name: find_momentum.carry_out,
    TRAIN.name: train.carry_out,
}


def run(
    config: str | Path | Mapping[str, Any] | Config | None = None,
    *,
    out: str | Path | None = "runs",
    observer: Observer | None = None,
    progress: Progress = "auto",
    resume: str | Path | None = None,
    skip: Collection[str] = (),
    reuse: bool = False,
    force: bool = False,
) -> RunResult:
    """Find what the configuration leaves open, then train with it.

    The stages `find-lr`, `find-wd`, `find-momentum` and `train` share one compiled model, and each
    uses what those before it found, not what was on file. The recipe is written after each of
    them. A search for weight decay or momentum that suggests nothing leaves the default; without
    a learning rate the recipe ends.

    Args:
        config: a path, a mapping or a `Config`; may be left out with `resume`, and must otherwise
            be that of the recipe.
        out: the folder for runs, or the URL of an object store; `None` writes nothing.
        observer: hears of the forecast and of the progress, in place of what shows them.
        progress: show them; `"auto"`: in a notebook and on a terminal.
        resume: a recipe to be resumed, as `recipe.find_recipe` takes it; its runs go where it is.
            What is finished is not repeated, and a stage that broke off goes on.
        skip: stages to leave out; for a value that is not searched, its suggestion on file is
            used if there is one, else the default.
        reuse: use suggestions on file that were found under exactly the same conditions.
        force: with `find-lr` left out, use a learning rate that was suggested for another
            optimizer, model or data set.

    Raises:
        OnecycleError: when the configuration, the data or the model won't do, the recipe can't be
            resumed, or the training fails.
    """
    observer = watching(observer, progress)
    if resume is not None:
        folder = resuming.find_recipe(resume)
        then = resuming.config_of(folder)
        if config is not None:
            then = resuming.check_config(folder, load_config(config))
        check_installed(then)
        return _resume(folder, with_backend(then, observer), observer)
    if config is None:
        raise ConfigError("a config is needed, unless a recipe is resumed.")
    config, out = load_config(config), None if out is None else local(out).absolute()
    if out is not None:
        check_writable(out / config.name / RUN.name)
    config = with_precision(with_backend(config, observer), observer)
    recipe = planning.plan(config, out, observer, skip, force=force)
    with equipped(config, observer) as (bench, engine), folder_for_runs(out) as place:
        _get_ready(recipe, bench, out, observer, reuse, force)
        folder = new_folder(recipe, with_fusion_of(bench, config), Path(place))
        if out is not None:
            observer.note(f"writing to {from_here(folder)}")
        with locked(folder):
            return _Journey(recipe, bench, engine, out, folder, observer).go()


def foresee(
    config: str | Path | Mapping[str, Any] | Config,
    *,
    out: str | Path | None = "runs",
    observer: Observer | None = None,
    skip: Collection[str] = (),
    reuse: bool = False,
    force: bool = False,
) -> Recipe:
    """Return the recipe that `run` would carry out, with the predicted costs; writes nothing."""
    observer = observer or Observer()
    config = with_precision(with_backend(load_config(config), observer), observer)
    out = None if out is None else local(out)
    recipe = planning.plan(config, out, observer, skip, force=force)
    with equipped(config, observer) as (bench, _):
        _get_ready(recipe, bench, out, observer, reuse, force)
    return recipe


def _resume(folder: Path, config: Config, observer: Observer) -> RunResult:
    with locked(folder):
        recipe = Recipe.read(folder)
        if recipe.is_over:
            observer.note(f"{address(folder)} is finished")
            return RunResult(recipe, folder)
        now = model_files(config)
        check_identity(folder, manifest_in(folder).get("model_files", now), now)
        with equipped(config, observer) as (bench, engine):
            conditions = conditions_of(bench.config, bench.dataset.fingerprint)
            resuming.check_conditions(folder, recipe, conditions)
            _predict(recipe, bench, observer)
            take_over(folder)
            note_in_manifest(folder, "running", resumed=True)
            out = folder.absolute().parents[2]
            return _Journey(recipe, bench, engine, out, folder, observer).go()


def _get_ready(
    recipe: Recipe,
    bench: Workbench,
    out: str | Path | None,
    observer: Observer,
    reuse: bool,
    force: bool,
) -> None:
    """Settle what needs no search, and predict what the rest will cost."""
    settle(bench, observer)
    config = bench.config
    if not force:
        planning.check_adopted(recipe, config, suggestions_on_file(config, out))
    recipe.conditions = conditions_of(config, bench.dataset.fingerprint)
    planning.warn_of_what_is_on_file(recipe, config, observer)
    if reuse:
        planning.reuse(recipe, config, suggestions_on_file(config, out))
    _predict(recipe, bench, observer)


def _predict(recipe: Recipe, bench: Workbench, observer: Observer) -> None:
    if not recipe.pending:
        return
    check_can_be_saved(bench, Observer())
    observer.note("timing a few steps to predict the cost ...")
    with OtherWork() as others:
        pace = Pace.of(bench)
    recipe.others = others.share
    for stage in recipe.pending:
        stage.predicted = forecast(bench, pace, stage.name).as_dict()


class _Journey:
    """Carries out the stages that remain, and writes after each how far it has got."""

    def __init__(
        self,
        recipe: Recipe,
        bench: Workbench,
        engine: Engine,
        out: Path | None,
        folder: Path,
        observer: Observer,
    ) -> None:
        self.recipe, self.bench, self.out, self.folder = recipe, bench, out, folder
        self.engine, self.observer = engine, observer
        self.mirror = mirror_of(folder, observer.warn)
        self.config = bench.config
        self.label = f"{self.config.name}/{RUN.name}/{folder.name}"

    def go(self) -> RunResult:
        self.recipe.status = "running"
        try:
            self._carry_out_stages()
            self._conclude()
        except BaseException as error:
            self._break_off(error)
            raise
        upload_stages(self.folder)
        self.mirror.finish(self.folder, is_done=True)
        return RunResult(self.recipe, self.folder if self.out else None)

    def _carry_out_stages(self) -> None:
        for name, text in forecast_rows(self.recipe):
            self.observer.note(f"{name}: {text}")
        for stage in self.recipe.pending:
            if not self._lacks_a_rate:
                self._carry_out(stage)
        self.recipe.status = "refused" if self._lacks_a_rate else "done"

    @property
    def _lacks_a_rate(self) -> bool:
        return self.recipe.stages["find-lr"].status == "refused"

    def _carry_out(self, stage: Stage) -> None:
        stage.status = "running"
        self._write()
        names = list(self.recipe.stages)
        started = time.perf_counter()
        self.observer.note(f"stage {names.index(stage.name) + 1} of {len(names)}: {stage.name}")
        self.observer.expect_after(self._seconds_after(stage))
        shared = Shared(self.bench, self.recipe.suggestions(), self.label, self.engine)
        with session(self._request(stage), self.observer, shared) as ready:
            result = _CARRY_OUT[stage.name](ready)
        if isinstance(result, TrainResult) and result.ended == "interrupted":
            raise KeyboardInterrupt
        self._take(stage, result, time.perf_counter() - started)
        self.observer.note(ending(stage))
        self._write()

    def _seconds_after(self, stage: Stage) -> float:
        """Return how long the stages after one are going to take, as predicted."""
        later = self.recipe.pending[self.recipe.pending.index(stage) + 1 :]
        return sum(other.predicted.get("seconds", 0.0) for other in later)

    def _take(
        self, stage: Stage, result: FindLRResult | ComparisonResult | TrainResult, seconds: float
    ) -> None:
        stage.cost = result.cost.as_dict() | {"seconds": round(seconds, 2)}
        if result.folder is not None:
            stage.folder = f"{self.config.name}/{stage.name}/{result.folder.name}"
        if isinstance(result, TrainResult):
            stage.status, stage.scores = "done", result.scores()
            stage.conditions = premises(result.values, "")
            stage.note = f"with {result.values}"
        else:
            self._take_suggestion(stage, result)

    def _request(self, stage: Stage) -> Request:
        """Return the request to start a stage, or to resume it in the folder where it broke off."""
        kind = KINDS[stage.name]
        if self.out is not None:
            for folder in finding.unfinished(self.out.absolute() / self.config.name / stage.name):
                with contextlib.suppress(ResultError):
                    if Resume.read(folder).recipe == self.label:
                        return Request.to_resume(kind, folder).where(self.config)
        return Request(kind, self.config, self.out)

    def _take_suggestion(self, stage: Stage, result: FindLRResult | ComparisonResult) -> None:
        key = KEYS[stage.name]
        conditions = self.recipe.conditions | premises(result.values, key)
        entry = result.suggestion.as_dict() | {"run": stage.folder, "conditions": conditions}
        stage.take(entry, "done" if result.suggestion.accepted else "refused")
        if stage.status == "refused" and key != "max_lr":
            stage.take_default(self.config)
            self.observer.warn(f"{stage.name} suggests nothing: {stage.reason} {stage.note}.")

    def _break_off(self, error: BaseException) -> None:
        interrupted = isinstance(error, KeyboardInterrupt | SystemExit)
        self.recipe.status = "interrupted" if interrupted else "failed"
        for stage in self.recipe.stages.values():
            if stage.status == "running":
                stage.status = self.recipe.status
                stage.note = "" if interrupted else str(error)
        if self.out is not None and self.folder.is_dir():
            error.add_note(
                f"what is finished is kept; 'onecycle run --resume {address(self.folder)}' goes on."
            )
            self._write()
            note_in_manifest(self.folder, self.recipe.status)
            self.mirror.finish(self.folder, is_done=False)

    def _write(self) -> None:
        if not self.folder.is_dir():
            raise ResultError(
                f"{self.folder}: its folder was removed while the recipe was at work, so nothing "
                f"of it is kept; run the command again."
            )
        files.write_json(self.folder / FILE, self.recipe.as_dict())
        with contextlib.suppress(StoreError):
            upload_stages(self.folder)
            self.mirror.upload(self.folder, at_once=True)

    def _conclude(self) -> None:
        files.write_text(self.folder / "summary.md", in_markdown(self.recipe, self.label))
        files.write_json(self.folder / "result.json", result_of(self.recipe, self.label))
        note_in_manifest(self.folder, self.recipe.status)
        if self.config.report and self.out is not None:
            write_recipe_report(self.folder, self.recipe.as_dict(), self.observer)
        link_latest(self.folder.parent)
        self._write()
