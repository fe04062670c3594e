"""Reads which rows somebody has chosen, from a file of numbers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.files import npy
from onecycle_cli.data.files.names import readable_name
from onecycle_cli.data.sources.source import reason
from onecycle_cli.errors import DataError

_NUMBER = re.compile("[0-9]{1,18}")
_LONGEST_SHOWN = 30


def read_row_numbers(file: Path) -> NDArray[np.int64]:
    """Return the numbers in a file, in ascending order: an .npy file, or text with one a line.

    Raises:
        DataError: the file can't be read, holds none, anything but whole numbers from 0, or one of
            them twice.
    """
    rows = _array(file) if file.suffix == ".npy" else _lines(file)
    if not len(rows):
        raise DataError(f"{readable_name(file)} must hold row numbers, got none.")
    numbers, times = np.unique(rows, return_counts=True)
    if times.max() > 1:
        raise DataError(
            f"{readable_name(file)} has row {numbers[times.argmax()]} twice; name each row once."
        )
    return numbers


def _array(file: Path) -> NDArray[np.int64]:
    values = npy.read_file(file)
    if values.dtype.kind not in "iu" or values.ndim != 1:
        remedy = "; numpy.flatnonzero(mask) gives the numbers" if values.dtype.kind == "b" else ""
        raise DataError(
            f"{readable_name(file)} must hold row numbers, whole numbers of shape (n,), got "
            f"{values.dtype} {values.shape}{remedy}."
        )
    rows = values.astype(np.int64)  # what is too large becomes negative
    if len(rows) and rows.min() < 0:
        raise DataError(
            f"{readable_name(file)} must hold row numbers, which count from 0, got "
            f"{values[rows.argmin()]}."
        )
    return rows


def _lines(file: Path) -> NDArray[np.int64]:
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(
            f"{readable_name(file)} cannot be read as row numbers ({_why(error)}); give an .npy "
            "file of whole numbers, or text with one a line."
        ) from error
    numbers = [(place, text) for place, line in enumerate(lines, 1) if (text := line.strip())]
    for place, text in numbers:
        if not _NUMBER.fullmatch(text):
            raise DataError(
                f"{readable_name(file)}, line {place}: must be a row number, a whole number from "
                f"0, got '{readable_name(text[:_LONGEST_SHOWN])}'."
            )
    return np.array([int(text) for _, text in numbers], np.int64)


def _why(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or reason(error)
