"""Reads pickles that hold NumPy arrays, and nothing that could run code.

A pickle is a program: loading one calls whatever functions it names. The few that rebuild
an array are allowed; any other name is refused.
"""

from __future__ import annotations

import pickle
from typing import Any, BinaryIO

import numpy as np

from onecycle_cli.data.sources.source import reason
from onecycle_cli.errors import DataError


def _encode(text: str, encoding: str) -> bytes:
    """Stand in for `_codecs.encode`, which Python 3 uses to pickle bytes with protocol 2."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"the encoding {encoding!r} is not expected")
    return text.encode("latin1")


# The public way to two private functions of NumPy.
_reconstruct: Any = np.empty(0).__reduce_ex__(2)[0]
_frombuffer: Any = np.empty(0).__reduce_ex__(5)[0]

_ARRAY = "the class of arrays"


def _rebuild(kind: object, shape: object, _: object) -> Any:
    """Stand in for `_reconstruct`, which would make an array of any size out of nothing."""
    if kind != _ARRAY or shape != (0,):
        raise pickle.UnpicklingError("an array must be rebuilt from an empty one")
    return _reconstruct(np.ndarray, (0,), b"b")


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _ARRAY,  # named by every array, and not to be called
    ("numpy", "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): _rebuild,  # written by NumPy 1
    ("numpy._core.multiarray", "_reconstruct"): _rebuild,  # written by NumPy 2
    ("numpy.core.numeric", "_frombuffer"): _frombuffer,  # pickle protocol 5
    ("numpy._core.numeric", "_frombuffer"): _frombuffer,
    ("_codecs", "encode"): _encode,
}


class _ForbiddenError(pickle.UnpicklingError):
    """The pickle names a function that no array needs."""


class _ArrayUnpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        try:
            return _ALLOWED[module_name, global_name]
        except KeyError:
            raise _ForbiddenError(f"{module_name}.{global_name}") from None


def load_arrays(stream: BinaryIO, where: str) -> dict[bytes, Any]:
    """Read a pickled dict of arrays and plain values; strings of Python 2 arrive as bytes.

    Args:
        stream: the pickle; it is read from where it stands.
        where: the file's path, for the error.

    Raises:
        DataError: a damaged pickle, something else than a dict, or one that names any function
            other than those that rebuild an array; none of these is ever called.
    """
    try:
        content = _ArrayUnpickler(stream, encoding="bytes").load()
    except _ForbiddenError as error:
        raise DataError(
            f"{where} was refused: it is a pickle that calls {error}, which no data set needs and "
            "which could run any program; get the file from a source that you trust."
        ) from error
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise DataError(
            f"{where} is damaged ({reason(error)}); fetch it again, or set dataset.path to an "
            "intact copy."
        ) from error
    if not isinstance(content, dict):
        raise DataError(
            f"{where} must hold a dict of arrays, got {type(content).__name__}; "
            "set dataset.path to an intact copy."
        )
    for value in content.values():
        if not _is_plain(value):
            raise DataError(
                f"{where} must hold arrays, numbers, text and lists of these, got nested or "
                "foreign values; set dataset.path to an intact copy."
            )
    return content


def _is_plain(value: object) -> bool:
    """Tell whether a value is no deeper than a list of scalars; a few bytes of nested references
    can otherwise stand for billions of values."""
    if isinstance(value, np.ndarray):
        return not value.dtype.hasobject
    if isinstance(value, list):
        return all(isinstance(entry, int | float | bytes | str) for entry in value)
    return value is None or isinstance(value, int | float | bytes | str)
