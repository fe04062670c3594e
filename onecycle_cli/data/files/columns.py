"""Columns of a table become arrays."""

from __future__ import annotations

from collections.abc import Sequence
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


def targets(file: Path, frame: pl.DataFrame, columns: Sequence[str]) -> NDArray[Any]:
    """Return the columns that are to be predicted, as the table has them.

    What they mean is found out later: see `onecycle_cli.data.targets`.

    Returns:
        Of one column, shape (n,): text as objects, booleans, int64 or float32. Of several, shape
        (n, columns): int64 where all hold whole numbers or booleans, else float32.

    Raises:
        DataError: something is missing, or a column holds something else.
    """
    _refuse_missing(file, frame, columns)
    pl, held = polars(), [frame.get_column(name) for name in columns]
    if len(held) == 1 and held[0].dtype in (pl.String, pl.Categorical, pl.Enum):
        return np.array(held[0].cast(pl.String).to_list(), object)
    if len(held) == 1 and held[0].dtype == pl.Boolean:
        return np.asarray(held[0].to_numpy(), np.bool_)
    if all(column.dtype.is_integer() or column.dtype == pl.Boolean for column in held):
        whole = np.stack([np.asarray(c.cast(pl.Int64).to_numpy()) for c in held], axis=1)
        return whole[:, 0] if len(held) == 1 else whole
    values = numbers(file, frame, columns, "targets")
    return values[:, 0] if len(held) == 1 else values


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


def is_number(column: pl.Series) -> bool:
    """Tell whether a column holds numbers, truth values or nothing."""
    return bool(column.dtype.is_numeric() or column.dtype == polars().Boolean or _is_empty(column))


def example_of_text(column: pl.Series) -> str | None:
    """Return, in quotes, a value that makes a column one of no numbers; `None` if it holds them.

    Of a column that is spoilt by a few entries, such as NA, it is the first of these.
    """
    return None if is_number(column) else _shown(column[_row_of_text(column)])


def count_missing(column: pl.Series) -> int:
    """Return how many values a column lacks."""
    return int(_missing(column).sum())


def _is_empty(column: pl.Series) -> bool:
    return bool(column.null_count() == len(column))


def _floats(column: pl.Series) -> NDArray[np.float32]:
    """Return a column of numbers with NaN for what is missing."""
    if _is_empty(column):
        return np.full(len(column), np.nan, np.float32)
    return np.asarray(column.cast(polars().Float32).to_numpy(), np.float32)


def _refuse_others(file: Path, frame: pl.DataFrame, names: Sequence[str], what: str) -> None:
    found = [column for column in map(frame.get_column, names) if not is_number(column)]
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
    row = _row_of_text(column)
    return f"{readable_name(column.name)} ({_shown(column[row])} in row {row})"


def _row_of_text(column: pl.Series) -> int:
    """Return the row of the first value that is no number."""
    pl = polars()
    given = column.is_not_null()
    if column.dtype == pl.String:
        text = given & column.cast(pl.Float64, strict=False).is_null()
        given = text if text.any() else given
    return int(given.arg_max() or 0)


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


def _shown(value: object) -> str:
    text = readable_name(str(value))
    return f"'{text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + '...'}'"
