"""The loss on a few batches of held-out data, after any training step."""

from __future__ import annotations

import itertools
import types
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from keras import ops, tree

from onecycle_cli.engine.batch_readers import batch_reader
from onecycle_cli.engine.state.variables import read, variables_of
from onecycle_cli.errors import ArgumentError

_INFINITE = -1  # the cardinality of an endless tf.data.Dataset

_Batch = tuple[Any, Any, Any]
"""Inputs, targets and sample weights, the last two of which may be `None`."""


class ValidationLoss:
    """Data loss of a model on a few batches of a validation set.

    Args:
        held_out: what the `validation_data` of `fit` may be: `(x, y)` or `(x, y, sample_weight)`,
            with arrays of shape (n, ...) or lists and dicts of them, of which random batches are
            drawn; or a data set that gives batches itself, such as a `tf.data.Dataset` or a
            `PyDataset`, which are taken in turn.
        num_batches: how many batches; negative for all there are.
        batch_size: samples in a batch drawn from arrays.

    Raises:
        ValueError: when it is neither, is empty, or its arrays have different lengths.
    """

    def __init__(self, held_out: Any, *, num_batches: int, batch_size: int) -> None:
        self._batches = (
            _RandomBatches(held_out, num_batches, batch_size)
            if isinstance(held_out, tuple | list)
            else _BatchesInTurn(held_out, num_batches)
        )
        self._held: list[Any] | None = None

    def __call__(self, model: Any, batch_loss: Callable[[], float]) -> float:
        """Return the mean data loss, and leave metrics and recurrent states as they were."""
        held = [(variable, read(variable)) for variable in self._beside_training(model)]
        losses, sizes = [], []
        for x, y, sample_weight in self._batches.draw():
            model.test_on_batch(x, y, sample_weight)
            losses.append(batch_loss())
            sizes.append(len(tree.flatten(x)[0]))
        for variable, value in held:
            variable.assign(value)
        return float(np.average(losses, weights=sizes))

    def _beside_training(self, model: Any) -> list[Any]:
        """Return the state that evaluation may change; looked up once."""
        if self._held is None:
            others = {id(v) for v in (*model.trainable_variables, *model.optimizer.variables)}
            self._held = [v for v in variables_of(model) if id(v) not in others]
        return self._held


class _RandomBatches:
    """Batches of one size, drawn from arrays without replacement, the same in each test."""

    def __init__(self, held_out: Any, num_batches: int, batch_size: int) -> None:
        if not 1 <= len(held_out) <= 3:
            raise _unsuited(f"{len(held_out)} values")
        self._parts = [_as_arrays(part) for part in (*held_out, None, None)[:3]]
        lengths = [len(array) for array in tree.flatten(self._parts) if array is not None]
        if len(set(lengths)) > 1:
            found = ", ".join(map(str, lengths))
            raise ArgumentError(f"validation_data must be (x, y) of one length; got {found}.")
        self._length = lengths[0]
        if not self._length:
            raise ArgumentError("validation_data must have samples; got none.")
        self._size = min(batch_size, self._length)
        available = self._length // self._size
        self._count = available if num_batches < 0 else min(num_batches, available)
        self._random = np.random.default_rng(0)

    def draw(self) -> Iterator[_Batch]:
        """Yield the batches for one measurement."""
        drawn = self._random.choice(self._length, self._count * self._size, replace=False)
        for rows in np.split(drawn, self._count):
            x, y, weight = (_rows_of(part, rows) for part in self._parts)
            yield x, y, weight


class _BatchesInTurn:
    """Batches of a data set, from where the last measurement ended, over and over."""

    def __init__(self, held_out: Any, num_batches: int) -> None:
        self._reader = _reader_of(held_out)
        available = self._reader.num_batches
        if num_batches < 0 and _is_endless(held_out, available):
            raise ArgumentError(
                "validation_data never ends, so validation_sample_rate must be a number of "
                f"batches; got {num_batches}, which takes all there are."
            )
        if available is not None:
            num_batches = min(num_batches, available)
        self._count = None if num_batches < 0 else num_batches
        self._endless = self._over_and_over()

    def draw(self) -> Iterator[_Batch]:
        """Yield the batches for one measurement."""
        return self._once() if self._count is None else itertools.islice(self._endless, self._count)

    def _over_and_over(self) -> Iterator[_Batch]:
        while True:
            yield from self._once()

    def _once(self) -> Iterator[_Batch]:
        is_empty = True
        for batch in self._reader.get_numpy_iterator():
            is_empty = False
            yield keras.utils.unpack_x_y_sample_weight(batch)
        if is_empty:
            raise ArgumentError("validation_data must give batches; it gave none.")
        self._reader.on_epoch_end()


def _reader_of(held_out: Any) -> Any:
    if isinstance(held_out, types.GeneratorType):
        raise _unsuited("a generator, which can be read only once")
    try:
        reader = batch_reader(held_out)
    except (ValueError, TypeError):
        raise _unsuited(type(held_out).__name__) from None
    if reader is None:
        raise _unsuited(f"one {type(held_out).__name__}")
    return reader


def _is_endless(held_out: Any, available: int | None) -> bool:
    if isinstance(held_out, keras.utils.PyDataset):
        return available is None
    return hasattr(held_out, "cardinality") and int(held_out.cardinality()) == _INFINITE


def _as_arrays(part: Any) -> Any:
    """Return numbers in any form as arrays, in the structure that they are in."""
    if part is None:
        return None
    is_plain = isinstance(part, list) and not any(hasattr(p, "shape") for p in tree.flatten(part))
    if is_plain:
        return np.asarray(part)
    arrays = tree.map_structure(lambda each: np.asarray(ops.convert_to_numpy(each)), part)
    if any(array.ndim == 0 for array in tree.flatten(arrays)):
        raise _unsuited(f"a tuple that holds a {type(part).__name__}")
    return arrays


def _rows_of(part: Any, rows: Any) -> Any:
    return None if part is None else tree.map_structure(lambda array: array[rows], part)


def _unsuited(what: str) -> ValueError:
    return ValueError(
        f"validation_data must be (x, y), (x, y, sample_weight), or a data set that gives such "
        f"batches and can be read again; got {what}."
    )
