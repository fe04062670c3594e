"""A batch as a pure function of (seed, epoch, step): no iterator, no history."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.batches.augment import Augment
from onecycle_cli.data.batches.own_augmentation import OwnAugmentation, seed_of
from onecycle_cli.data.dataset import Dataset
from onecycle_cli.data.inputs import Inputs, arrays_of, rows_of
from onecycle_cli.errors import DataError

_NO_EPOCH = 2**32 - 1


def steps_per_epoch(dataset: Dataset, batch_size: int) -> int:
    """Return how many batches hold the training part once; the last may be smaller.

    Raises:
        DataError: a batch would be larger than the training part.
    """
    if dataset.stream is not None:
        return dataset.stream.steps
    count = len(dataset.train)
    if batch_size > count:
        raise DataError(
            f"batch_size must be at most the {count} training examples of {dataset.name}, got "
            f"{batch_size}; lower it or use more data."
        )
    return math.ceil(count / batch_size)


def batch(
    dataset: Dataset,
    *,
    seed: int,
    epoch: int,
    step: int,
    batch_size: int,
    augment: Augment | OwnAugmentation | None = None,
) -> tuple[Any, ...]:
    """Return one training batch; the same arguments give the same bytes, in any order of calls.

    The order of an epoch is a permutation drawn from (seed, epoch), so each epoch shows every
    training example once; the augmentation is drawn from (seed, epoch, step), but which half of
    the examples starts mirrored, where flips alternate, from the seed alone.

    Args:
        dataset: where the examples come from.
        seed: an integer >= 0.
        epoch: counted from 0.
        step: the batch within its epoch, 0 <= step < steps_per_epoch.
        batch_size: examples in a batch; the last of an epoch holds what remains.
        augment: what to do to the images; None for nothing.

    Returns:
        Inputs, normalised, of shape (b, ...) each; targets, int32 of shape (b,) or float32 of shape
        (b,) or (b, k); and, where examples have weights, these, float32 of shape (b,).

    Raises:
        IndexError: the epoch has no such step.
    """
    order = _order(len(dataset.train), seed, epoch)
    chosen = order[step * batch_size : (step + 1) * batch_size]
    if step < 0 or not len(chosen):
        last = math.ceil(len(order) / batch_size) - 1
        raise IndexError(f"step must lie in 0..{last}, got {step}")
    rows = dataset.train[chosen]
    targets = told_of(dataset.targets, dataset.weights, rows)
    if augment is None:
        return dataset.normalise(rows_of(dataset.x, rows)), *targets
    if isinstance(augment, OwnAugmentation):
        inputs = augment(rows_of(dataset.x, rows), seed_of(seed, epoch, step))
        return dataset.normalise(inputs), *targets
    draws = _draws(seed, epoch, step, len(rows))
    if augment.flip == "alternate":
        draws[0] = (_starts_mirrored(len(order), seed)[chosen] + epoch) % 2
    return _augmented(dataset, rows, augment, draws), *targets


def told_of(y: Inputs, weights: NDArray[np.float32] | None, rows: NDArray[Any]) -> tuple[Any, ...]:
    """Return what `fit` is told of some examples besides their inputs: targets and weights."""
    if not arrays_of(y):
        return ()
    return rows_of(y, rows), *(() if weights is None else (weights[rows],))


@lru_cache(maxsize=8)
def _order(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    order = np.random.Generator(np.random.PCG64([seed, epoch])).permutation(count)
    order.flags.writeable = False  # it is shared
    return order


@lru_cache(maxsize=8)
def _starts_mirrored(count: int, seed: int) -> NDArray[np.int64]:
    """Draw, for each training example, 0 if it is mirrored in the first epoch, else 1.

    The key is one that no epoch has: the largest number that it can hold.
    """
    drawn = np.random.Generator(np.random.PCG64([seed, _NO_EPOCH])).integers(0, 2, count)
    drawn.flags.writeable = False  # it is shared
    return drawn


def _draws(seed: int, epoch: int, step: int, count: int) -> NDArray[np.float64]:
    """Draw five numbers in [0, 1) for each image, whatever the augmentation needs of them.

    The step counts from 1 here, since NumPy takes [seed, epoch, 0] for [seed, epoch], which has
    drawn the order.
    """
    return np.random.Generator(np.random.PCG64([seed, epoch, step + 1])).random((5, count))


def _augmented(
    dataset: Dataset, rows: NDArray[np.int64], augment: Augment, draws: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Pick, crop and mirror in one gather of pixels; normalise; then cut the holes."""
    height, width, channels = dataset.input_shape
    lines, columns = augment.grid(draws, height, width)
    pixels = ((rows[:, None] * height + lines) * width)[:, :, None] + columns[:, None, :]
    images = dataset.normalise(dataset.x.reshape(-1, channels).take(pixels, axis=0))
    if augment.cutout:
        images[augment.hole(draws, height, width)] = 0.0
    return images
