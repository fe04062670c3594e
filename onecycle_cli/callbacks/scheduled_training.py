"""Named schedules applied to named hyper-parameters, step by step, and what came of it."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import keras
import numpy as np

from onecycle_cli.engine.instruments import Instruments
from onecycle_cli.errors import OnecycleError, TrainingError


class ScheduledTraining(keras.callbacks.Callback):
    """Set hyper-parameters before each batch, and read the batch's own loss after it.

    A range test and a 1cycle run are this, with different schedules.

    Attributes:
        step: how many steps of the schedule are done.
        first_epoch: the epoch that this `fit` began with: 0, or its `initial_epoch`.
    """

    verbose = True
    usage = ""

    def __init__(self, num_samples: int | None, batch_size: int | None) -> None:
        super().__init__()
        self._check_count("num_samples", num_samples)
        self._check_count("batch_size", batch_size)
        self.num_samples = num_samples
        self.batch_size = batch_size
        self.step = 0
        self.first_epoch = 0
        self._instruments: Instruments | None = None
        self._rows: list[dict[str, float]] = []
        self._loss_in_execution: float | None = None
        self._last_row: Mapping[str, float] = {}
        self._epoch_begins = False

    def names(self) -> tuple[str, ...]:
        """Return the hyper-parameters that are scheduled."""
        raise NotImplementedError

    def plan(self, epochs: int) -> None:
        """Prepare the schedules for a `fit` that has so many epochs to go."""
        raise NotImplementedError

    def values_at(self, step: int) -> Mapping[str, float]:
        """Return what the hyper-parameters shall be at a step of the schedule, from 0."""
        raise NotImplementedError

    def record(self, values: Mapping[str, float]) -> None:
        """Take note of the values that the step just done was run with."""
        raise NotImplementedError

    @property
    def may_print(self) -> bool:
        """Whether this callback and `fit` were both left verbose."""
        return bool(self.verbose and self.params.get("verbose", 1))

    @property
    def batch_loss(self) -> float:
        """The data loss of the batch that is recorded, before its update and without penalties."""
        if self._loss_in_execution is not None:
            return self._loss_in_execution
        _ = self.model  # on JAX, brings the variables up to date
        return self._attached().batch_loss

    @property
    def has_seen_enough(self) -> bool:
        """Whether what else an execution of several steps has done is of no interest."""
        return False

    @property
    def measures_gradients(self) -> bool:
        """Whether `take_gradient_norm` has anything to say: another owner has asked for it."""
        return self._attached().measures_gradients

    def take_gradient_norm(self) -> float:
        """Return the norm of the last step's gradient, once; see `optimizers.GradientNorm`."""
        _ = self.model  # on JAX, brings the variables up to date
        return self._attached().take_gradient_norm()

    def on_train_begin(self, logs: Any = None) -> None:
        self.release()
        self.step = 0
        self._instruments = Instruments.attach(self.model, self.names(), owner=self)
        self._planned = False
        self._last_row = {}

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if not self._planned:
            self.first_epoch = epoch
            self.plan(self.params["epochs"] - epoch)
            self._planned = True
        self._epoch_begins = True

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        _ = self.model  # on JAX, brings the variables up to date
        count = self._attached().steps_per_execution
        self._rows = [dict(self.values_at(self.step + i)) for i in range(count)]
        with self._stock_after_refusal():
            self._warn_of_others()
            self._attached().load(self._rows)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        _ = self.model  # on JAX, brings the variables up to date
        one_by_one = len(self._rows) == 1
        losses = [None] if one_by_one else self._attached().losses()
        with self._stock_after_refusal():
            self._attached().check(self._rows[len(losses) - 1])
        self._last_row = self._rows[len(losses) - 1]
        for values, loss in zip(self._rows, losses, strict=False):  # the last one may be cut short
            if not self.has_seen_enough:
                self._note(values, loss)
        self._loss_in_execution = None

    def _note(self, values: Mapping[str, float], loss: float | None) -> None:
        self._loss_in_execution = loss
        self.step += 1
        self.record(values)

    def on_train_end(self, logs: Any = None) -> None:
        try:
            if self._last_row and self._instruments is not None:
                self._instruments.check_at_end()
        finally:
            self.release()

    def release(self) -> None:
        """Give the optimizer back as a stock one, also after a `fit` that broke off. Idempotent."""
        if self._instruments is not None:
            self._instruments.release(owner=self)
            self._instruments = None

    def abandon(self) -> None:
        """Leave the model as at the end of `fit`, which is about to be broken off."""
        self.release()

    def _warn_of_others(self) -> None:
        """Say so when something sets the same between epochs: it is overruled before each step."""
        if not self._epoch_begins:
            return
        self._epoch_begins = False
        for name, held in self._attached().differing(self._last_row).items():
            warnings.warn(
                f"something else has set {name} to {held:.6g} between two epochs, which has no "
                f"effect: {type(self).__name__} sets it before each step; remove the other "
                f"callback or schedule.",
                stacklevel=2,
            )

    @contextlib.contextmanager
    def _stock_after_refusal(self) -> Iterator[None]:
        try:
            yield
        except OnecycleError:
            self.abandon()
            raise

    def begin_where_fit_does(self, epochs: int) -> int:
        """Put `step` at the initial epoch of `fit`; return the steps that all its epochs have.

        Args:
            epochs: how many this `fit` has to go.
        """
        per_epoch = self.steps_per_epoch()
        self.step = self.first_epoch * per_epoch
        return self.step + epochs * per_epoch

    def steps_per_epoch(self) -> int:
        """Return the batches of an epoch: what `fit` says, else what the counts say.

        Raises:
            TrainingError: when neither is known.
        """
        counted = None
        if self.num_samples and self.batch_size:
            counted = math.ceil(self.num_samples / self.batch_size)
        true = self.params.get("steps")
        if true is None and counted is None:
            raise TrainingError(
                f"the number of batches of this data set is unknown; pass steps_per_epoch to fit, "
                f"or num_samples and batch_size to {type(self).__name__}."
            )
        if true is not None and counted is not None and not self._agrees(true):
            warnings.warn(
                f"{type(self).__name__} was told num_samples={self.num_samples} and "
                f"batch_size={self.batch_size}, {counted} batches an epoch, but fit runs {true}; "
                f"going by fit.",
                stacklevel=2,
            )
        return int(true if true is not None else counted)  # type: ignore[arg-type]

    def _agrees(self, steps: int) -> bool:
        """Tell whether the counts say as much, with a smaller last batch or without it."""
        batches = self.num_samples / self.batch_size  # type: ignore[operator]
        return steps in (math.floor(batches), math.ceil(batches))

    def _check_count(self, name: str, count: Any) -> None:
        """Refuse what is no count: most often an argument in a place that is another one's."""
        if count is None or (isinstance(count, int | np.integer) and count >= 1):
            return
        if isinstance(count, float) and count >= 1 and count.is_integer():
            return
        raise ValueError(
            f"{name} must be a whole number of at least 1, or left out; got {count!r}. The first "
            f"arguments of {type(self).__name__} are counts; pass the others by their names, as in "
            f"{self.usage}."
        )

    def _attached(self) -> Instruments:
        if self._instruments is None:
            raise TrainingError(f"{type(self).__name__} works inside fit only.")
        return self._instruments
