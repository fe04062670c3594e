"""The loss that a configuration and its data call for."""

from __future__ import annotations

from typing import Any

import keras

from onecycle_cli.config import Config
from onecycle_cli.data import Dataset
from onecycle_cli.data.targets import hidden_classes

CROSS_ENTROPY = "sparse_categorical_crossentropy"
_REGRESSION = {
    "mse": keras.losses.MeanSquaredError,
    "mae": keras.losses.MeanAbsoluteError,
    "huber": keras.losses.Huber,
}


def name_of_loss(config: Config, dataset: Dataset) -> str:
    """Return the name of the loss; `auto` stands for what the targets call for."""
    if config.loss.name != "auto":
        return config.loss.name
    return CROSS_ENTROPY if dataset.is_classification else "mse"


def make_loss(config: Config, dataset: Dataset, reduction: str | None = None) -> Any:
    """Return the loss; without a `reduction` it gives one number for each example and target."""
    name = name_of_loss(config, dataset)
    if name == CROSS_ENTROPY:
        return keras.losses.SparseCategoricalCrossentropy(
            from_logits=config.loss.from_logits, reduction=reduction
        )
    return _REGRESSION[name](reduction=reduction)


def make_training_loss(config: Config, dataset: Dataset) -> Any:
    """Return the loss that is trained on; with `train.label_smoothing` it takes one-hot targets."""
    smoothing = config.train.label_smoothing
    if smoothing and name_of_loss(config, dataset) == CROSS_ENTROPY:
        return keras.losses.CategoricalCrossentropy(
            from_logits=config.loss.from_logits, label_smoothing=smoothing
        )
    return make_loss(config, dataset, "sum_over_batch_size")


def check_loss_fits(config: Config, dataset: Dataset) -> None:
    """Make sure that the loss is one for such targets, and that it's plain what they mean.

    Raises:
        ConfigError: when it is not.
    """
    name = name_of_loss(config, dataset)
    wants_classes = name == CROSS_ENTROPY
    if wants_classes != dataset.is_classification:
        remedy = ""
        if dataset.name == "arrays":
            remedy = f", or write them as {'integers from 0 up' if wants_classes else 'floats'}"
        raise config.error(
            "loss",
            f"loss {name} needs {'class labels' if wants_classes else 'numbers'} as "
            f"targets, and {dataset.name} has "
            f"{'class labels' if dataset.is_classification else 'numbers'}; use auto{remedy}.",
        )
    meant = None if wants_classes or config.loss.name != "auto" else hidden_classes(dataset.y)
    if meant is not None:
        raise config.error(
            "loss",
            f"the targets in {dataset.origin} {meant}, or set loss: mse to predict them as they "
            f"are.",
        )
