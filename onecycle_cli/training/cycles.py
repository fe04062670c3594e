"""The 1cycle passes of a training, carried out so that nothing can be lost.

What a step does depends on the state before it alone. A checkpoint and the tables that it names
hold that state whole: so a training that is resumed gives the bits of one that never broke off.
"""

from __future__ import annotations

from typing import Any, Protocol

from onecycle_cli import data
from onecycle_cli.engine.devices.distributed import largest_of_all
from onecycle_cli.errors import ProcessError
from onecycle_cli.observer import Observer
from onecycle_cli.runs.checkpoints import Checkpoints
from onecycle_cli.runs.log import Logbook
from onecycle_cli.runs.run_folder import RunFolder
from onecycle_cli.training.changed_plan import change_plan
from onecycle_cli.training.cool_down import cool_down, epochs_in_vain
from onecycle_cli.training.course import Course
from onecycle_cli.training.final_weights import FinalWeights
from onecycle_cli.training.hooks import Hooks
from onecycle_cli.training.interrupts import Interrupts
from onecycle_cli.training.plan import Plan
from onecycle_cli.training.recovery import Recovery
from onecycle_cli.training.reporting import Reporting
from onecycle_cli.training.states import resume_from
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.steps_together import steps_together


class KeepsEpochs(Protocol):
    """Keeps what there is of a training at the end of each epoch."""

    def end_epoch(self, log: Logbook, *, is_best: bool) -> None:
        """Keep an epoch, the last of a log; `is_best`: with the best model so far."""

    def write(self, log: Logbook) -> None:
        """Write what was put off, and tell who follows the log of the steps since."""

    def has_best(self, epoch: int) -> bool:
        """Tell whether the model of an epoch is what is on disk as the best."""
        ...


