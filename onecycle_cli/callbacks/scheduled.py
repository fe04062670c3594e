"""Any hyper-parameters of an optimizer, each by a table of its own."""

from __future__ import annotations

from collections.abc import Mapping

from onecycle_cli import schedules
from onecycle_cli.callbacks.scheduled_training import ScheduledTraining


class Scheduled(ScheduledTraining):
    """Train with hyper-parameters that change from step to step.

    For schedules that are not of `OneCycleLR`; it works where that does, and gives the stock
    optimizer back as that does. The tables span all epochs of `fit`, and go on at its
    `initial_epoch`.

    Args:
        tables: for each hyper-parameter a number, its first and last value, a value for each step,
            or a function that is given the number of steps and returns these. Names are
            `learning_rate`, `momentum` (`beta_1` for the Adam family), `weight_decay`, and those of
            `onecycle_cli.engine.steering.names.NUMBERS` that the optimizer has.
        num_samples: optional, and only needed when `fit` can't know: samples in the data set.
        batch_size: optional: samples in a batch.

    Attributes:
        history: the value of each in force at each step of this `fit`, as lists of floats.

    Raises:
        ValueError: when there are no tables; in `fit`, when one has not a value for each step.
        OptimizerError: in `fit`, when the optimizer has no such hyper-parameter.

    Example:
        >>> decay = lambda steps: [0.1 * 0.99**i for i in range(steps)]
        >>> model.fit(x, y, callbacks=[Scheduled({"learning_rate": decay, "beta_2": (0.9, 0.999)})])
    """

    def __init__(
        self,
        tables: Mapping[str, schedules.Values],
        num_samples: int | None = None,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(num_samples, batch_size)
        if not tables:
            raise ValueError("Scheduled needs tables such as {'beta_2': (0.9, 0.999)}; got none.")
        self.tables = dict(tables)
        self.history: dict[str, list[float]] = {}

    def names(self) -> tuple[str, ...]:
        """Return the hyper-parameters that are scheduled."""
        return tuple(self.tables)

    def plan(self, epochs: int) -> None:
        """Compute the tables for all epochs of `fit`, and begin where `fit` does."""
        num_steps = self.begin_where_fit_does(epochs)
        self.schedule = {
            name: schedules.table_of(values, num_steps, name)
            for name, values in self.tables.items()
        }
        self.history = {name: [] for name in self.schedule}

    def values_at(self, step: int) -> Mapping[str, float]:
        """Return the values of a step; past the end, the last ones."""
        return {name: schedules.at(table, step, table[-1]) for name, table in self.schedule.items()}

    def record(self, values: Mapping[str, float]) -> None:
        """Append what was in force to `history`."""
        for name, value in values.items():
            self.history[name].append(value)
