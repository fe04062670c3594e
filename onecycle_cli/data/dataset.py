"""A data set in memory: one pool of examples, and which of them train and validate."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.hashing import Hashes, hashes_of
from onecycle_cli.data.sources.source import Examples
from onecycle_cli.data.statistics import UNIT_OF_BYTES


@dataclass(frozen=True, eq=False)
class Dataset:
    """Everything that an experiment needs to know about its data.

    Attributes:
        name: the name in the configuration.
        x: all inputs, save those of a test set of its own; uint8 or float32, shape (n, ...);
            images have their channels last. Never changed, never copied.
        y: int32 labels of shape (n,); float32 of shape (n,) or (n, k) for regression.
        train: rows of `x` to train on, int64, ascending.
        validation: rows of `x` to validate on, int64, ascending; none is in `train`.
        classes: the classes' names; None for regression.
        mean: of the training rows, float32, one number a channel (a feature, when there are no
            images); uint8 counts in units of 255.
        std: the standard deviation, alike; 1 where it would be 0.
        read_test: reads the test set; see `test`.
        origin: where the data came from: a path or the name of a package.
        notes: sentences that the user should see once.
        test_rows: rows of `x` that were set aside as the test set, int64, ascending; None where
            the data have a test set of their own.
    """

    name: str
    x: NDArray[Any] = field(repr=False)
    y: NDArray[Any] = field(repr=False)
    train: NDArray[np.int64] = field(repr=False)
    validation: NDArray[np.int64] = field(repr=False)
    classes: tuple[str, ...] | None
    mean: NDArray[np.float32]
    std: NDArray[np.float32]
    read_test: Callable[[], Examples] = field(repr=False)
    origin: str
    notes: tuple[str, ...] = ()
    test_rows: NDArray[np.int64] | None = field(default=None, repr=False)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one input, without the batch axis."""
        return self.x.shape[1:]

    @property
    def is_classification(self) -> bool:
        """Whether the targets are labels."""
        return self.classes is not None

    @property
    def is_image(self) -> bool:
        """Whether inputs have height, width and channels."""
        return len(self.input_shape) == 3

    @property
    def num_outputs(self) -> int:
        """The number of classes, or of targets in regression."""
        if self.classes is not None:
            return len(self.classes)
        return self.y.shape[1] if self.y.ndim == 2 else 1

    def test(self) -> Examples:
        """Read the test set, afresh at each call: inputs and targets as in `x` and `y`.

        Only the last evaluation of a training may ask for it.

        Raises:
            DataError: the test set is damaged or does not fit the training set.
        """
        return self.read_test()

    def normalise(self, inputs: NDArray[Any]) -> NDArray[np.float32]:
        """Return (inputs - mean) / std, as float32, for rows of `x` or of the test set.

        Args:
            inputs: of the type of `x`, shape (b, ...).
        """
        if inputs.dtype != np.uint8:
            return (inputs - self.mean) / self.std
        scale, shift = self._byte_scale
        flat: NDArray[np.float32] = np.multiply(inputs.reshape(len(inputs), -1), scale)
        flat += shift
        return flat.reshape(inputs.shape)

    @cached_property
    def _byte_scale(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Factor and summand for each number of a row: NumPy is six times slower when it has to
        repeat three channels itself, and a lookup table is slower still."""
        scale = 1.0 / (255.0 * self.std.astype(np.float64))
        scale[self.std == UNIT_OF_BYTES] = 1.0
        shift = -self.mean.astype(np.float64) / self.std
        pixels = self.x[0].size // len(self.mean)
        return (
            np.tile(scale, pixels).astype(np.float32),
            np.tile(shift, pixels).astype(np.float32),
        )

    @cached_property
    def hashes(self) -> Hashes:
        """Two hashes for each row of `x`, see `hashing.hashes_of`."""
        return hashes_of(self.x, self.y)

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change with the data, the classes or the split.

        Made of every row of `x` and `y`, and of which rows train, validate and test.
        """
        digest = hashlib.sha256()
        shapes = [(array.shape[1:], array.dtype.str) for array in (self.x, self.y)]
        digest.update(repr((shapes, self.classes)).encode(errors="backslashreplace"))
        test = np.empty(0, np.int64) if self.test_rows is None else self.test_rows
        for array in (self.hashes, self.train, self.validation, test):
            digest.update(repr((array.shape, array.dtype.str)).encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]
