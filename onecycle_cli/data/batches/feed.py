"""Batches in the form that Keras takes: items that are computed when they are asked for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.batches.augment import Augment, check_augment
from onecycle_cli.data.batches.batching import batch, steps_per_epoch, told_of
from onecycle_cli.data.batches.own_augmentation import OwnAugmentation
from onecycle_cli.data.batches.resize import Resize, shrink
from onecycle_cli.data.dataset import Dataset
from onecycle_cli.data.inputs import Inputs, mapped, rows_of
from onecycle_cli.data.sources.source import Examples
from onecycle_cli.errors import DataError

Batch = tuple[Any, ...]
"""Inputs, targets and, where examples have weights, these."""


class Batches(keras.utils.PyDataset):
    """Training batches, numbered through all epochs.

    Item i is the batch of epoch (start + i) // S and step (start + i) % S, where S =
    `steps_per_epoch`. Nothing is remembered from one item to the next, so Keras may read ahead,
    or read an item twice (it reads the first two to learn their shapes), without effect.

    Keras is told that the length is unknown: of a finite `PyDataset`, `fit` shuffles the items
    unless told `shuffle=False`. So `fit` needs to be told how long an epoch is, and goes on where
    the last epoch ended:

        batches = Batches(dataset, seed=0, batch_size=128, num_steps=epochs * steps)
        model.fit(batches, epochs=epochs, steps_per_epoch=steps, shuffle=False)

    With `compile(steps_per_execution=k)`, k must divide that length: Keras rounds it up, and an
    unknown length does not stop it.

    Args:
        dataset: where the examples come from.
        seed: an integer >= 0.
        batch_size: examples in a batch.
        num_steps: `len` of this object, and where a Python loop over it ends.
        start: the global step of item 0; not 0 for a run that is resumed.
        augment: what to do to the images; None for nothing.
        one_hot: give labels as rows of a float32 matrix of shape (b, classes).
        resize: which size the images have at each global step; None for their own.

    Raises:
        DataError: a batch is larger than the training part, or the augmentation does not fit.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        seed: int,
        batch_size: int,
        num_steps: int,
        start: int = 0,
        augment: Augment | OwnAugmentation | None = None,
        one_hot: bool = False,
        resize: Resize | None = None,
    ) -> None:
        super().__init__()
        if isinstance(augment, Augment):
            check_augment(augment, dataset.input_shape)
        self.dataset = dataset
        self.seed = seed
        self.batch_size = batch_size
        self.num_steps = num_steps
        self.start = start
        self.augment = augment
        self.one_hot = one_hot
        self.resize = resize
        self.steps_per_epoch = steps_per_epoch(dataset, batch_size)

    @property
    def num_batches(self) -> None:
        """None: what Keras takes for no known end."""
        return

    def __len__(self) -> int:
        return self.num_steps

    def __iter__(self) -> Iterator[Batch]:
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index: int) -> Batch:
        epoch, step = divmod(self.start + index, self.steps_per_epoch)
        x, *others = batch(
            self.dataset,
            seed=self.seed,
            epoch=epoch,
            step=step,
            batch_size=self.batch_size,
            augment=self.augment,
        )
        size = None if self.resize is None else self.resize.at(self.start + index)
        x = x if size is None else shrink(x, size)
        if self.one_hot:
            others[0] = np.eye(self.dataset.num_outputs, dtype=np.float32)[others[0]]
        return with_text(x), *others


def with_text(inputs: Inputs) -> Inputs:
    """Return inputs in which text is a tensor of TensorFlow, as Keras takes it.

    Raises:
        DataError: there is text, and Keras runs on another backend.
    """

    def taken(array: NDArray[Any]) -> Any:
        if array.dtype.kind != "O":
            return array
        if keras.backend.backend() != "tensorflow":
            raise DataError(
                f"text as inputs needs TensorFlow, and Keras runs on {keras.backend.backend()}; "
                f"turn it into numbers first."
            )
        import tensorflow as tf

        return tf.constant(array.tolist(), tf.string)

    return mapped(taken, inputs)


class EvaluationBatches(keras.utils.PyDataset):
    """Examples in their order, each once, normalised and never augmented.

    For `evaluate`, `predict` and `fit(validation_data=...)`, which do not shuffle:

        model.evaluate(EvaluationBatches(dataset, dataset.validation, batch_size=256))

    Args:
        dataset: how to normalise, and, unless `examples` are given, where the examples come from.
        rows: which examples, int64 of shape (m,).
        batch_size: examples in a batch; the last holds what remains.
        examples: inputs and targets that `rows` counts in, instead of the data set's pool.
        mirrored: whether the images are mirrored, left to right.
        weights: of the examples that `rows` counts in, shape (n,); None: all count alike.
    """

    def __init__(
        self,
        dataset: Dataset,
        rows: NDArray[np.int64],
        *,
        batch_size: int,
        examples: Examples | None = None,
        mirrored: bool = False,
        weights: NDArray[np.float32] | None = None,
    ) -> None:
        super().__init__()
        self.dataset = dataset
        self.rows = rows
        self.batch_size = batch_size
        self.x: Inputs = dataset.x if examples is None else examples[0]
        self.y: Inputs = dataset.y if examples is None else examples[1]
        self.mirrored = mirrored
        self.weights = weights

    def mirror(self) -> EvaluationBatches:
        """Return the same images, mirrored left to right."""
        return EvaluationBatches(
            self.dataset,
            self.rows,
            batch_size=self.batch_size,
            examples=(self.x, self.y),
            mirrored=not self.mirrored,
        )

    def __len__(self) -> int:
        return math.ceil(len(self.rows) / self.batch_size)

    def __getitem__(self, index: int) -> Batch:
        if not 0 <= index < len(self):
            raise IndexError(f"index must lie in 0..{len(self) - 1}, got {index}")
        rows = self.rows[index * self.batch_size : (index + 1) * self.batch_size]
        x = self.x[rows][:, :, ::-1] if self.mirrored else rows_of(self.x, rows)
        return with_text(self.dataset.normalise(x)), *told_of(self.y, self.weights, rows)
