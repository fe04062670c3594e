"""The one log of the steps and epochs of a training, which its files are made from."""

from __future__ import annotations

import bisect
import contextlib
import csv
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np

from onecycle_cli.errors import ResultError
from onecycle_cli.runs import files
from onecycle_cli.runs.tables.appended import AppendedTable, Extent

Marks = Mapping[str, Mapping[str, int]]
"""How long `steps` and `history` were at some moment: the fields of an `Extent` each."""

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


class Logbook:
    """Every step and every epoch, each written once.

    A step counts once its loss is there, which is written last: whatever breaks in, the columns
    that are read have the same length.

    Args:
        folder: where `steps.csv` and `history.csv` are; `None`: nowhere.

    Attributes:
        steps: columns of `steps.csv` by name.
        epochs: rows of `history.csv`.
        times_back: how often it forgot something.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.steps: dict[str, array[Any]] = {}
        self.epochs: list[Epoch] = []
        self.times_back = 0
        names = () if folder is None else ("steps", "history")
        self._tables = {name: AppendedTable(Path(str(folder), f"{name}.csv")) for name in names}

    def __len__(self) -> int:
        return len(self.losses)

    @property
    def losses(self) -> array[float]:
        """The loss of each step."""
        return self.steps.get("loss", array("d"))

    @property
    def lrs(self) -> array[float]:
        """The learning rate of each step."""
        return self.steps.get("lr", array("d"))

    def enter(self, values: Mapping[str, float], *, cycle: int) -> None:
        """Append a step of the present epoch: the values used, and its `loss`."""
        row = {"step": len(self), **values, "epoch": len(self.epochs) + 1, "cycle": cycle}
        if not self.steps:
            first = (name for name in _FIRST if name in row)
            self.steps.update({name: _column(name) for name in dict.fromkeys([*first, *row])})
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

    def tables(self, first: int = 0) -> dict[str, files.Table]:
        """Return the columns of `steps.csv` and `history.csv`, by the names of the files.

        Args:
            first: the first step that is wanted; of epochs, there are all.
        """
        return {"steps": self._steps_from(first), "history": _history_of(self.epochs)}

    # --- on disk ------------------------------------------------------------------------------

    def mark(self) -> dict[str, dict[str, int]]:
        """Return how long the tables are by now, for `take_up` and `go_back`.

        It takes as long as there are steps since the last time: each row is put into words once.
        """
        for name, table in self._tables.items():
            if name == "steps":
                table.append(self._steps_from(table.extent.rows))
                continue
            columns = _history_of(self.epochs)
            if table.header and table.header != tuple(columns):
                table.restart()
            table.append({key: values[table.extent.rows :] for key, values in columns.items()})
        return {name: asdict(table.extent) for name, table in self._tables.items()}

    def append(self) -> None:
        """Put the rows on disk that are not there yet; they are safe there when this returns.

        Raises:
            ResultError: when they can't be written; those on disk are still there.
        """
        for table in self._tables.values():
            if table.is_cut_short:
                table.restart()
        self.mark()
        for table in self._tables.values():
            table.write()

    def write(self) -> None:
        """Make `steps.csv` and `history.csv` say what this log says, and nothing else.

        Raises:
            ResultError: when they can't be written.
        """
        self.append()
        for name, table in self._tables.items():
            if table.extent.rows:
                table.trim()
            else:
                files.write_csv(table.path, self.tables()[name])

    def go_back(self, marks: Marks) -> None:
        """Forget all steps and epochs since `mark` returned these marks."""
        self.times_back += 1
        for values in self.steps.values():
            del values[marks["steps"]["rows"] :]
        del self.epochs[marks["history"]["rows"] :]
        for name, table in self._tables.items():
            if name == "history" and table.header != tuple(_history_of(self.epochs)):
                table.restart()
            else:
                table.go_back(Extent(**marks[name]))

    def take_up(self, marks: Marks) -> None:
        """Read the steps and epochs back that were there when `mark` returned these marks.

        Raises:
            ValueError: when the files don't hold them any more; the log is as it was.
        """
        steps, history = (Extent(**marks[name]) for name in ("steps", "history"))
        columns = _steps_in(_beginning_of(self._tables["steps"].path, steps))
        epochs, is_as_it_was = _epochs_on_disk(self._tables["history"].path, history)
        self.steps, self.epochs = columns, epochs
        self._tables["steps"].take_up(steps, tuple(columns))
        self._tables["history"].restart()
        if is_as_it_was:
            self._tables["history"].take_up(history, tuple(_history_of(epochs)))

    def _steps_from(self, first: int) -> files.Table:
        return {name: values[first : len(self)] for name, values in self.steps.items()}


def _column(name: str) -> array[Any]:
    return array("q" if name in _COUNTED else "d")


def _history_of(epochs: Sequence[Epoch]) -> dict[str, list[Any]]:
    """Return epochs by column; a score has one once any of them has it."""
    own = [column.name for column in fields(Epoch) if column.name != "scores"]
    scores = dict.fromkeys(name for epoch in epochs for name in epoch.scores)
    columns = {name: [getattr(epoch, name) for epoch in epochs] for name in own}
    return columns | {f"val_{name}": [e.scores.get(name) for e in epochs] for name in scores}


def _beginning_of(path: Path, extent: Extent) -> str:
    """Return the text of a part of a table.

    Raises:
        ValueError: when it is not there any more.
    """
    data = _contents(path)
    if not extent.begins(data):
        raise _other_rows(path, extent)
    return data[: extent.size].decode()


def _other_rows(path: Path, extent: Extent) -> ValueError:
    return ValueError(f"{path.name} does not begin any more with the {extent.rows} rows of then")


def _contents(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _steps_in(text: str) -> dict[str, array[Any]]:
    if not text:
        return {}
    columns = {}
    for name, values in files.numbers_in(text).items():
        columns[name] = _column(name)
        exact = values.astype(np.int64 if name in _COUNTED else np.float64)
        columns[name].frombytes(exact.tobytes())
    return columns


def _epochs_on_disk(path: Path, extent: Extent) -> tuple[list[Epoch], bool]:
    """Return the epochs of a part of `history.csv`, and whether the file begins with that part.

    It does not where a score was new later and got a column, but the epochs are the same.

    Raises:
        ValueError: when they are not there any more.
    """
    if not extent.rows:
        return [], True
    data = _contents(path)
    if extent.begins(data):
        return _epochs_in(files.table_in(data[: extent.size].decode(), path)), True
    whole_lines = data[: data.rfind(b"\n") + 1]
    with contextlib.suppress(ResultError, LookupError, TypeError, ValueError, csv.Error):
        epochs = _epochs_in(files.table_in(whole_lines.decode(), path))[: extent.rows]
        text = files.csv_text(_history_of(epochs)).encode()
        if len(text) == extent.size and extent.begins(text):
            return epochs, False
    raise _other_rows(path, extent)


def _epochs_in(table: files.Table) -> list[Epoch]:
    own = {column.name for column in fields(Epoch)}
    scores = {name.removeprefix("val_"): table[name] for name in table if name not in own}
    known = {n: [None if v == "" else v for v in values] for n, values in table.items()}
    return [
        Epoch(
            int(table["epoch"][i]),
            int(table["cycle"][i]),
            table["loss"][i],
            known["val_loss"][i],
            known["val_accuracy"][i],
            {name: values[i] for name, values in scores.items() if values[i] != ""},
        )
        for i in range(len(table["epoch"]))
    ]
