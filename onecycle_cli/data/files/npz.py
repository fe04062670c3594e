"""Reads named arrays from an .npz file, without pickles."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format
from numpy.typing import NDArray

from onecycle_cli.data.sources.source import reason
from onecycle_cli.errors import DataError


def names_in(file: Path) -> tuple[str, ...]:
    """Return the names of the arrays in an .npz file.

    Raises:
        DataError: it is no .npz file.
    """
    with _opened(file) as archive:
        return tuple(archive.files)


def read(file: Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Return those of the named arrays that the file has.

    Raises:
        DataError: no .npz file, a damaged one, or an array of Python objects.
    """
    with _opened(file) as archive:
        return {name: _read(file, archive, name) for name in names if name in archive.files}


def outlines(file: Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Return arrays of the types and shapes of those, which take no memory and hold nothing.

    Raises:
        DataError: as `read` does, save for values that are damaged.
    """
    with _opened(file) as archive:
        return {name: _outline(file, archive, name) for name in names if name in archive.files}


def files_of(file: Path, names: Iterable[str]) -> tuple[Path, ...]:
    """Return the file, which holds all of the named arrays."""
    return (file,)


@contextmanager
def _opened(file: Path) -> Iterator[Any]:
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(file.open("rb"))  # NumPy leaves a damaged file open
            archive = np.load(stream, allow_pickle=False)
        except Exception as error:  # a damaged file can raise nearly anything
            raise DataError(
                f"{file} cannot be read as an .npz file ({reason(error)}); write it with "
                "numpy.savez, or name another."
            ) from error
        if not isinstance(archive, np.lib.npyio.NpzFile):
            raise DataError(
                f"{file} must be an .npz file of named arrays, got a single array; "
                "write it with numpy.savez(file, x_train=..., y_train=...)."
            )
        yield archive


def _read(file: Path, archive: Any, name: str) -> NDArray[Any]:
    with _reading(file, name):
        return np.asarray(archive[name])


def _outline(file: Path, archive: Any, name: str) -> NDArray[Any]:
    with _reading(file, name), archive.zip.open(f"{name}.npy") as member:
        is_short = npy_format.read_magic(member) == (1, 0)
        read_header = (
            npy_format.read_array_header_1_0 if is_short else npy_format.read_array_header_2_0
        )
        shape, _, dtype = read_header(member)
        if dtype.hasobject:
            raise ValueError("Object arrays cannot be loaded")
        return np.broadcast_to(np.zeros((), dtype), shape)


@contextmanager
def _reading(file: Path, name: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # a damaged member can raise nearly anything
        raise DataError(
            f"{file}: {name} cannot be read ({reason(error)}); write the file again with "
            "numpy.savez, from arrays of numbers."
        ) from error
