"""The tables of a training run, as they grow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.runs import files

NOT_HISTORY = ("step", "loss", "epoch", "cycle")
"""The columns of `steps.csv` that do not come from a cycle's history."""

_COUNTED = ("step", "epoch", "cycle")
_FIRST = ("step", "lr", "momentum", "loss", "epoch", "cycle")


@dataclass(frozen=True)
class Epoch:
    """One epoch, as `history.csv` has it.

    Attributes:
        epoch: counted from 1 through all cycles.
        cycle: counted from 1.
        loss: mean of the epoch's recorded losses.
        val_loss: mean data loss on the validation split.
        val_accuracy: share of right classes there; `None` for regression.
    """

    epoch: int
    cycle: int
    loss: float
    val_loss: float
    val_accuracy: float | None

    @property
    def merit(self) -> float:
        """What the best epoch has most of: accuracy, or else the least loss."""
        merit = -self.val_loss if self.val_accuracy is None else self.val_accuracy
        return merit if np.isfinite(merit) else -np.inf


@dataclass
class Logbook:
    """Every step and every epoch.

    Attributes:
        steps: columns of `steps.csv` by name, all of the same length.
        epochs: rows of `history.csv`.
    """

    steps: dict[str, list[Any]] = field(default_factory=dict)
    epochs: list[Epoch] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.steps.get("step", []))

    def enter(self, recorded: Mapping[str, Sequence[float]], *, epoch: int, cycle: int) -> None:
        """Append steps, given as columns of values; `epoch` and `cycle` say where they belong."""
        count = len(next(iter(recorded.values())))
        first = len(self)
        columns = {
            "step": range(first, first + count),
            **recorded,
            "epoch": [epoch] * count,
            "cycle": [cycle] * count,
        }
        for name in dict.fromkeys([*(n for n in _FIRST if n in columns), *columns]):
            values = columns[name]
            self.steps.setdefault(name, []).extend(values)

    def of_cycle(self, cycle: int) -> dict[str, list[Any]]:
        """Return the steps of one cycle, as columns."""
        rows = [i for i, c in enumerate(self.steps.get("cycle", [])) if c == cycle]
        return {name: [values[i] for i in rows] for name, values in self.steps.items()}

    def write(self, folder: Path) -> None:
        """Write `steps.csv` and `history.csv`, each whole or not at all.

        Raises:
            ResultError: when they can't be written.
        """
        steps = zip(*self.steps.values(), strict=True)
        files.write_csv(folder / "steps.csv", list(self.steps), steps)
        names = list(Epoch.__dataclass_fields__)
        rows = ([getattr(epoch, name) for name in names] for epoch in self.epochs)
        files.write_csv(folder / "history.csv", names, rows)

    def as_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the steps as arrays by column."""
        return {
            name: np.array(values, np.int64 if name in _COUNTED else np.float64)
            for name, values in self.steps.items()
        }

    def epochs_as_lists(self) -> list[dict[str, Any]]:
        """Return the epochs as plain data."""
        return [asdict(epoch) for epoch in self.epochs]

    @classmethod
    def restored(
        cls, steps: Mapping[str, NDArray[Any]], epochs: Sequence[Mapping[str, Any]]
    ) -> Logbook:
        """Return the logbook that `as_arrays` and `epochs_as_lists` were taken of."""
        columns = {name: values.tolist() for name, values in steps.items()}
        return cls(columns, [Epoch(**epoch) for epoch in epochs])
