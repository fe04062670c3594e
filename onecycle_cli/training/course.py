"""How far a training has come, and the cycle that it is in."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onecycle_cli import schedules
from onecycle_cli.callbacks.divergence import Divergence
from onecycle_cli.callbacks.recorded_cycle import RecordedCycle
from onecycle_cli.engine.steering.names import LEARNING_RATE
from onecycle_cli.runs.log import Epoch, Logbook
from onecycle_cli.training.plan import Plan, cycle_of
from onecycle_cli.workbench.bench import Workbench


class Course:
    """Where a training is in its cycles, and what has come of it.

    Args:
        bench: the model and its data.
        plan: what to train with.
        folder: of its log's tables; `None`: nothing is written.

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

    def __init__(self, bench: Workbench, plan: Plan, folder: Path | None = None) -> None:
        self.bench, self.plan = bench, plan
        self.settings = bench.config.train
        self._chance = bench.chance
        self.log = Logbook(folder)
        self.epochs = [cycle.epochs for cycle in self.settings.cycles]
        self.number, self.first = 1, 0
        self.factor, self.retries = 1.0, 0
        self.events: list[dict[str, Any]] = []
        self.ended: str | None = None
        self.best_since = 0
        self.seconds_before, self._started = 0.0, time.perf_counter()
        self._at_hand: tuple[tuple[int, int], Mapping[str, list[float]]] = ((0, 0), {})
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
        steps = self.epochs[self.number - 1] * self.bench.steps_per_epoch
        self.take_up_cycle({"steps": steps, "changes": []}, watched_from=0)

    def begin_next_cycle(self) -> None:
        """Go on to the next cycle, if there is one."""
        self.number, self.first, self.factor = self.number + 1, len(self.log), 1.0
        if not self.is_over:
            self.begin_cycle()

    @property
    def schedule(self) -> dict[str, Any]:
        """What the present cycle's schedule is made from, as plain data of a few numbers."""
        return {"steps": self._planned_steps, "changes": list(self._changes)}

    def take_up_cycle(self, schedule: Mapping[str, Any], watched_from: int) -> None:
        """Go by a schedule of which some steps may be in the log already.

        Args:
            schedule: as the property.
            watched_from: see `RecordedCycle`.
        """
        self.cycle = self._new_cycle()
        self._planned_steps, self._changes = schedule["steps"], list(schedule["changes"])
        tables = self._as_planned(self._planned_steps)
        for change in self._changes:
            tables = _changed(tables, *change)
        self.cycle.go_on(tables, first=self.first, watched_from=watched_from)

    def _as_planned(self, steps: int) -> Mapping[str, list[float]]:
        """Return the whole schedule of the present cycle; the last one asked for is at hand."""
        asked = (self.number, steps)
        if self._at_hand[0] != asked:
            self._at_hand = asked, self.cycle.tabulated(steps)
        return self._at_hand[1]

    def change_schedule(self, change: str, done: int, *numbers: float) -> None:
        """Change what remains of the present cycle's schedule.

        Args:
            change: `"scale"`, or one of `schedules.POLICIES`.
            done: how many of its steps stay as they are.
            *numbers: what the learning rates are multiplied and divided by, or else how many steps
                the cycle is to have.
        """
        self._changes.append([change, done, *numbers])
        self.cycle.reschedule(_changed(self.cycle.schedule, change, done, *numbers))

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


def _changed(
    tables: Mapping[str, list[float]], change: str, done: int, *numbers: Any
) -> dict[str, list[float]]:
    if change == "scale":
        times, by = numbers
        rates = tables[LEARNING_RATE]
        return {**tables, LEARNING_RATE: schedules.scaled(rates, done, times, by)}
    policy = schedules.POLICIES[change]
    return {name: policy(table, done, *numbers) for name, table in tables.items()}
