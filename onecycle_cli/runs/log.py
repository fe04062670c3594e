"""The one log of the steps and epochs of a training, which its files are made from."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.runs import records

_COUNTED = ("step", "epoch", "cycle")
_FIRST = ("step", "lr", "momentum", "loss", "epoch", "cycle")


@dataclass(frozen=True)
class Epoch:
    """One epoch, as `history.csv` has it.

    Attributes:
        epoch: counted from 1 through all cycles.
        cycle: counted from 1.
        loss: mean of the epoch's recorded losses.
        val_loss: mean data loss on the validation split; `None` where there is none.
        val_accuracy: share of right classes or labels there; `None` for regression.
        scores: further measures there, such as `auc` or `r2`; columns `val_auc` and so on.
    """

    epoch: int
    cycle: int
    loss: float
    val_loss: float | None = None
    val_accuracy: float | None = None
    scores: dict[str, float] = field(default_factory=dict)

    @property
    def merit(self) -> float:
        """What the best epoch has most of: accuracy, or else the least loss."""
        loss = np.inf if self.val_loss is None else self.val_loss
        merit = -loss if self.val_accuracy is None else self.val_accuracy
        return merit if np.isfinite(merit) else -np.inf

    def __str__(self) -> str:
        text = f"epoch {self.epoch}: loss {self.loss:.4f}"
        if self.val_loss is not None:
            text += f", validation loss {self.val_loss:.4f}"
        if self.val_accuracy is not None:
            text += f", accuracy {self.val_accuracy:.2%}"
        return text


@dataclass
class Logbook:
    """Every step and every epoch, each written once.

    A step counts once its loss is there, which is written last: whatever breaks in, the columns
    that are read have the same length.

    Attributes:
        steps: columns of `steps.csv` by name.
        epochs: rows of `history.csv`.
    """

    steps: dict[str, list[Any]] = field(default_factory=dict)
    epochs: list[Epoch] = field(default_factory=list)
    _arrays: dict[str, NDArray[Any]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _told: list[dict[str, Any]] = field(default_factory=list, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.losses)

    @property
    def losses(self) -> list[float]:
        """The loss of each step."""
        return self.steps.get("loss", [])

    @property
    def lrs(self) -> list[float]:
        """The learning rate of each step."""
        return self.steps.get("lr", [])

    def enter(self, values: Mapping[str, float], *, cycle: int) -> None:
        """Append a step of the present epoch: what was in force, and its `loss`."""
        row = {"step": len(self), **values, "epoch": len(self.epochs) + 1, "cycle": cycle}
        if not self.steps:
            first = (name for name in _FIRST if name in row)
            self.steps.update({name: [] for name in dict.fromkeys([*first, *row])})
        loss = row.pop("loss")
        for name, value in row.items():
            self.steps[name].append(value)
        self.losses.append(loss)

    def end_epoch(
        self,
        *,
        cycle: int,
        val_loss: float | None = None,
        val_accuracy: float | None = None,
        scores: Mapping[str, float] | None = None,
    ) -> Epoch:
        """Append the present epoch, with the mean of its steps' losses."""
        number = len(self.epochs) + 1
        first = bisect.bisect_left(self.steps["epoch"], number)
        loss = float(np.mean(self.losses[first:]))
        self.epochs.append(Epoch(number, cycle, loss, val_loss, val_accuracy, dict(scores or {})))
        return self.epochs[-1]

    def tables(self) -> dict[str, dict[str, list[Any]]]:
        """Return the columns of `steps.csv` and `history.csv`, by the names of the files."""
        return {
            "steps": {name: values[: len(self)] for name, values in self.steps.items()},
            "history": {
                column.name: [getattr(epoch, column.name) for epoch in self.epochs]
                for column in fields(Epoch)
                if column.name != "scores"
            }
            | {
                f"val_{name}": [epoch.scores.get(name) for epoch in self.epochs]
                for name in dict.fromkeys(name for epoch in self.epochs for name in epoch.scores)
            },
        }

    def write(self, folder: Path) -> None:
        """Write `steps.csv` and `history.csv`, each whole or not at all.

        Raises:
            ResultError: when they can't be written.
        """
        records.write_tables(folder, self.tables())

    def as_arrays(self) -> dict[str, NDArray[Any]]:
        """Return the steps as arrays by column; only those that are new are converted."""
        for name, values in self.steps.items():
            before = self._arrays.get(name, np.empty(0, _type_of(name)))
            new = np.array(values[len(before) : len(self)], before.dtype)
            self._arrays[name] = np.concatenate([before, new])
        return dict(self._arrays)

    def epochs_as_lists(self) -> list[dict[str, Any]]:
        """Return the epochs as plain data, which is not to be changed."""
        self._told += [asdict(epoch) for epoch in self.epochs[len(self._told) :]]
        return list(self._told)

    @classmethod
    def restored(
        cls, steps: Mapping[str, NDArray[Any]], epochs: Sequence[Mapping[str, Any]]
    ) -> Logbook:
        """Return the logbook that `as_arrays` and `epochs_as_lists` were taken of."""
        columns = {name: values.tolist() for name, values in steps.items()}
        return cls(columns, [Epoch(**epoch) for epoch in epochs])


def _type_of(column: str) -> type[np.generic]:
    return np.int64 if column in _COUNTED else np.float64
