"""Columns of a table become arrays: numbers, and the labels of classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.files.names import readable_name
from onecycle_cli.data.files.tables import polars
from onecycle_cli.errors import DataError

if TYPE_CHECKING:
    import polars as pl

_NAMED = 5
_LONGEST_VALUE = 30
_MOST_CLASSES = 100


@dataclass(frozen=True)
class Target:
    """What is to be predicted: the classes of one column, or the numbers of one or several.

    Attributes:
        columns: their names, one or more.
        classes: the classes' names, in the order of their labels; None for numbers.
        notes: sentences that the user should see once.
    """

    columns: tuple[str, ...]
    classes: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, file: Path, frame: pl.DataFrame, columns: tuple[str, ...]) -> Target:
        """Return what the columns of the training part hold.

        Text and booleans are classes, in the order of their values. So are integers, if each value
        is there twice on average, and they are of 100 values at most or just 0..K-1; else they are
        numbers, as floats are. Several columns are numbers.

        Raises:
            DataError: something is missing, or they hold neither classes nor numbers.
        """
        _refuse_missing(file, frame, columns)
        if len(columns) > 1:
            _refuse_several_labels(file, frame, columns)
            return cls(columns)
        column = frame.get_column(columns[0])
        if column.dtype.is_integer():
            return cls._of_integers(file, column)
        if _is_number(column) and column.dtype != polars().Boolean:
            return cls(columns)
        return cls(columns, _classes(file, column))

    @classmethod
    def _of_integers(cls, file: Path, column: pl.Series) -> Target:
        count, name = column.n_unique(), readable_name(column.name)
        is_counted = column.min() == 0 and column.max() == count - 1
        if 2 * count > len(column) or (count > _MOST_CLASSES and not is_counted):
            note = (
                f"{file}: column '{name}' has whole numbers of {count} values, to be predicted as "
                "numbers; write them with a letter, such as c7, to have classes."
            )
            return cls((column.name,), None, (note,))
        note = (
            f"{file}: the {count} values of column '{name}' are classes; write them with a decimal "
            "point, and set loss: mse, to have them predicted as numbers."
        )
        return cls((column.name,), _classes(file, column), () if is_counted else (note,))

    def read(self, file: Path, frame: pl.DataFrame) -> NDArray[Any]:
        """Return the targets of a part: int32 labels (n,), or float32 of shape (n,) or (n, k).

        Raises:
            DataError: a value is missing, is no number, or is none of the classes.
        """
        if self.classes is None:
            values = numbers(file, frame, self.columns, "targets")
            return values[:, 0] if len(self.columns) == 1 else values
        _refuse_missing(file, frame, self.columns)
        pl, column = polars(), frame.get_column(self.columns[0])
        labels = column.cast(pl.String).replace_strict(
            list(self.classes), range(len(self.classes)), default=None, return_dtype=pl.Int32
        )
        unknown = labels.is_null()
        if unknown.any():
            row = unknown.arg_max()
            raise DataError(
                f"{file}: column '{readable_name(column.name)}' must hold classes of the training "
                f"part, got {_shown(column[row])} in row {row}."
            )
        return np.asarray(labels.to_numpy(), np.int32)


def numbers(
    file: Path, frame: pl.DataFrame, columns: Sequence[str], what: str
) -> NDArray[np.float32]:
    """Return columns of numbers or booleans, shape (n, columns), C-contiguous.

    Args:
        file: where they come from, for errors.
        frame: the table.
        columns: their names.
        what: what they are, for errors: features or targets.

    Raises:
        DataError: one of them holds something else, or lacks a value, or has one that is not
            finite as float32.
    """
    _refuse_others(file, frame, columns, what)
    values = np.empty((frame.height, len(columns)), np.float32)
    for place, name in enumerate(columns):
        values[:, place] = _floats(frame.get_column(name))
    if not np.isfinite(values).all():
        _refuse_missing(file, frame, columns)
        row, place = np.argwhere(np.isinf(values))[0]
        raise DataError(
            f"{file}: {what} must be finite, but column '{readable_name(columns[place])}' has an "
            f"infinity or a number too large for float32 in row {row}; clean it first."
        )
    return values


def _is_number(column: pl.Series) -> bool:
    return bool(column.dtype.is_numeric() or column.dtype == polars().Boolean or _is_empty(column))


def _is_empty(column: pl.Series) -> bool:
    return bool(column.null_count() == len(column))


def _floats(column: pl.Series) -> NDArray[np.float32]:
    """Return a column of numbers with NaN for what is missing."""
    if _is_empty(column):
        return np.full(len(column), np.nan, np.float32)
    return np.asarray(column.cast(polars().Float32).to_numpy(), np.float32)


def _refuse_others(file: Path, frame: pl.DataFrame, names: Sequence[str], what: str) -> None:
    found = [column for column in map(frame.get_column, names) if not _is_number(column)]
    if not found:
        return
    listed = ", ".join(map(_with_example, found[:_NAMED]))
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    remedy = ", or leave them out by dataset.ignore" if what == "features" else ""
    raise DataError(
        f"{file}: {what} must be numbers, and these columns are not: {listed}{more}; write them as "
        f"numbers, such as 1.5{remedy}."
    )


def _with_example(column: pl.Series) -> str:
    """Return a column's name and the first of its values that is no number."""
    pl = polars()
    given = column.is_not_null()
    if column.dtype == pl.String:
        text = given & column.cast(pl.Float64, strict=False).is_null()
        given = text if text.any() else given
    row = given.arg_max()
    return f"{readable_name(column.name)} ({_shown(column[row])} in row {row})"