class Cycles:
    """Carries out the cycles of a training, from its start or from a checkpoint.

    Args:
        bench: the model and its data.
        plan: what to train with.
        weights: which of the model's weights are judged.
        run: where checkpoints are written.
        observer: hears of the progress.
        kept: keeps epochs, and the best model.

    Attributes:
        course: how far it is, and what has come of it.
        checkpoints: what was written of them.
    """

    def __init__(
        self,
        bench: Workbench,
        plan: Plan,
        weights: FinalWeights,
        run: RunFolder,
        observer: Observer,
        kept: KeepsEpochs,
    ) -> None:
        self._bench, self._run, self._observer = bench, run, observer
        self._weights, self._kept = weights, kept
        self._together = steps_together(bench)
        self._interrupts = Interrupts()
        self.course = Course(bench, plan, run.path)
        self.checkpoints = Checkpoints(run.path, every=self.course.settings.checkpoint_seconds)
        self._recovery = Recovery(self.course, weights, observer)

    def restore(self, asked_epochs: list[int] | None, policy: str | None) -> None:
        """Go back to the newest checkpoint, and change the plan if that is asked for.

        Args:
            asked_epochs: of each cycle; `None` leaves them as planned.
            policy: how the present cycle gets more or fewer epochs: one of `schedules.POLICIES`.

        Raises:
            ConfigError: when the change is impossible, or the checkpoint is of another model.
        """
        course, log = self.course, self.course.log
        state = self.checkpoints.read_newest(
            self._observer.warn, lambda state: log.take_up(state.about["tables"])
        )
        if state is not None:
            resume_from(state, course, self._weights)
            self._recovery.resume_from(state)
            self._observer.note(f"from step {len(log)}, in epoch {len(log.epochs) + 1}")
        best = course.best
        [is_lost] = largest_of_all(best is not None and not self._kept.has_best(best.epoch))
        if is_lost:
            course.best_since = len(log.epochs)
        if asked_epochs is not None and asked_epochs != course.epochs:
            change_plan(course, asked_epochs, policy)
            self._recovery.forget()
            self._recovery.drop_anchor()
            self._checkpoint()
        course.begin_sitting()

    def carry_out(self) -> Course:
        """Train until all cycles are done, or something ends the training before its time.

        Raises:
            TrainingError: when the loss diverges again and again.
            ProcessError: when another process is gone; the last epoch's end is in a checkpoint.
            KeyboardInterrupt: after a second Ctrl-C; `Terminated` after SIGTERM.
        """
        with self._interrupts:
            try:
                while not self.course.is_over:
                    self._run_cycle()
                    if self.course.ended is None:
                        self._recovery.forget()
                        self.course.begin_next_cycle()
            except ProcessError:
                self._recovery.go_back_to_last_good()
                self._checkpoint()
                raise
        return self.course

    def _run_cycle(self) -> None:
        course, whole = self.course, self._bench.steps_per_epoch
        of = f" of {len(course.epochs)}" if len(course.epochs) > 1 else ""
        self._observer.begin(f"cycle {course.number}{of}", course.cycle.steps_to_go)
        if not course.cycle.steps_done or not self._recovery.has_anchors:
            self._recovery.drop_anchor()
        while to_go := course.cycle.steps_to_go:
            into = course.cycle.steps_done % whole
            if into or to_go < whole:
                self._fit(min(whole - into, to_go), 1)
            else:
                self._fit(whole, to_go // whole)
            if course.cycle.stop_reason is not None:
                self._recovery.try_again()
        self._observer.end()

    def _fit(self, steps: int, epochs: int) -> None:
        course, bench = self.course, self._bench
        bench.train(
            steps,
            [
                course.cycle,
                *self._weights.callbacks,
                Reporting(self._observer, course.log),
                Hooks(step=self._after_step, epoch=self._end_epoch),
            ],
            epochs=epochs,
            start=len(course.log),
            together=self._together if steps % self._together == 0 else 1,
            resize=data.resizing(course.settings, sum(course.epochs) * bench.steps_per_epoch),
        )

    def _after_step(self) -> None:
        """Hear signals and write checkpoints; at the end of an epoch that is put off till then."""
        if self.course.cycle.stop_reason is None and not self.course.is_at_epoch_end:
            self._attend(at_epoch_end=False)

    def _end_epoch(self) -> None:
        """Validate, log the epoch, and keep the model if it is the best so far."""
        course = self.course
        if course.cycle.stop_reason is not None:
            return
        epoch = course.log.end_epoch(cycle=course.number, **self._validated())
        self._observer.note(str(epoch))
        self._kept.end_epoch(course.log, is_best=course.best is epoch)
        self._recovery.drop_anchor()
        self._attend(at_epoch_end=True)
        if waited := epochs_in_vain(course):
            steps = self._cool_down("early")
            self._observer.note(
                f"no better epoch for {waited} epochs: finishing with a cool-down of {steps} steps"
            )

    def _validated(self) -> dict[str, Any]:
        """Return how good the model is on the validation part; nothing where there is none."""
        if not self._bench.dataset.validates:
            return {}
        with self._weights.in_force():
            examined = self._bench.examine("validation")
        return {
            "val_loss": examined.loss,
            "val_accuracy": examined.accuracy,
            "scores": examined.single_scores,
        }

    def _attend(self, *, at_epoch_end: bool) -> None:
        interrupts, goes_on = self._interrupts, self.course.ended is None
        interrupts.listen()
        signalled = interrupts.terminated or interrupts.asked
        is_due = self.checkpoints.is_due(at_epoch_end=at_epoch_end)
        if goes_on and (signalled or is_due):
            self._checkpoint()
        interrupts.check()
        if interrupts.asked and goes_on and self.course.cycle.steps_to_go:
            steps = self._cool_down("interrupted")
            self._observer.warn(
                f"interrupted: the learning rate falls to its end within {steps} steps, then the "
                f"training is over; a second Ctrl-C ends it at once."
            )

    def _cool_down(self, why: str) -> int:
        steps = cool_down(self.course, why, together=self._together)
        self._observer.begin("cool-down", steps)
        return steps

    def _checkpoint(self) -> None:
        self._run.keep()
        self.checkpoints.write(self._recovery.checkpoint(), before=self._put_on_disk)
        self._run.upload()

    def _put_on_disk(self) -> None:
        """Write the rows that a checkpoint is going to name, and what else was put off."""
        self.course.log.append()
        self._kept.write(self.course.log)
