"""A schedule: a table of values, one for each step, applied to a named hyper-parameter."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sized
from typing import Any

import keras

from onecycle_cli import schedules
from onecycle_cli.callbacks import counts
from onecycle_cli.engine.instruments import Instruments
from onecycle_cli.engine.steering.names import LEARNING_RATE, MOMENTUM
from onecycle_cli.errors import ArgumentError, OnecycleError, TrainingError
from onecycle_cli.shown import Facts, Shown


class Scheduled(Shown, keras.callbacks.Callback):
    """Train with hyper-parameters that change from step to step.

    `OneCycleLR` and `LRFinder` are this, with tables of their own. It works where those do, and
    gives the stock optimizer back as those do. The tables span all epochs of `fit`, and go on at
    its `initial_epoch`.

    Args:
        tables: for each hyper-parameter a number, its first and last value, a value for each step,
            or a function that is given the number of steps and returns these. Names are
            `learning_rate`, `momentum` (`beta_1` for the Adam family), `weight_decay`, and those of
            `onecycle_cli.engine.steering.names.NUMBERS` that the optimizer has.
        num_samples: optional, and only needed when `fit` can't know: samples in the data set.
        batch_size: optional: samples in a batch.

    Attributes:
        history: the value of each at each step of this `fit`, as lists of floats.
        schedule: the whole tables of this `fit`, by hyper-parameter.
        step: how many steps of them are done.

    Raises:
        ValueError: when there are no tables; in `fit`, when one has not a value for each step.
        OptimizerError: in `fit`, when the optimizer has no such hyper-parameter.

    Example:
        >>> decay = lambda steps: [0.1 * 0.99**i for i in range(steps)]
        >>> scheduled = Scheduled({"learning_rate": decay, "beta_2": (0.9, 0.999)})
        >>> _ = model.fit(x, y, verbose=0, callbacks=[scheduled])
        >>> print(*scheduled.history["learning_rate"])
        0.1 0.099
    """

    _usage = ""
    """How it is called, where its first arguments are counts that need not be given."""

    _columns: Mapping[str, str] = {}
    """What `history` calls a hyper-parameter, where not by its name."""

    def __init__(
        self,
        tables: Mapping[str, schedules.Values],
        num_samples: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        super().__init__()
        self._check_count("num_samples", num_samples)
        self._check_count("batch_size", batch_size)
        if not tables:
            raise ArgumentError(
                "Scheduled needs tables such as {'beta_2': (0.9, 0.999)}; got none."
            )
        self.tables = dict(tables)
        self.num_samples = num_samples
        self.batch_size = batch_size
        self.step = 0
        self.schedule: dict[str, list[float]] = {}
        self.history: dict[str, list[float]] = {}
        self._first_epoch = 0
        self._per_epoch = 0
        self._instruments: Instruments | None = None
        self._rows: list[dict[str, float]] = []
        self._loss_in_execution: float | None = None
        self._last_row: Mapping[str, float] = {}
        self._epoch_begins = False
        self._planned = False

    # --- the tables ---------------------------------------------------------------------------

    def _names(self) -> tuple[str, ...]:
        """Return the hyper-parameters that are set."""
        return tuple(self.tables)

    def _begin(self, epochs: int) -> int:
        """Put `step` where a `fit` with so many epochs to go begins; return the tables' steps."""
        self._per_epoch = self._steps_per_epoch()
        self.step = self._first_epoch * self._per_epoch
        return self.step + epochs * self._per_epoch

    def _tabulated(self, num_steps: int) -> dict[str, list[float]]:
        """Return the value of each of so many steps, by hyper-parameter."""
        return {
            name: schedules.table_of(values, num_steps, name)
            for name, values in self.tables.items()
        }

    def _plan(self, epochs: int) -> None:
        """Compute the tables of a `fit` that has so many epochs to go."""
        self.schedule = self._tabulated(self._begin(epochs))
        self.history = {self._columns.get(name, name): [] for name in self.schedule}

    def _values_at(self, step: int) -> Mapping[str, float]:
        """Return what the hyper-parameters shall be at a step of the schedule, from 0."""
        return {
            name: schedules.at(table, step, self._after(name, table))
            for name, table in self.schedule.items()
        }

    def _after(self, name: str, table: list[float]) -> float:
        """Return what a hyper-parameter shall be past the end of its table."""
        return table[-1]

    def _record(self, values: Mapping[str, float]) -> None:
        """Append the values that the step just done was run with to `history`."""
        for name in self.schedule:
            self.history.setdefault(self._columns.get(name, name), []).append(values[name])

    # --- the hooks of Keras -------------------------------------------------------------------

    def on_train_begin(self, logs: Any = None) -> None:
        self.release()
        self.step = 0
        self._instruments = Instruments.attach(self.model, self._names(), owner=self)
        self._planned = False
        self._last_row = {}

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        if not self._planned:
            self._first_epoch = epoch
            self._plan(self.params["epochs"] - epoch)
            self._planned = True
        self._epoch_begins = True

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        _ = self.model  # on JAX, brings the variables up to date
        steps = self.params.get("steps")
        count = self._attached().steps_to_come(None if steps is None else steps - batch)
        self._rows = [dict(self._values_at(self.step + i)) for i in range(count)]
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
            if not self._has_seen_enough:
                self._note(values, loss)
        self._loss_in_execution = None

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

    # --- a step -------------------------------------------------------------------------------

    @property
    def _batch_loss(self) -> float:
        """The data loss of the batch that is recorded, before its update and without penalties."""
        if self._loss_in_execution is not None:
            return self._loss_in_execution
        _ = self.model  # on JAX, brings the variables up to date
        return self._attached().batch_loss

    @property
    def _has_seen_enough(self) -> bool:
        """Whether what else an execution of several steps has done is of no interest."""
        return False

    def _note(self, values: Mapping[str, float], loss: float | None) -> None:
        self._loss_in_execution = loss
        self.step += 1
        self._record(values)

    def _abandon(self) -> None:
        """Leave the model as at the end of `fit`, which is about to be broken off."""
        self.release()

    @contextlib.contextmanager
    def _stock_after_refusal(self) -> Iterator[None]:
        try:
            yield
        except OnecycleError:
            self._abandon()
            raise

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

    def _check_count(self, name: str, count: Any) -> None:
        hint = (
            f" The first arguments of {type(self).__name__} are counts; pass the others by their "
            f"names, as in {self._usage}."
        )
        counts.check_count(name, count, hint if self._usage else "")

    def _steps_per_epoch(self) -> int:
        return counts.steps_per_epoch(
            self.params.get("steps"), self.num_samples, self.batch_size, told=type(self).__name__
        )

    def _attached(self) -> Instruments:
        if self._instruments is None:
            raise TrainingError(f"{type(self).__name__} works inside fit only.")
        return self._instruments

    # --- how it is shown ----------------------------------------------------------------------

    def _facts(self) -> Facts:
        yield from ((name, in_words(values)) for name, values in self.tables.items())
        yield "steps done", self._progress()

    def _progress(self) -> str:
        lengths = {len(table) for table in self.schedule.values()}
        return f"{self.step} of {max(lengths)}" if lengths else "none yet"

    def _picture(self) -> bytes | None:
        from onecycle_cli import plotting

        rates = self.schedule.get(LEARNING_RATE)
        if not rates:
            return None
        momenta, title = self.schedule.get(MOMENTUM), type(self).__name__
        return plotting.png(plotting.draw_schedule(rates, momenta, title=title))


def in_words(values: schedules.Values) -> str:
    """Return what a table is made of."""
    if callable(values):
        return "a function of the number of steps"
    if not isinstance(values, Sized):
        return f"{values:g}"
    if len(values) == 2:
        return f"{values[0]:g} to {values[1]:g}"
    return f"{len(values)} values"
