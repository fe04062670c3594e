"""Mean and standard deviation per channel, and inputs that are brought to 0 and 1 by them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.inputs import Inputs, arrays_of, mapped
from onecycle_cli.data.mapping import release

UNIT_OF_BYTES = np.float32(1 / 255)
"""The deviation by which a uint8, which counts in units of 255, is divided to stay as it is."""

_CHUNK = 1 << 22  # numbers converted at a time


def channel_statistics(
    x: NDArray[Any], indices: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean and the standard deviation of some rows, per entry of the last axis.

    The deviation is the root of the mean squared distance from the mean, over all rows and pixels.
    Channels that are constant get 1, so that one can divide by it.

    Args:
        x: uint8 or float32, shape (n, ..., channels); uint8 counts in units of 255.
        indices: the rows to look at, shape (m,), m >= 1.

    Returns:
        Two float32 arrays of shape (channels,).
    """
    moments = _moments_of_bytes if x.dtype == np.uint8 else _moments_of_floats
    mean, variance = moments(x, indices)
    std = np.sqrt(variance)
    rounding = np.finfo(np.float32).eps * np.abs(mean)
    std[std <= rounding] = 1.0
    return mean.astype(np.float32), std.astype(np.float32)


def as_they_are(
    x: NDArray[Any], _: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean and the deviation, as `channel_statistics`, that leave inputs unchanged."""
    mean = np.zeros(x.shape[-1], np.float32)
    return mean, np.full_like(mean, UNIT_OF_BYTES if x.dtype == np.uint8 else 1)


class Scale:
    """Takes the mean from inputs of one array and divides them by their deviation.

    Args:
        mean: one number a channel; None: the inputs stay as they are, of whatever type.
        std: the deviation, alike.
    """

    def __init__(self, mean: NDArray[np.float32] | None, std: NDArray[np.float32] | None) -> None:
        self._mean, self._std = mean, std
        self._of_bytes: dict[int, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}

    def __call__(self, inputs: NDArray[Any]) -> NDArray[Any]:
        """Return (inputs - mean) / std as float32; uint8 counts in units of 255."""
        if self._mean is None or self._std is None:
            return inputs
        if inputs.dtype != np.uint8:
            return (inputs - self._mean) / self._std
        flat: NDArray[np.float32]
        rows = inputs.reshape(len(inputs), -1)
        scale, shift = self._byte_scale(rows.shape[1])
        flat = np.multiply(rows, scale)
        flat += shift
        return flat.reshape(inputs.shape)

    def _byte_scale(self, size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Factor and summand for each number of a row: NumPy is six times slower when it has to
        repeat three channels itself, and a lookup table is slower still."""
        if size not in self._of_bytes:
            mean, std = np.asarray(self._mean), np.asarray(self._std)
            scale = 1.0 / (255.0 * std.astype(np.float64))
            scale[std == UNIT_OF_BYTES] = 1.0
            shift = -mean.astype(np.float64) / std
            pixels = size // len(mean)
            self._of_bytes[size] = (
                np.tile(scale, pixels).astype(np.float32),
                np.tile(shift, pixels).astype(np.float32),
            )
        return self._of_bytes[size]


def measured(x: Inputs, indices: NDArray[np.int64], *, normalise: bool) -> tuple[Any, Any]:
    """Return mean and deviation of each array of inputs, in two structures like theirs.

    Both are None for what is neither uint8 nor float32: numbers of categories, or text.
    """
    measure = channel_statistics if normalise else as_they_are

    def of(array: NDArray[Any]) -> tuple[Any, Any]:
        is_measured = array.dtype in (np.uint8, np.float32) and array.ndim > 1
        return measure(array, indices) if is_measured else (None, None)

    each = iter([of(array) for array in arrays_of(x)])
    pairs = mapped(lambda _: next(each), x)
    return _part(pairs, x, 0), _part(pairs, x, 1)


def _part(pairs: Any, x: Inputs, place: int) -> Any:
    return mapped(lambda _, pair: pair[place], x, pairs)


def _moments_of_bytes(
    x: NDArray[np.uint8], indices: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Add up integers, exactly: a byte's square fits in 16 bits, a chunk's sums in 64."""
    total = np.zeros(x[0].size, np.int64)
    squares = np.zeros(x[0].size, np.int64)
    for chunk in _chunks(x, indices):
        total += chunk.sum(axis=0, dtype=np.uint32)
        squares += np.square(chunk, dtype=np.uint16).sum(axis=0, dtype=np.uint32)
    count = len(indices) * (x[0].size // x.shape[-1])
    mean = _per_channel(total, x.shape[-1]) / count
    variance = _per_channel(squares, x.shape[-1]) / count - mean**2
    return mean / 255.0, np.maximum(variance, 0.0) / 255.0**2


def _moments_of_floats(
    x: NDArray[np.float32], indices: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Go over the rows twice, so that a large mean does not swallow a small deviation."""
    channels = x.shape[-1]
    count = len(indices) * (x[0].size // channels)
    total = np.zeros(x[0].size, np.float64)
    for chunk in _chunks(x, indices):
        total += chunk.sum(axis=0, dtype=np.float64)
    mean = _per_channel(total, channels) / count
    centre = np.tile(mean, x[0].size // channels)
    squares = np.zeros(x[0].size, np.float64)
    for chunk in _chunks(x, indices):
        squares += np.square(chunk - centre).sum(axis=0)
    return mean, _per_channel(squares, channels) / count


def _chunks(x: NDArray[Any], indices: NDArray[np.int64]) -> Iterator[NDArray[Any]]:
    """Yield the chosen rows as (rows, numbers in a row), some millions of numbers at a time."""
    rows = min(max(1, _CHUNK // x[0].size), 1 << 16)  # 2^16 squares of bytes fit in 32 bits
    for start in range(0, len(indices), rows):
        chosen = x[indices[start : start + rows]]
        release(x)
        yield chosen.reshape(len(chosen), -1)


def _per_channel(sums: NDArray[Any], channels: int) -> NDArray[np.float64]:
    return np.asarray(sums.reshape(-1, channels).sum(axis=0), np.float64)
