"""Training by one or more 1cycle passes, with the values that the finders suggest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.errors import TrainingError
from onecycle_cli.experiments.asked.fit_arguments import FitArguments
from onecycle_cli.experiments.asked.in_hand import WHERE_USUAL, given
from onecycle_cli.experiments.asked.request import Request, Source
from onecycle_cli.experiments.asked.watching import Progress, watching
from onecycle_cli.experiments.evaluation.inputs import inputs_of, targets_of
from onecycle_cli.experiments.session import Session, session
from onecycle_cli.experiments.tracking.tracked import ending_of, tracked
from onecycle_cli.experiments.trainings.epoch_files import EpochFiles
from onecycle_cli.experiments.trainings.mistakes import mistakes_of
from onecycle_cli.experiments.trainings.result import TrainResult
from onecycle_cli.kinds import TRAIN
from onecycle_cli.observer import Observer
from onecycle_cli.runs.log import Epoch, Logbook
from onecycle_cli.runs.mistakes import Mistake
from onecycle_cli.runs.records import Record
from onecycle_cli.runs.trackers.together import Trackers
from onecycle_cli.runs.trackers.tracker import DONE, INTERRUPTED, Ending
from onecycle_cli.training.course import Course
from onecycle_cli.training.cycles import Cycles
from onecycle_cli.training.final_weights import FinalWeights
from onecycle_cli.training.plan import Plan
from onecycle_cli.workbench.cost import Cost, peak_memory, training_steps
from onecycle_cli.workbench.saving import check_can_be_saved
from onecycle_cli.workbench.scoring.examination import Examination, by_class
from onecycle_cli.workbench.scoring.scored import whole_test_set
from onecycle_cli.workbench.split_file import Split

if TYPE_CHECKING:
    import keras

_NOTHING_LEARNED = 0.99
"""A last epoch whose losses are above this share of what guessing costs shows no learning."""


def train(
    config: Source | keras.Model | None = None,
    x: Any = None,
    y: Any = None,
    *,
    out: str | Path | None = WHERE_USUAL,
    observer: Observer | None = None,
    progress: Progress = "auto",
    resume: str | Path | None = None,
    policy: str | None = None,
    force: bool = False,
    **fit: Unpack[FitArguments],
) -> TrainResult:
    """Train by the configured 1cycle passes, and evaluate the last model on the test set, once.

    In the main thread Ctrl-C ends the training with a cool-down, and pressed twice at once; what
    was interrupted or killed goes on with `resume`, to the same bits as if it had not been.

    Args:
        config: a path, a mapping or a `Config`; or a compiled model, which is trained.
            Not needed with `resume`; a config that is given may then differ in the epochs of its
            cycles only.
        x: with a model, its inputs: an array, or several in a dictionary or a list.
        y: with a model, its targets, as it was compiled for them.
        out: the folder for runs, or the URL of an object store as text; suggestions are looked up
            there too; `None` writes nothing. If it is not given, `runs` for a configuration, and
            nothing is written for a model.
        observer: is told of the progress, which is then not shown.
        progress: show it; `"auto"`: in a notebook and on a terminal.
        resume: the folder of an interrupted run, to continue it; `out` is where it is.
        policy: what to do with the schedule of a cycle whose epochs are changed on resuming:
            `"stretch"` or `"extend"`.
        force: use a learning rate that was suggested for another optimizer, model or data set.
        **fit: with a model, `batch_size`, `epochs`, `validation_split` and so on, see
            `FitArguments`.

    Raises:
        OnecycleError: when the configuration, the data or the model can't be used, the learning
            rate is not known yet, or the loss diverges in spite of all retries.
        KeyboardInterrupt: after a second Ctrl-C, or SIGTERM (`Terminated`).
    """
    asked = given(config, x, y, out, **fit)
    request = Request.of_call(TRAIN, asked, resume=resume, force=force)
    with session(request, watching(observer, progress)) as ready:
        return carry_out(ready, policy)


def carry_out(ready: Session, policy: str | None = None) -> TrainResult:
    """Carry out the training of a session; `policy` as of `train`."""
    with tracked(ready) as trackers:
        return _Training(ready, trackers).carry_out(policy)


class _Training:
    def __init__(self, session: Session, trackers: Trackers) -> None:
        self.trackers = trackers
        self.session, self.run, self.observer = session, session.run, session.observer
        self.bench, self.values, self.config = session.bench, session.values, session.config
        self.max_lrs = self.values.cycle_rates(self.config)
        self.weights = FinalWeights(self.bench)
        self.mistakes: list[Mistake] = []
        plan = Plan(
            self.max_lrs,
            self.values.cycle_rate_sources(self.config),
            self.values.momentum,
            self.values.weight_decay,
        )
        self.files = EpochFiles(
            self.run, self.bench, self.weights, trackers, with_models=not session.is_scratch
        )
        self.cycles = Cycles(self.bench, plan, self.weights, self.run, self.observer, self.files)

    def carry_out(self, policy: str | None) -> TrainResult:
        if not self.session.is_scratch:
            check_can_be_saved(self.bench, self.observer)
        self._check_validation()
        self._announce()
        if self.session.is_resumed:
            self.cycles.restore(self.session.asked_epochs, policy)
            self._adopt(self.cycles.course.epochs)
        course = self.cycles.course
        self.observer.expect(training_steps(self.bench) - len(course.log))
        self.trackers.start()
        self.trackers.write(course.log)
        try:
            course = self.cycles.carry_out()
        except BaseException:
            self._keep_what_there_is(self.cycles.course.log)
            raise
        seconds = course.seconds
        self.files.write(course.log)
        self.run.keep()
        self.files.write_model()
        result = self._result(course, *self._tested(), seconds)
        self._warn_of_nothing_learned(course.log.epochs[-1])
        record = self._write(result, course.log)
        self.trackers.end(self._ending(result))
        return replace(result, record=record)

    def _check_validation(self) -> None:
        """Say so if no validation score will exist; refuse what would need one."""
        if self.bench.dataset.validates:
            return
        nothing = "there is nothing to validate on"
        if self.config.train.early_finish is not None:
            raise self.config.error(
                "train.early_finish",
                f"train.early_finish looks at validation scores, and {nothing}; give validation "
                f"data, or remove it.",
            )
        self.observer.warn(
            f"{nothing}, so no epoch has a validation score and no best model is kept: the last "
            f"one is all there is. Give validation data to have them."
        )

    def _tested(self) -> tuple[Examination | None, int | None]:
        """Examine the test set, once, and count what of it was trained on; none without one."""
        if self.bench.dataset.read_test is None:
            return None, None
        scored = whole_test_set(Split.of(self.bench.dataset), self.bench.dataset)
        for warning in scored.warnings:
            self.observer.warn(warning)
        self.observer.busy("evaluating the last model on the test set ...")
        with self.weights.in_force():
            examined = self.bench.examine("test", scored)
        has_report = self.config.report and not self.session.is_scratch
        if has_report and scored.examples is not None and self.bench.dataset.classes is not None:
            self.mistakes = mistakes_of(examined, scored.examples[0])
        return examined, scored.seen

    @property
    def _examples(self) -> str:
        """The examples of an epoch and its batches, in words."""
        dataset = self.bench.dataset
        if dataset.stream is not None:
            return f"over a pipeline of {dataset.stream.steps} batches"
        return f"of batch size {self.config.batch_size} over {len(dataset.train)} examples"

    def _warn_of_nothing_learned(self, last: Epoch) -> None:
        """Say so if a constant prediction would have done as well."""
        guessing = self.bench.chance
        if guessing is None:
            return
        losses = {"training": last.loss}
        if last.val_loss is not None:
            losses["validation"] = last.val_loss
        if min(losses.values()) > _NOTHING_LEARNED * guessing:
            found = " and ".join(f"{loss:.3g} in {part}" for part, loss in losses.items())
            self.observer.warn(
                f"the loss of the last epoch, {found}, is no better than that of a constant "
                f"prediction ({guessing:.3g}); train longer or at another train.max_lr, and check "
                f"labels, inputs and the model's loss."
            )

    def _adopt(self, epochs: list[int]) -> None:
        """Let the configuration say what is planned by now."""
        cycles = [
            cycle | {"epochs": count}
            for cycle, count in zip(
                self.config.model_dump()["train"]["cycles"], epochs, strict=True
            )
        ]
        changed = self.config.with_values(train={"cycles": cycles})
        if changed == self.config:
            return
        self.config = self.bench.config = changed
        self.session.write_config()

    def _announce(self) -> None:
        values, note = self.values, self.observer.note
        rates = zip(self.max_lrs, values.cycle_rate_sources(self.config), strict=True)
        note("max_lr " + ", ".join(f"{lr:g} ({source})" for lr, source in rates))
        note(
            f"momentum {values.momentum['max']:g} to {values.momentum['min']:g} "
            f"({values.sources['momentum']})"
        )
        note(
            f"{self.config.optimizer.decay_kind} weight decay {values.weight_decay:g} "
            f"({values.sources['weight_decay']})"
        )
        note(
            f"{len(self.max_lrs)} cycle{'' if len(self.max_lrs) == 1 else 's'}, "
            f"{training_steps(self.bench)} steps {self._examples}"
        )

    def _keep_what_there_is(self, log: Logbook) -> None:
        """Write the steps and the models as they are."""
        if not len(log):
            return
        self.files.write(log)
        self.run.keep()
        log.write()
        self.files.write_model()

    def _result(
        self, course: Course, test: Examination | None, seen: int | None, seconds: float
    ) -> TrainResult:
        if not course.log.epochs:
            raise TrainingError("no epoch was completed.")
        steps, written = len(course.log), self.cycles.checkpoints
        dataset = self.bench.dataset
        trained = float(steps * len(dataset.train))  # of a pipeline, those of its first batch
        if dataset.stream is None:
            trained /= self.bench.steps_per_epoch
        return TrainResult(
            test_loss=None if test is None else test.loss,
            test_accuracy=None if test is None else test.accuracy,
            test_scores={} if test is None else test.scores,
            history=course.log.epochs,
            best_epoch=None if course.best is None else course.best.epoch,
            values=self.values,
            max_lrs=self.max_lrs,
            cost=Cost.of(self.bench, steps, seconds),
            images_per_second=round(trained / seconds, 1),
            peak_memory=peak_memory(),
            by_class={} if test is None else by_class(test, self.bench.dataset.classes),
            folder=self.session.folder,
            ended=course.ended,
            events=course.events,
            checkpoints={"written": written.written, "seconds": round(written.seconds, 3)},
            seen=seen,
        )

    def _write(self, result: TrainResult, log: Logbook) -> Record:
        log.write()
        if result.ended == "interrupted":
            self.run.end_as("interrupted")
        return self.session.write(
            {
                **result.scores(),
                "seen_in_training": result.seen,
                "chance_loss": self.bench.chance,
                "ended": result.ended,
                "events": result.events,
                "max_lr": result.max_lrs,
                "momentum": self.values.momentum,
                "weight_decay": self.values.weight_decay,
                "decay": self.config.optimizer.decay_kind,
                "sources": self.values.sources
                | {"max_lr": self.values.cycle_rate_sources(self.config)},
                "steps_per_epoch": self.bench.steps_per_epoch,
                "images_per_second": result.images_per_second,
                "cost": result.cost.as_dict()
                | {"peak_memory_bytes": result.peak_memory, "checkpoints": result.checkpoints},
                "inputs": inputs_of(self.bench.dataset),
                "targets": targets_of(self.bench.dataset),
                "caveats": self.bench.caveats,
                **result.by_class,
            },
            log.tables(),
            with_tables=False,
            mistakes=self.mistakes,
        )

    def _ending(self, result: TrainResult) -> Ending:
        """Return what trackers are told at the end."""
        tested = {"accuracy": result.test_accuracy, "loss": result.test_loss, **result.test_scores}
        scores = {f"test/{name}": value for name, value in tested.items()}
        status = INTERRUPTED if result.ended == "interrupted" else DONE
        return ending_of(self.session, scores, status)
