"""A data set in memory: one pool of examples, and which of them train and validate."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.batches.stream import Stream
from onecycle_cli.data.hashing import Hashes, digest_of_files, hashes_of
from onecycle_cli.data.inputs import Inputs, arrays_of, count, mapped, shapes
from onecycle_cli.data.sources.source import Examples
from onecycle_cli.data.statistics import Scale
from onecycle_cli.data.target_scale import TargetScale
from onecycle_cli.data.targets import Task
from onecycle_cli.errors import DataError


@dataclass(frozen=True, eq=False)
class Dataset:
    """Everything that an experiment needs to know about its data.

    Attributes:
        name: the name in the configuration.
        x: all inputs, save those of a test set of its own; an array of shape (n, ...), or several,
            see `inputs.Inputs`; images have their channels last. Never changed, never copied.
        y: int32 labels of shape (n,); float32 zeros and ones of shape (n, k) for several labels;
            float32 of shape (n,) or (n, k) for regression, in their own units. To a model in hand,
            whatever it was compiled for: arrays in a structure, or an empty tuple for none.
        train: rows of `x` to train on, int64, ascending.
        validation: rows of `x` to validate on, int64, ascending; none is in `train`.
        classes: the names of the classes, or of the labels; None for regression.
        mean: of the training rows, float32, one number a channel (a feature, when there are no
            images); uint8 counts in units of 255. In the structure of `x`; None for an array that
            stays as it is.
        std: the standard deviation, alike; 1 where it would be 0.
        read_test: reads the test set, see `test`; None: there is none, which only holds for data
            that were handed over in Python.
        origin: where the data came from: a path or the name of a package.
        notes: sentences that the user should see once.
        test_rows: rows of `x` that were set aside as the test set, int64, ascending; None where
            the data have a test set of their own.
        task: what the targets set, see `targets.Meaning`. That of two classes may be `multiclass`
            here and `binary` to a model that answers with one number.
        why: what shows the task, in words.
        weights: of the examples, float32 of shape (n,); None: all count alike.
        stream: the pipeline that the batches of the training come from; then `x` and `y` are its
            first batch only. None: the batches are made of `x` and `y`.
        validation_stream: alike, of the validation; None where there is none.
        columns: the names of the features, where they have any.
        test_files: what the test set is read from, where the user may change it.
        target_scale: how numbers to predict are standardised; None: they stay as they are.
    """

    name: str
    x: Inputs = field(repr=False)
    y: Any = field(repr=False)
    train: NDArray[np.int64] = field(repr=False)
    validation: NDArray[np.int64] = field(repr=False)
    classes: tuple[str, ...] | None
    mean: Any
    std: Any
    read_test: Callable[[], Examples] | None = field(repr=False)
    origin: str
    notes: tuple[str, ...] = ()
    test_rows: NDArray[np.int64] | None = field(default=None, repr=False)
    task: Task = "multiclass"
    why: str = ""
    weights: NDArray[np.float32] | None = field(default=None, repr=False)
    stream: Stream | None = field(default=None, repr=False)
    validation_stream: Stream | None = field(default=None, repr=False)
    columns: tuple[str, ...] | None = None
    test_files: tuple[Path, ...] = field(default=(), repr=False)
    target_scale: TargetScale | None = None

    def __len__(self) -> int:
        return count(self.x)

    @property
    def input_shape(self) -> Any:
        """The shape of one input, without the batch axis; of several in the structure of `x`."""
        return shapes(self.x)

    @property
    def validates(self) -> bool:
        """Whether there is anything to validate on."""
        return len(self.validation) > 0 or self.validation_stream is not None

    @property
    def is_image(self) -> bool:
        """Whether inputs are one array that has height, width and channels."""
        return hasattr(self.x, "ndim") and self.x.ndim == 4

    @property
    def num_outputs(self) -> int:
        """The number of classes or labels, of targets in regression; 1 for `binary`."""
        if self.task == "binary":
            return 1
        if self.classes is not None:
            return len(self.classes)
        return self.y.shape[1] if self.y.ndim == 2 else 1

    @cached_property
    def targets(self) -> Any:
        """`y` as it is trained on: standardised, if it is."""
        return self._as_trained_on(self.y)

    def _as_trained_on(self, y: Any) -> Any:
        return y if self.target_scale is None else self.target_scale.standardised(y)

    def test(self) -> Examples:
        """Read the test set, afresh at each call: inputs as in `x`, and targets as in `targets`.

        Only the last evaluation of a training may ask for it.

        Raises:
            DataError: the test set is damaged or does not fit the training set.
        """
        if self.read_test is None:
            raise DataError(f"{self.origin}: there is no test set.")
        x, y = self.read_test()
        return x, self._as_trained_on(y)

    def normalise(self, inputs: Inputs) -> Inputs:
        """Return (inputs - mean) / std, as float32, for rows of `x` or of the test set.

        Args:
            inputs: of the types of `x`, shape (b, ...) each.
        """
        return mapped(lambda array, scale: scale(array), inputs, self._scales)

    @cached_property
    def _scales(self) -> Any:
        return mapped(lambda _, mean, std: Scale(mean, std), self.x, self.mean, self.std)

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
        arrays: list[Any] = [*arrays_of(self.x), *arrays_of(self.y)]
        forms = [(array.shape[1:], array.dtype.str) for array in arrays]
        digest.update(repr((forms, self.classes)).encode(errors="backslashreplace"))
        test = np.empty(0, np.int64) if self.test_rows is None else self.test_rows
        tables: list[Any] = [self.hashes, self.train, self.validation, test]
        if self.weights is not None:
            tables.append(self.weights)
        for array in tables:
            digest.update(repr((array.shape, array.dtype.str)).encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:16]

    @cached_property
    def fingerprint_of_test(self) -> str | None:
        """Alike, of the files of the test set, which are not decoded for it; None: there are none.

        A test set that is drawn from `x` is part of `fingerprint`.

        Raises:
            DataError: one of them can't be read.
        """
        return digest_of_files(self.test_files)[:16] if self.test_files else None
