"""The learning rate range test as a Keras callback."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli import schedules, suggest
from onecycle_cli.callbacks.range_test.accumulation import batches_per_update, is_between_updates
from onecycle_cli.callbacks.range_test.arguments import check_folder, check_range, check_the_rest
from onecycle_cli.callbacks.range_test.last_word import restore_last
from onecycle_cli.callbacks.range_test.saved import draw, is_there, judged, read, write
from onecycle_cli.callbacks.range_test.stop_rule import StopRule
from onecycle_cli.callbacks.range_test.validation_loss import ValidationLoss
from onecycle_cli.callbacks.scheduled import Scheduled
from onecycle_cli.callbacks.verbosity import Verbosity, check_verbosity, prints
from onecycle_cli.engine.state.fresh_start import begin_afresh
from onecycle_cli.engine.state.snapshot import Snapshot
from onecycle_cli.engine.steering.names import LEARNING_RATE
from onecycle_cli.errors import OnecycleError, TrainingError
from onecycle_cli.runs.curve import Curve
from onecycle_cli.shown import Facts
from onecycle_cli.workbench.scoring.compiled import floor_of_compiled

if TYPE_CHECKING:
    from onecycle_cli.plotting import Figure


class LRFinder(Scheduled):
    """Raise the learning rate step by step, record each batch's loss, and leave no trace.

    Runs within `fit`, from the weights as they are and an optimizer that has seen nothing yet, and
    ends it: after `num_steps` steps, or as soon as the loss is not finite or the mean of the last 5
    losses exceeds `stopping_criterion_factor` times the lowest such mean; losses that can be
    negative have a rule of their own, see `stop_rule.StopRule`. Then weights, statistics, optimizer
    slots, seed generators and random generators are bit for bit as they were when `fit` began,
    whatever other callbacks do when training ends.

    Args:
        num_samples: optional, and only needed when `fit` can't know: samples in the data set.
        batch_size: optional: samples in a batch.
        min_lr: learning rate of the first step, > 0.
        max_lr: learning rate of the last step, > `min_lr`.
        lr_scale: `"exp"` for equal ratios between steps, `"linear"` for equal differences.
        validation_data: optional, what `fit` takes for it: `(x, y)`, `(x, y, sample_weight)`, or a
            data set. Record the loss on batches of it, after each step, instead of the training
            batch's own. Slower, and seldom better: within the first epoch a batch has not been
            trained on when its loss is taken.
        validation_sample_rate: how many batches of it at each step; negative for all.
        stopping_criterion_factor: > 1, or `None` to stop only when a loss is not finite.
        loss_smoothing_beta: of `smoothed_losses`, in [0, 1); shapes nothing else.
        save_dir: optional folder for `curve.csv`, `result.json` and `plot.png`.
        verbose: print the suggestion when the test ends: with `True` or `"auto"` unless
            `fit(verbose=0)`, with 1 in any case, with `False` or 0 never.
        num_steps: number of steps, at least 2, over as many epochs as `fit` has; defaults to one
            epoch's. A step is an update of the weights: with gradient accumulation, the batches of
            one update have one learning rate, and the mean of their losses is recorded.
        restore: bring the model back; `False` leaves it as the test left it.
        skip_begin: how many points at the beginning the suggestion leaves out, >= 0.
        skip_end: how many at the end, >= 0.
        minimum_lr: keras-one-cycle's name of `min_lr`.
        maximum_lr: keras-one-cycle's name of `max_lr`.

    Attributes:
        lrs: learning rate of each step.
        losses: data loss of each step's batch before its update, without penalties.
        stop_reason: `"completed"`, `"diverged"`, `"non_finite"`, or `None` while it runs, and if
            `fit` ended first.

    Raises:
        ValueError: when an argument is out of its range.
        TrainingError: in `fit`, beside `BackupAndRestore`, which would delete its backup.
        OptimizerError: in `fit`, when the optimizer can't change its learning rate, or is not what
            updates the weights.

    Example:
        >>> finder = LRFinder(num_steps=100)
        >>> _ = model.fit(x, y, epochs=50, verbose=0, callbacks=[finder])
        >>> max_lr = finder.suggestion["value"]

    References:
        L. N. Smith, "Cyclical Learning Rates", arXiv:1506.01186.
    """

    _usage = "LRFinder(min_lr=1e-5)"

    def __init__(
        self,
        num_samples: int | None = None,
        batch_size: int | None = None,
        min_lr: float = 1e-5,
        max_lr: float = 10.0,
        lr_scale: schedules.Scale = "exp",
        validation_data: Any = None,
        validation_sample_rate: int = 5,
        stopping_criterion_factor: float | None = 4.0,
        loss_smoothing_beta: float = 0.98,
        save_dir: str | Path | None = None,
        verbose: Verbosity = True,
        *,
        num_steps: int | None = None,
        restore: bool = True,
        skip_begin: int = 0,
        skip_end: int = 0,
        minimum_lr: float | None = None,
        maximum_lr: float | None = None,
    ) -> None:
        super().__init__({LEARNING_RATE: self._sweep}, num_samples, batch_size)
        check_verbosity(verbose)
        min_lr = min_lr if minimum_lr is None else minimum_lr
        max_lr = max_lr if maximum_lr is None else maximum_lr
        check_range(min_lr, max_lr, lr_scale, num_steps)
        check_the_rest(
            stopping_criterion_factor,
            loss_smoothing_beta,
            validation_sample_rate,
            (skip_begin, skip_end),
        )
        self.min_lr, self.max_lr = float(min_lr), float(max_lr)
        self.lr_scale: schedules.Scale = lr_scale
        self.validation_data = validation_data
        self.validation_sample_rate = validation_sample_rate
        self.stopping_criterion_factor = stopping_criterion_factor
        self.loss_smoothing_beta = loss_smoothing_beta
        self.save_dir = None if save_dir is None else Path(save_dir)
        check_folder(self.save_dir)
        self.verbose: Verbosity = verbose
        self.num_steps = num_steps
        self.restore_after = restore
        self.skip_begin, self.skip_end = skip_begin, skip_end
        self.lrs: list[float] = []
        self.losses: list[float] = []
        self.stop_reason: str | None = None
        self._gathered: list[float] = []
        self._snapshot: Snapshot | None = None
        self._has_last_word = False
        self._validation_loss: ValidationLoss | None = None

    @property
    def smoothed_losses(self) -> list[float]:
        """Bias-corrected exponential moving average of the losses, for display: it lags."""
        return suggest.moving_average(self.losses, self.loss_smoothing_beta).tolist()

    @property
    def findings(self) -> suggest.LRFindings:
        """The suggestion with landmarks and every rule's own answer."""
        return judged(self._curve, self._told())

    @property
    def suggestion(self) -> dict[str, Any]:
        """The suggested `max_lr`: value or `None`, interval, verdict and reason. Never raises."""
        return self.findings.suggestion.as_dict()

    def _sweep(self, num_steps: int) -> list[float]:
        return schedules.sweep(num_steps, self.min_lr, self.max_lr, self.lr_scale)

    def _begin(self, epochs: int) -> int:
        """Return how many updates the sweep has, wherever `fit` begins."""
        self._gathered = []
        batches = batches_per_update(self.model.optimizer)
        return self.num_steps or max(2, self._steps_per_epoch() // batches)

    def _plan(self, epochs: int) -> None:
        super()._plan(epochs)
        self.lrs = self.history[LEARNING_RATE]

    def _values_at(self, step: int) -> Mapping[str, float]:
        """Return the learning rate of the update that a batch goes into."""
        return super()._values_at(len(self.lrs))

    def _record(self, values: Mapping[str, float]) -> None:
        """Take the loss of the step, and end `fit` when the test has seen enough."""
        if self.stop_reason is not None:
            return
        if self._validation_loss is None:
            self._gathered.append(self._batch_loss)
        is_well = all(map(math.isfinite, self._gathered))
        if is_well and is_between_updates(self.model.optimizer):
            return
        super()._record(values)
        self.losses.append(self._loss())
        self._gathered = []
        self.stop_reason = self._stop_rule.reason(self.losses)
        if self.stop_reason is None and len(self.lrs) == len(self.schedule[LEARNING_RATE]):
            self.stop_reason = "completed"
        if self.stop_reason is not None:
            self.model.stop_training = True

    def on_train_begin(self, logs: Any = None) -> None:
        self.restore()
        self._has_last_word = False
        self.lrs, self.losses, self.stop_reason, self.schedule = [], [], None, {}
        self._stop_rule = StopRule(self.stopping_criterion_factor)
        if self.validation_data is not None:
            self._validation_loss = ValidationLoss(
                self.validation_data,
                num_batches=self.validation_sample_rate,
                batch_size=self.batch_size or 32,
            )
        super().on_train_begin(logs)
        self._refuse_several_steps()
        self._begin_afresh()

    def on_train_end(self, logs: Any = None) -> None:
        _ = self.model
        self._bring_back()  # and once more when the callbacks after this one have had their say
        if not self._has_last_word:
            self.restore()
        if self.save_dir is not None:
            self.save(self.save_dir)
        if prints(self.verbose, self.params.get("verbose", 1)):
            print(f"LRFinder: {self._summary()}")

    def _begin_afresh(self) -> None:
        if self.restore_after:
            self._snapshot = Snapshot(self.model)
            self._has_last_word = restore_last(self, self.restore)
        try:
            begin_afresh(self.model)
        except OnecycleError:
            self.restore()
            raise

    def _bring_back(self) -> None:
        if self._snapshot is not None:
            self._snapshot.restore()
        self.release()

    def _refuse_several_steps(self) -> None:
        """Stopping has to be possible after any step, and `fit` asks once an execution."""
        steps = self.model.steps_per_execution
        if steps != 1:
            self.release()
            raise TrainingError(
                f"a range test needs steps_per_execution=1 in compile; got {steps}."
            )

    def restore(self) -> None:
        """Bring the model back, also after a `fit` that raised. Idempotent."""
        self._bring_back()
        self._snapshot = None

    def _abandon(self) -> None:
        """Bring the model back before a refusal breaks `fit` off."""
        self.restore()

    def save(self, folder: str | Path) -> None:
        """Write `curve.csv`, `result.json` and `plot.png`.

        Raises:
            ResultError: when the folder can't be written.
        """
        write(Path(folder), self._curve, self.findings, self.lr_scale, self._told())

    def plot_schedule(
        self, clip_beginning: int | None = None, clip_endding: int | None = None
    ) -> Figure:
        """Return the plot of the test, for `savefig` or a notebook; shows and blocks nothing.

        Args:
            clip_beginning: leave out so many points at the start; the sign does not matter.
            clip_endding: leave out so many at the end; the sign does not matter.
        """
        return draw(self._curve, self.findings, self.lr_scale, clip_beginning, clip_endding)

    @classmethod
    def plot_schedule_from_dir(
        cls,
        directory: str | Path,
        clip_beginning: int | None = None,
        clip_endding: int | None = None,
    ) -> Figure | None:
        """Return the plot of a test saved by `save_dir`, or by keras-one-cycle.

        Where there is none, that is printed, and `None` returned, as keras-one-cycle does.

        Raises:
            ResultError: when what the folder holds is damaged, or of another kind.
        """
        if not is_there(directory):
            return None
        curve, scale, told = read(directory)
        return draw(curve, judged(curve, told), scale, clip_beginning, clip_endding)

    plot_schedule_from_file = plot_schedule_from_dir

    @classmethod
    def restore_schedule_from_dir(
        cls,
        directory: str | Path,
        clip_beginning: int | None = None,
        clip_endding: int | None = None,
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]] | tuple[None, None]:
        """Return losses and learning rates, in this order, of a test that was saved.

        By `save_dir`, or by keras-one-cycle, whose order this is. Where there is none, that is
        printed, and `(None, None)` returned.

        Raises:
            ResultError: when what the folder holds is damaged, or of another kind.
        """
        if not is_there(directory):
            return None, None
        curve, _, _ = read(directory)
        kept = slice(abs(clip_beginning or 0), len(curve.lrs) - abs(clip_endding or 0))
        return np.array(curve.losses[kept]), np.array(curve.lrs[kept])

    restore_schedule_from_file = restore_schedule_from_dir

    def _loss(self) -> float:
        if self._validation_loss is None:
            return sum(self._gathered) / len(self._gathered)
        instruments = self._attached()
        return self._validation_loss(self.model, lambda: instruments.test_loss)

    @property
    def _curve(self) -> Curve:
        return Curve(self.lrs, self.losses, "range test")

    def _told(self) -> dict[str, Any]:
        """Return what the suggestion is told beside the curve."""
        table = self.schedule.get(LEARNING_RATE)
        return {
            "floor": 0.0 if self.model is None else floor_of_compiled(self.model),
            "planned": (len(table), self.max_lr) if table else None,
            "stopped": self.stop_reason,
            "skip_begin": self.skip_begin,
            "skip_end": self.skip_end,
        }

    def _summary(self) -> str:
        found = self.findings.suggestion
        refusal = f"no suggestion ({found.verdict}): {found.reason}"
        return f"suggested max_lr {found}" if found.accepted else refusal

    def _facts(self) -> Facts:
        yield "learning rates", f"{self.min_lr:g} to {self.max_lr:g}, {self.lr_scale}"
        ended = self.stop_reason or "unfinished"
        yield "steps done", f"{len(self.lrs)}, {ended}" if self.lrs else "none yet"
        yield "max_lr", self.findings.suggestion if self.lrs else None

    def _picture(self) -> bytes | None:
        from onecycle_cli import plotting

        return plotting.png(self.plot_schedule()) if self.lrs else None
