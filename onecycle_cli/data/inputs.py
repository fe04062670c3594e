"""Inputs of one array, or of several in a dictionary or a tuple, an example a row in each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.mapping import release
from onecycle_cli.errors import DataError

_AT_A_TIME = 1 << 24  # numbers

Inputs: TypeAlias = Any
"""An array of shape (n, ...), or a dictionary or a tuple of such arrays, of the same length."""


def mapped(function: Callable[..., Any], inputs: Inputs, *others: Any) -> Any:
    """Return what a function gives for each array, in the same structure.

    Args:
        function: takes an array, and what stands in the same place of each of the others.
        inputs: the arrays.
        others: of the same structure.
    """
    if isinstance(inputs, Mapping):
        return {k: mapped(function, v, *(o[k] for o in others)) for k, v in inputs.items()}
    if isinstance(inputs, tuple):
        places = range(len(inputs))
        return tuple(mapped(function, inputs[i], *(o[i] for o in others)) for i in places)
    return function(inputs, *others)


def named_arrays(inputs: Inputs, name: str = "") -> dict[str, Any]:
    """Return each array by its way from the root, such as `/image`; `""` for a single one."""
    if not isinstance(inputs, Mapping | tuple):
        return {name: inputs}
    inner: Any = inputs.items() if isinstance(inputs, Mapping) else enumerate(inputs)
    return {k: v for key, part in inner for k, v in named_arrays(part, f"{name}/{key}").items()}


def arrays_of(inputs: Inputs) -> list[Any]:
    """Return the arrays, in order."""
    return list(named_arrays(inputs).values())


def count(inputs: Inputs) -> int:
    """Return the number of examples; 0 of no arrays at all, an empty tuple."""
    arrays = arrays_of(inputs)
    return len(arrays[0]) if arrays else 0


def rows_of(inputs: Inputs, rows: NDArray[np.int64] | slice) -> Inputs:
    """Return some of the examples; of arrays in files, what was read for them is let go."""

    def taken(array: NDArray[Any]) -> NDArray[Any]:
        found = array[rows]
        release(array)
        return found

    return mapped(taken, inputs)


def joined(first: Inputs, second: Inputs) -> Inputs:
    """Return the examples of both, one after the other."""
    return mapped(lambda a, b: np.concatenate([a, b]), first, second)


def shapes(inputs: Inputs) -> Any:
    """Return the shape of one example, without the batch axis, in the same structure."""
    return mapped(lambda array: tuple(array.shape[1:]), inputs)


def finite(values: NDArray[Any], where: str) -> NDArray[np.float32]:
    """Return numbers as float32, in one piece; those that are so already are not copied.

    Args:
        values: numbers, shape (n, ...).
        where: they come from, for the error.

    Raises:
        DataError: one of them is no finite number, or too large.
    """
    with np.errstate(over="ignore"):
        numbers = np.ascontiguousarray(values, np.float32)
    bad = first_not_finite(numbers)
    if bad is not None:
        raise DataError(
            f"{where} must hold finite numbers only, but row {bad} has a NaN, an infinity or a "
            "number too large for float32; clean it first."
        )
    return numbers


def first_not_finite(numbers: NDArray[np.floating]) -> int | None:
    """Return the first row with a number that is not finite; it may be a large file's."""
    rows = max(1, _AT_A_TIME // max(1, numbers[:1].size))
    for start in range(0, len(numbers), rows):
        part = numbers[start : start + rows]
        is_good = np.isfinite(part).reshape(len(part), -1).all(axis=1)
        release(numbers)
        if not is_good.all():
            return start + int(np.argmin(is_good))
    return None
