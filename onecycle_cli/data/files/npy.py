"""Opens the .npy files of a folder without reading them: arrays that may be larger than memory."""

from __future__ import annotations

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

    That of a file in a folder within it is `FOLDER/NAME`.

    Raises:
        DataError: it cannot be listed.
    """
    try:
        found = list(folder.iterdir())
        found += [file for inner in found if inner.is_dir() for file in inner.iterdir()]
    except OSError as error:
        raise DataError(
            f"{readable_name(folder)} cannot be read as a folder of .npy files "
            f"({error.strerror}); correct the path, or make it readable."
        ) from error
    files = sorted(file for file in found if file.suffix == _SUFFIX)
    return tuple(file.relative_to(folder).with_suffix("").as_posix() for file in files)


def read(folder: Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Return those of the named arrays that the folder has, mapped into memory, read-only.

    What is looked at is read then; `mapping.release` lets go of it. A file must stay as it is as
    long as its array is used.

    Raises:
        DataError: no .npy file, a damaged one, or an array of Python objects.
    """
    known = names_in(folder)
    return {name: read_file(folder / f"{name}{_SUFFIX}") for name in names if name in known}


def outlines(folder: Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Return the named arrays, as `read` does; nothing of them is read before it is looked at."""
    return read(folder, names)


def files_of(folder: Path, names: Iterable[str]) -> tuple[Path, ...]:
    """Return the files that hold the named arrays."""
    return tuple(folder / f"{name}{_SUFFIX}" for name in names)


def read_file(file: Path) -> NDArray[Any]:
    """Return the array in a file, mapped into memory, read-only.

    Raises:
        DataError: no .npy file, a damaged one, or an array of Python objects.
    """
    try:
        array = np.lib.format.open_memmap(file, mode="r")
    except Exception as error:  # a damaged file can raise nearly anything
        raise DataError(
            f"{readable_name(file)} cannot be read as an .npy file ({readable_name(reason(error))})"
            "; write it with numpy.save, from an array of numbers."
        ) from error
    return np.asarray(array)  # a view that is no numpy.memmap, whose slices take longer
