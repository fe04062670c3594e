"""The numbers of a training as trackers take them, each once and in one order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from onecycle_cli.runs.files import Table
from onecycle_cli.runs.log import Logbook

STEP, EPOCH = "step", "epoch"
"""What numbers are counted by, and the first part of their names: `step/loss`, `epoch/val_loss`."""

_PLACES = (STEP, EPOCH, "cycle")


@dataclass(frozen=True)
class Row:
    """What a tracker is told of one step, or of one epoch.

    Attributes:
        axis: `STEP` or `EPOCH`.
        at: which one; steps are counted from 0 and epochs from 1, as in the tables.
        values: by name; those that are missing or not finite are left out.
    """

    axis: str
    at: int
    values: dict[str, float]


@dataclass(frozen=True)
class Place:
    """How far into a log a tracker is.

    Attributes:
        steps: that it has been told of.
        epochs: that it has been told of.
        times_back: how often the log had gone back by then.
    """

    steps: int = 0
    epochs: int = 0
    times_back: int = 0

    @property
    def told(self) -> tuple[int, int]:
        """The steps and the epochs."""
        return self.steps, self.epochs

    @classmethod
    def at_end_of(cls, log: Logbook) -> Place:
        """Return the place behind all that a log holds."""
        return cls(len(log), len(log.epochs), len(log.went_back_to))

    def still_in(self, log: Logbook) -> Place:
        """Return how far into a log this place is, now that it may have gone back since."""
        since = log.went_back_to[self.times_back :]
        return Place(
            min([self.steps, *(steps for steps, _ in since)]),
            min([self.epochs, *(epochs for _, epochs in since)]),
            len(log.went_back_to),
        )


def new_rows(log: Logbook, since: Place) -> Iterator[Row]:
    """Yield what a log holds behind a place, and what came instead of what it has forgotten."""
    since = since.still_in(log)
    tables = log.tables(since.steps)
    return rows(tables["steps"], tables["history"], first_epoch=since.epochs)


def rows(steps: Table, epochs: Table, *, first_epoch: int = 0) -> Iterator[Row]:
    """Yield the steps, and each epoch between its last step and the next one.

    Args:
        steps: columns of `steps.csv`, from any step on.
        epochs: columns of `history.csv`.
        first_epoch: how many epochs are left out.
    """
    over, next_over = list(epochs.get(EPOCH, ())), first_epoch
    for i, step in enumerate(steps.get(STEP, ())):
        while next_over < len(over) and over[next_over] < steps[EPOCH][i]:
            yield Row(EPOCH, int(over[next_over]), _values(EPOCH, epochs, next_over))
            next_over += 1
        yield Row(STEP, int(step), _values(STEP, steps, i))
    for i in range(next_over, len(over)):
        yield Row(EPOCH, int(over[i]), _values(EPOCH, epochs, i))


def _values(axis: str, table: Table, row: int) -> dict[str, float]:
    return {
        f"{axis}/{name}": column[row]
        for name, column in table.items()
        if name not in _PLACES and is_number(column[row])
    }


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number."""
    return isinstance(value, int | float) and math.isfinite(value)
