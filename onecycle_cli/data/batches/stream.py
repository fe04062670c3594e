"""Batches that somebody else's pipeline makes, one after the other."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from onecycle_cli.data.inputs import arrays_of
from onecycle_cli.errors import DataError

_COMPARED = 2
_PARTS = (1, 2, 3)  # inputs; targets; weights


@dataclass(frozen=True)
class Stream:
    """A pipeline that can be gone through again and again.

    Attributes:
        source: a `tf.data.Dataset`, a `keras.utils.PyDataset`, a PyTorch `DataLoader`, any other
            object that can be iterated repeatedly, or a function that returns an iterator. It gives
            (x, y) or (x, y, sample_weight), batch by batch.
        steps: how many batches make an epoch.
        first: the first batch.
    """

    source: Any
    steps: int
    first: tuple[Any, ...]

    def batches(self, start: int = 0) -> Iterator[tuple[Any, ...]]:
        """Yield batches without an end, pass after pass, from the first pass on.

        Args:
            start: so many are left out at the beginning; they are made all the same.
        """
        passes = (one_pass(self.source) for _ in itertools.count())
        yield from itertools.islice(itertools.chain.from_iterable(passes), start, None)

    def from_batch(self, start: int) -> Iterable[tuple[Any, ...]]:
        """Return what gives `batches(start)` each time that it is gone through."""
        return _FromBatch(self, start)

    def is_repeatable(self) -> bool:
        """Tell whether the first batches are the same each time that one starts anew."""
        first, again = (list(itertools.islice(self.batches(), _COMPARED)) for _ in range(2))
        return all(map(_are_equal, first, again))


@dataclass(frozen=True)
class _FromBatch:
    stream: Stream
    start: int

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self.stream.batches(self.start)


def is_stream(x: Any) -> bool:
    """Tell whether inputs are a pipeline, and no arrays in memory."""
    if isinstance(x, dict | list | tuple | np.ndarray) or hasattr(x, "__array__"):
        return False
    return callable(x) or hasattr(x, "__getitem__") or hasattr(x, "__iter__")


def stream_of(source: Any, steps: int | None, where: str) -> Stream:
    """Return a pipeline as a stream.

    Args:
        source: see `Stream`.
        steps: of an epoch; None: all that one pass gives, which the pipeline has to know.
        where: what it is called, for errors.

    Raises:
        DataError: it can be gone through only once, gives something else, or does not know its
            length.
    """
    if isinstance(source, Iterator):
        raise DataError(
            f"{where} can be gone through only once, and has to be for each trial; give the "
            f"function that makes the generator, or a data set."
        )
    first = next(one_pass(source), None)
    if first is None:
        raise DataError(f"{where} must give batches, and gives none.")
    found = length_of(source) if steps is None else steps
    if found is None:
        raise DataError(
            f"{where} does not know how many batches it gives; say so with steps_per_epoch."
        )
    return Stream(source, found, first)


def length_of(source: Any) -> int | None:
    """Return how many batches one pass gives; None where the pipeline does not know."""
    if hasattr(source, "cardinality"):
        count = int(source.cardinality())
        return count if count > 0 else None
    length = getattr(source, "num_batches", None)
    if isinstance(length, int):
        return length
    try:
        return len(source)
    except (TypeError, NotImplementedError):
        return None


def one_pass(source: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the batches of one pass, as tuples of arrays.

    Raises:
        DataError: it gives something else than batches.
    """
    if hasattr(source, "on_epoch_end") and hasattr(source, "__getitem__"):
        return _indexed(source)
    made = source() if callable(source) and not hasattr(source, "__iter__") else source
    return map(_as_batch, iter(made))


def _indexed(source: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the batches of a `PyDataset`, and tell it that they are through."""
    for index in range(length_of(source) or 0):
        yield _as_batch(source[index])
    source.on_epoch_end()


def _as_batch(given: Any) -> tuple[Any, ...]:
    if not isinstance(given, tuple | list) or len(given) not in _PARTS:
        raise DataError(
            f"a pipeline must give (x, y) or (x, y, sample_weight), got {type(given).__name__}."
        )
    return tuple(_as_arrays(part) for part in given)


def _as_arrays(part: Any) -> Any:
    if isinstance(part, dict):
        return {name: _as_arrays(inner) for name, inner in part.items()}
    if isinstance(part, list | tuple):
        return tuple(map(_as_arrays, part))
    return np.asarray(part.detach() if hasattr(part, "detach") else part)


def _are_equal(first: tuple[Any, ...], again: tuple[Any, ...]) -> bool:
    pairs = zip(arrays_of(first), arrays_of(again), strict=True)
    return all(a.shape == b.shape and bool(np.array_equal(a, b)) for a, b in pairs)
