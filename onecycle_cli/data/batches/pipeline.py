"""Batches as `fit` takes them: read ahead, and over when the training is over."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import keras
from numpy.typing import NDArray

from onecycle_cli.data.batches.feed import Batch
from onecycle_cli.data.inputs import mapped
from onecycle_cli.engine.devices.data_parallel import in_use
from onecycle_cli.engine.devices.shares import dealt
from onecycle_cli.errors import DataError

_AHEAD = 2
_COMPARED = 2


def for_fit(batches: Iterable[Batch], *, any_size: bool = False, whole: bool = False) -> Any:
    """Return batches for one call to `fit`; it can be gone through once.

    Where several devices train together, batches are read from the start more than once.

    On TensorFlow they become a `tf.data.Dataset` that does not tune itself. Keras would make one
    that does, and that has a thread which sleeps twice as long each time, up to a minute. Now and
    then the thread is not woken when `fit` is done, and then `fit` waits for it, up to as long as
    the training took. Other backends are given the batches as they are.

    Args:
        batches: inputs, targets and, where examples have weights, these. Axes whose size differs
            between the first two may have any size in all.
        any_size: whether the images change their size later on; inputs of shape (b, h, w, c).
        whole: whether each device is given all of every batch, where there are several.

    Raises:
        DataError: the first two batches differ in their numbers of axes.
    """
    if keras.backend.backend() != "tensorflow":
        return batches if isinstance(batches, keras.utils.PyDataset) else iter(batches)
    import tensorflow as tf

    source = iter(batches)
    first = list(itertools.islice(source, _COMPARED))
    x, *others = mapped(_spec, first[0], first[-1])
    if any_size:
        x = tf.TensorSpec((None, None, None, x.shape[-1]), x.dtype)
    if in_use() > 1:
        return dealt(batches, (x, *others), _untuned(), whole=whole)
    dataset = tf.data.Dataset.from_generator(
        lambda: itertools.chain(first, source), output_signature=(x, *others)
    )
    return dataset.prefetch(_AHEAD).with_options(_untuned())


def _spec(array: NDArray[Any], other: NDArray[Any]) -> Any:
    import tensorflow as tf

    if array.ndim != other.ndim:
        raise DataError(
            f"arrays of all batches must have the same number of axes, got shapes {array.shape} "
            f"and {other.shape} in the first two."
        )
    sizes = zip(array.shape[1:], other.shape[1:], strict=True)
    shape = (None, *(a if a == b else None for a, b in sizes))
    return tf.TensorSpec(shape, tf.as_dtype(array.dtype))


def _untuned() -> Any:
    import tensorflow as tf

    options = tf.data.Options()
    options.autotune.enabled = False
    return options
