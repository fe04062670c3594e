"""Opens the .npy files of a folder without reading them: arrays that may be larger than memory."""

from __future__ import annotations

import mmap
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.files.names import readable_name
from onecycle_cli.data.sources.source import reason
from onecycle_cli.errors import DataError

_SUFFIX = ".npy"


def names_in(folder: Path) -> tuple[str, ...]:
    """Return the names of the arrays in a folder: those of its .npy files, in their order.

    Raises:
        DataError: it cannot be listed.
    """
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == _SUFFIX)
    except OSError as error:
        raise DataError(
            f"{readable_name(folder)} cannot be read as a folder of .npy files "
            f"({error.strerror}); correct the path, or get the right to read it."
        ) from error
    return tuple(file.stem for file in files)


def open_npy(folder: Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Return those of the named arrays that the folder has, mapped into memory, read-only.

    What is looked at is read then; `release` lets go of it. A file must stay as it is as long as
    its array is used.

    Raises:
        DataError: no .npy file, a damaged one, or an array of Python objects.
    """
    known = names_in(folder)
    return {name: _opened(folder / f"{name}{_SUFFIX}") for name in names if name in known}


def release(array: NDArray[Any]) -> None:
    """Tell the operating system that what was read of a file is not needed in memory any more.

    It is read anew when it is looked at again. Nothing happens to arrays that are not mapped, to
    those that may be written to, whose changes would be lost, and where systems have no such call.

    Args:
        array: one of `open_npy`, or a view of one; all that is mapped of that file is let go.
    """
    mapped = _read_only_mapping_of(array)
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)


def _opened(file: Path) -> NDArray[Any]:
    try:
        array = np.lib.format.open_memmap(file, mode="r")
    except Exception as error:  # a damaged file can raise nearly anything
        raise DataError(
            f"{readable_name(file)} cannot be read as an .npy file ({readable_name(reason(error))})"
            "; write it with numpy.save, from an array of numbers."
        ) from error
    return np.asarray(array)  # a view that is no numpy.memmap, whose slices take longer


def _read_only_mapping_of(array: NDArray[Any]) -> mmap.mmap | None:
    """Return the mapping that an array lies in, if none of the views on the way may write to it."""
    base: Any = array
    while isinstance(base, np.ndarray):
        if base.flags.writeable:
            return None
        base = base.base
    return base if isinstance(base, mmap.mmap) else None