def _refuse_missing(file: Path, frame: pl.DataFrame, names: Sequence[str]) -> None:
    lacking = [(name, mask) for name in names if (mask := _missing(frame.get_column(name))).any()]
    if not lacking:
        return
    name, mask = lacking[0]
    more = f", and so do {len(lacking) - 1} more columns" if len(lacking) > 1 else ""
    raise DataError(
        f"{file}: column '{readable_name(name)}' lacks {mask.sum()} of {len(mask)} values, the "
        f"first in row {mask.arg_max()}, counted from 0{more}; fill them in, or leave out these "
        "rows or columns."
    )


def _missing(column: pl.Series) -> pl.Series:
    missing = column.is_null()
    return missing | column.is_nan().fill_null(True) if column.dtype.is_float() else missing


def _refuse_several_labels(file: Path, frame: pl.DataFrame, names: Sequence[str]) -> None:
    pl = polars()
    columns = [frame.get_column(name) for name in names]
    if all(
        c.dtype == pl.Boolean or (c.dtype.is_integer() and c.is_in([0, 1]).all()) for c in columns
    ):
        raise DataError(
            f"{file}: the columns of dataset.target must be numbers to predict, and these hold "
            "zeros and ones, several labels for one example; name one column."
        )


def _classes(file: Path, column: pl.Series) -> tuple[str, ...]:
    """Return the values of a column as text, in their order."""
    pl, name = polars(), readable_name(column.name)
    text = column.dtype in (pl.String, pl.Categorical, pl.Enum)
    if not (text or column.dtype.is_integer() or column.dtype == pl.Boolean):
        raise DataError(
            f"{file}: column '{name}' must hold classes or numbers to be predicted, got "
            f"{column.dtype}."
        )
    values = (column.cast(pl.String) if text else column).unique().sort()
    if len(values) < 2:
        raise DataError(
            f"{file}: column '{name}' must hold two classes or more, got {_shown(values[0])} only."
        )
    if text and 2 * len(values) > len(column):
        raise DataError(
            f"{file}: column '{name}' must hold classes or numbers, got text of {len(values)} "
            f"values in {len(column)} rows: {_with_example(column)}; clean it, or name another."
        )
    return tuple(values.cast(pl.String))


def _shown(value: object) -> str:
    text = readable_name(str(value))
    return f"'{text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + '...'}'"
