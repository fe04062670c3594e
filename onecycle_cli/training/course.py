"""How far a training has come, and the cycle that it is in."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from onecycle_cli.callbacks.divergence import Divergence
from onecycle_cli.callbacks.recorded_cycle import RecordedCycle
from onecycle_cli.runs.log import Epoch, Logbook
from onecycle_cli.training.plan import Plan, cycle_of
from onecycle_cli.workbench.bench import Workbench


class Course:
    """Where a training is in its cycles, and what has come of it.

    Args:
        bench: the model and its data.
        plan: what to train with.

    Attributes:
        log: every step and epoch so far.
        epochs: of each cycle, as planned.
        number: of the present cycle, from 1; one more than there are when all are done.
        first: the place in the log of its first step.
        cycle: carries it out.
        factor: what its learning rate is multiplied by, after divergences.
        retries: how often the training has gone back after a divergence.
        events: what happened that was not planned, as plain data.
        ended: why the training ends before its time: `"interrupted"` or `"early"`.
        best_since: how many epochs at the start can't be the best, because their model is lost.
        seconds_before: that the training took before this sitting.
    """

    def __init__(self, bench: Workbench, plan: Plan) -> None:
        self.bench, self.plan = bench, plan
        self.settings = bench.config.train
        self._chance = bench.chance
        self.log = Logbook()
        self.epochs = [cycle.epochs for cycle in self.settings.cycles]
        self.number, self.first = 1, 0
        self.factor, self.retries = 1.0, 0
        self.events: list[dict[str, Any]] = []
        self.ended: str | None = None
        self.best_since = 0
        self.seconds_before, self._started = 0.0, time.perf_counter()
        self.begin_cycle()

    @property
    def seconds(self) -> float:
        """The time that the training took so far, in all its sittings."""
        return self.seconds_before + time.perf_counter() - self._started

    @property
    def best(self) -> Epoch | None:
        """The epoch whose model is kept as the best; `None` where nothing is validated on."""
        epochs = self.log.epochs[self.best_since :] if self.bench.dataset.validates else []
        return max(epochs, key=lambda epoch: epoch.merit, default=None)

    @property
    def max_lr(self) -> float:
        """The highest learning rate of the present cycle, as planned."""
        return self.plan.max_lrs[self.number - 1]

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to train."""
        return self.ended is not None or self.number > len(self.epochs)

    @property
    def is_at_epoch_end(self) -> bool:
        """Whether the step just done is the last one of an epoch, or of the cycle."""
        cycle = self.cycle
        return not cycle.steps_to_go or not cycle.steps_done % self.bench.steps_per_epoch

    def begin_sitting(self) -> None:
        """Start the clock."""
        self._started = time.perf_counter()

    def begin_cycle(self) -> None:
        """Go by the whole schedule of the present cycle, as planned."""
        cycle = self._new_cycle()
        steps = self.epochs[self.number - 1] * self.bench.steps_per_epoch
        cycle.go_on(cycle.tabulated(steps), first=self.first)
        self.cycle = cycle

    def begin_next_cycle(self) -> None:
        """Go on to the next cycle, if there is one."""
        self.number, self.first, self.factor = self.number + 1, len(self.log), 1.0
        if not self.is_over:
            self.begin_cycle()

    def take_up_cycle(self, schedule: Mapping[str, list[float]], watched_from: int) -> None:
        """Go by a schedule of which some steps are in the log already; see `RecordedCycle`."""
        self.cycle = self._new_cycle()
        self.cycle.go_on(schedule, first=self.first, watched_from=watched_from)

    def _new_cycle(self) -> RecordedCycle:
        return cycle_of(
            self.bench,
            self.max_lr,
            self.plan.momentum,
            self.plan.weight_decay,
            divergence=Divergence(self._chance) if self.settings.retries else None,
            log=self.log,
            number=self.number,
        )
