"""What a model is to learn: the task, and the loss that the configuration and the data call for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import keras

from onecycle_cli.config import Config
from onecycle_cli.data import Dataset
from onecycle_cli.data.targets import Task
from onecycle_cli.errors import ConfigError

CROSS_ENTROPY = "sparse_categorical_crossentropy"
BINARY_CROSS_ENTROPY = "binary_crossentropy"
_REGRESSION = {
    "mse": keras.losses.MeanSquaredError,
    "mae": keras.losses.MeanAbsoluteError,
    "huber": keras.losses.Huber,
}
_LOSSES: dict[Task, tuple[str, ...]] = {
    "multiclass": (CROSS_ENTROPY,),
    "binary": (BINARY_CROSS_ENTROPY,),
    "multilabel": (BINARY_CROSS_ENTROPY,),
    "regression": tuple(_REGRESSION),
}
"""The losses of each task; the first is what `auto` stands for."""

_TARGETS: dict[Task, str] = {
    "multiclass": "class labels",
    "binary": "labels of two classes",
    "multilabel": "zeros and ones for several labels",
    "regression": "numbers",
}


@dataclass(frozen=True)
class Objective:
    """What a model is to learn.

    Attributes:
        task: what the targets set; `other` to a model that was compiled with a loss of its own.
        loss: the name of the loss, or `compiled`.
        from_logits: whether the model ends without a softmax or a sigmoid.
        smoothing: share of each target that goes to all classes alike, in training.
        one_hot: whether the loss takes labels as rows, without smoothing too.
    """

    task: Task | Literal["other"]
    loss: str
    from_logits: bool = False
    smoothing: float = 0.0
    one_hot: bool = False

    @property
    def gives_probabilities(self) -> bool:
        """Whether the model has to end in probabilities."""
        return self.task not in ("regression", "other") and not self.from_logits

    @property
    def activation(self) -> str | None:
        """What the last layer of a network needs; `None`: a softmax."""
        if not self.gives_probabilities:
            return "linear"
        return None if self.task == "multiclass" else "sigmoid"

    @property
    def takes_one_hot(self) -> bool:
        """Whether labels are to be given as rows in the training."""
        return self.task == "multiclass" and (self.smoothing > 0 or self.one_hot)

    def per_example(self) -> Any:
        """Return the loss that gives one number for each example and column, without smoothing."""
        return self._made(0.0, None)

    def in_training(self) -> Any:
        """Return the loss that is trained on; its mean over a batch."""
        if self.takes_one_hot:
            return keras.losses.CategoricalCrossentropy(
                from_logits=self.from_logits, label_smoothing=self.smoothing
            )
        return self._made(self.smoothing, "sum_over_batch_size")

    def _made(self, smoothing: float, reduction: str | None) -> Any:
        if self.loss == CROSS_ENTROPY:
            return keras.losses.SparseCategoricalCrossentropy(
                from_logits=self.from_logits, reduction=reduction
            )
        if self.loss == BINARY_CROSS_ENTROPY:
            return keras.losses.BinaryCrossentropy(
                from_logits=self.from_logits, label_smoothing=smoothing, reduction=reduction
            )
        return _REGRESSION[self.loss](reduction=reduction)


def objective_of(config: Config, dataset: Dataset) -> Objective:
    """Return what a configuration and its data call for.

    Raises:
        ConfigError: when the loss is not one for such targets, or is smoothed and can't be.
    """
    task = dataset.task
    if task == "multiclass" and config.loss.name == BINARY_CROSS_ENTROPY and _are_two(dataset):
        task = "binary"
    if config.task not in {"auto", task}:
        wanted = next(words for name, words in _TARGETS.items() if name == config.task)
        raise config.error(
            "task",
            f"task {config.task} needs {wanted} as targets, and {dataset.name} has "
            f"{_TARGETS[task]} ({dataset.why}); use auto.",
        )
    fitting = _LOSSES[task]
    name = fitting[0] if config.loss.name in {"auto", "compiled"} else config.loss.name
    if name not in fitting:
        raise _unfitting(config, dataset, name)
    smoothing = config.train.label_smoothing
    if smoothing and task == "regression":
        raise config.error(
            "train.label_smoothing",
            f"train.label_smoothing needs class labels, and {dataset.name} has numbers; "
            f"set it to 0.",
        )
    return Objective(task, name, config.loss.from_logits, smoothing)


def _are_two(dataset: Dataset) -> bool:
    return dataset.classes is not None and len(dataset.classes) == 2


def _unfitting(config: Config, dataset: Dataset, name: str) -> ConfigError:
    wanted = " or ".join(_TARGETS[task] for task, losses in _LOSSES.items() if name in losses)
    return config.error(
        "loss",
        f"loss {name} needs {wanted} as targets, and {dataset.name} has {_TARGETS[dataset.task]} "
        f"({dataset.why}); use auto, or set task to what they mean.",
    )
