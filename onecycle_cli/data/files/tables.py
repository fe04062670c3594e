"""Reads tables from CSV and Parquet files, through Polars."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from onecycle_cli.data.files.names import readable_name
from onecycle_cli.data.sources.source import reason
from onecycle_cli.errors import DataError

if TYPE_CHECKING:
    import polars as pl

SUFFIXES = (".csv", ".parquet")

_SEPARATORS = ",;\t"
_AS_IT_IS: dict[str, Any] = {"glob": False, "hive_partitioning": False}


def polars() -> Any:
    """Return the module `polars`.

    Raises:
        DataError: it is not installed.
    """
    try:
        import polars
    except ImportError as error:
        raise DataError(
            "tables are read by Polars, which is not installed: pip install 'onecycle-cli[tables]'"
        ) from error
    return polars


def columns_in(file: Path) -> tuple[str, ...]:
    """Return the names of a table's columns, in their order, without reading its rows.

    Raises:
        DataError: no Polars, no table, or two columns of one name.
    """
    pl = polars()
    with _reading(file):
        if _is_parquet(file):
            names = tuple(pl.scan_parquet(file, **_AS_IT_IS).collect_schema())
        else:
            names = tuple(_header(file)[0])
    if not names:
        raise DataError(f"{file} must have columns with names in its first line, got nothing.")
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    if twice:
        raise DataError(
            f"{file}: {names.count(twice[0])} columns are called '{readable_name(twice[0])}'; "
            "give each a name of its own."
        )
    return names


def read_table(file: Path) -> pl.DataFrame:
    """Return a table.

    The fields of a CSV file are separated by commas, semicolons or tabs, whichever its first line
    has. A column of it in which all is a number, with or without spaces around, is one of numbers;
    empty fields are missing values.

    Raises:
        DataError: no Polars, no table, a damaged one, or one without rows.
    """
    pl = polars()
    with _reading(file):
        frame = pl.read_parquet(file, **_AS_IT_IS) if _is_parquet(file) else _read_csv(file)
    if not frame.height:
        raise DataError(f"{file} must have rows, got none; fill or remove it.")
    return frame


def _is_parquet(file: Path) -> bool:
    return file.suffix.lower() == ".parquet"


def _header(file: Path) -> tuple[list[str], str]:
    """Return the names in the first line that is not empty, and what separates them."""
    with file.open(encoding="utf-8-sig", newline="") as stream:
        headers = [_first(stream, separator) for separator in _SEPARATORS]
    return max(zip(headers, _SEPARATORS, strict=True), key=lambda found: len(found[0]))


def _first(stream: TextIO, separator: str) -> list[str]:
    stream.seek(0)
    return next(filter(None, csv.reader(stream, delimiter=separator)), [])


def _read_csv(file: Path) -> pl.DataFrame:
    pl = polars()
    frame = pl.read_csv(
        file,
        separator=_header(file)[1],
        infer_schema_length=None,
        glob=False,
        try_parse_dates=False,
    )
    texts = [column for column in frame.get_columns() if column.dtype == pl.String]
    return frame.with_columns(map(_as_numbers, texts))


def _as_numbers(column: pl.Series) -> pl.Series:
    """Return a column of text as the numbers that it means, if all of it does, else stripped."""
    pl = polars()
    text = column.str.strip_chars()
    text = text.set(text == "", None)
    for numbers in (text.cast(kind, strict=False) for kind in (pl.Int64, pl.Float64)):
        if numbers.null_count() == text.null_count():
            return numbers
    return text


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    panic = polars().exceptions.PanicException  # no Exception, and damaged files cause it
    try:
        yield
    except (Exception, panic) as error:  # and nearly anything else
        raise DataError(
            f"{file} cannot be read as a table ({readable_name(reason(error))}); write it as "
            "Parquet, or as CSV in UTF-8 with names in its first line and a value for each in "
            "every other."
        ) from error
