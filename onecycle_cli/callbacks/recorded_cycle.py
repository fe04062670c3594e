"""A 1cycle run whose every step is written down."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from onecycle_cli.callbacks.divergence import StopRule
from onecycle_cli.callbacks.one_cycle_lr import OneCycleLR
from onecycle_cli.engine.steering.names import L2, LEARNING_RATE, MOMENTUM, WEIGHT_DECAY
from onecycle_cli.runs.log import Logbook


class RecordedCycle(OneCycleLR):
    """`OneCycleLR` with other hyper-parameters held constant, a log of its steps, and a stop rule.

    Args:
        constants: values for the whole run, such as `{"l2": 1e-4}`.
        divergence: end `fit` when it is found; `None`: only when a loss is not finite.
        log: where each step is written; a log of its own if not given.
        number: of the cycle in the log, from 1.
        **cycle: arguments of `OneCycleLR`.

    Attributes:
        log: the steps so far: `lr`, `momentum` and `loss`, the data loss of the batch before its
            update and without penalties; `weight_decay`, of either kind, if it is a constant; and
            `grad_norm` if the model's instruments measure it, see `optimizers.GradientNorm`.
        history: the columns of the log.
        first: the place in the log of this cycle's first step.
        stop_reason: `"diverged"`, `"non_finite"`, or `None`.
        watched_from: the step since which the losses have been watched for a divergence.
    """

    def __init__(
        self,
        *,
        constants: Mapping[str, float],
        divergence: StopRule | None = None,
        log: Logbook | None = None,
        number: int = 1,
        **cycle: Any,
    ) -> None:
        super().__init__(verbose=False, **cycle)
        self.constants = dict(constants)
        self.divergence = divergence
        self.log = Logbook() if log is None else log
        self.history = self.log.steps  # type: ignore[assignment]
        self.first = len(self.log)
        self.stop_reason: str | None = None
        self.watched_from = 0
        self._number = number
        self._ends_with_schedule = False

    def go_on(
        self, schedule: Mapping[str, list[float]], *, first: int, watched_from: int = 0
    ) -> None:
        """Take a cycle up after its steps in the log, in as many calls of `fit` as it takes.

        Args:
            schedule: the value of each step of the whole cycle, by hyper-parameter.
            first: as the attribute.
            watched_from: as the attribute.
        """
        self.reschedule(schedule)
        self.first, self.watched_from = first, watched_from
        if self.divergence is not None:
            watched = first + watched_from
            self.divergence.follow(self.log.losses[:watched])
            self.divergence.start_afresh()
            self.divergence.follow(self.log.losses[watched:])

    @property
    def steps_done(self) -> int:
        """How many of its steps are in the log."""
        return len(self.log) - self.first

    def watch_from_here(self) -> None:
        """Look for a divergence in the losses to come only."""
        self.watched_from = self.steps_done
        if self.divergence is not None:
            self.divergence.start_afresh()

    def reschedule(self, schedule: Mapping[str, list[float]]) -> None:
        """Go by other tables from the next step on, and end `fit` where they end."""
        self.schedule = {name: list(values) for name, values in schedule.items()}
        self._ends_with_schedule = True

    @property
    def steps_to_go(self) -> int:
        """How many steps the schedule still has."""
        return max(0, len(self.schedule[LEARNING_RATE]) - self.steps_done)

    def tabulated(self, num_steps: int) -> dict[str, list[float]]:
        """Return the schedules of a cycle of so many steps, by hyper-parameter."""
        return self._tabulated(num_steps)

    @property
    def _has_seen_enough(self) -> bool:
        """Whether it has gone wrong."""
        return self.stop_reason is not None

    def _names(self) -> tuple[str, ...]:
        """Return the hyper-parameters that are set."""
        return (*super()._names(), *self.constants)

    def _plan(self, epochs: int) -> None:
        """Compute the schedules, unless the cycle goes by tables that it was given."""
        if not self._ends_with_schedule:
            super()._plan(epochs)
            self.history = self.log.steps  # type: ignore[assignment]

    def _values_at(self, step: int) -> Mapping[str, float]:
        """Return the values of a step."""
        return {**super()._values_at(step), **self.constants}

    def on_train_begin(self, logs: Any = None) -> None:
        super().on_train_begin(logs)
        self.step, self.stop_reason = self.steps_done, None

    def _record(self, values: Mapping[str, float]) -> None:
        """Log the step, and end `fit` when it has gone wrong or the schedule has ended."""
        self.log.enter(self._row(values), cycle=self._number)
        self.stop_reason = self.stop_reason or self._what_is_wrong(self.log.losses[-1])
        is_over = self._ends_with_schedule and not self.steps_to_go
        if self.stop_reason is not None or is_over:
            self.model.stop_training = True

    def _what_is_wrong(self, loss: float) -> str | None:
        if not math.isfinite(loss):
            return "non_finite"
        if self.divergence is None:
            return None
        self.divergence.follow([loss])
        return "diverged" if self.divergence.found else None

    def _row(self, values: Mapping[str, float]) -> dict[str, float]:
        row = {"lr": values[LEARNING_RATE]}
        row |= {name: values[name] for name in (MOMENTUM, *self.also) if name in values}
        decays = [values[name] for name in (L2, WEIGHT_DECAY) if name in values]
        if decays:
            row["weight_decay"] = sum(decays)
        if self._attached().measures_gradients:
            _ = self.model  # on JAX, brings the variables up to date
            row["grad_norm"] = self._attached().take_gradient_norm()
        return row | {"loss": self._batch_loss}
