"""What a model that comes compiled is to learn: what was said to `compile`."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np

from onecycle_cli.data.inputs import arrays_of
from onecycle_cli.data.targets import Task
from onecycle_cli.workbench.scoring.objective import (
    BINARY_CROSS_ENTROPY,
    CROSS_ENTROPY,
    Objective,
)

OTHER = Objective("other", "compiled")
"""A loss that only the model itself can compute."""

_KNOWN = {
    "sparse_categorical_crossentropy": (CROSS_ENTROPY, "SparseCategoricalCrossentropy"),
    "categorical_crossentropy": (CROSS_ENTROPY, "CategoricalCrossentropy"),
    "binary_crossentropy": (BINARY_CROSS_ENTROPY, "BinaryCrossentropy"),
    "mean_squared_error": ("mse", "MeanSquaredError"),
    "mean_absolute_error": ("mae", "MeanAbsoluteError"),
    "huber": ("huber", None),  # an instance does not say its delta
}
"""The name of a loss, and of its class in Keras, by the name of its function there."""

_ONE_HOT = "categorical_crossentropy"


def objective_of_compiled(model: Any, outputs: Any, targets: Any) -> Objective:
    """Return what a compiled model is to learn.

    A single output of shape (n, k), judged by a stock loss of `keras.losses`, is a task like any;
    whatever else it may be, the model computes its loss itself, batch by batch.

    Args:
        model: compiled.
        outputs: what it answers to a few examples.
        targets: of these, in the form that it takes.
    """
    name, settings = _named(model.loss)
    is_single = not isinstance(outputs, dict | list | tuple) and outputs.ndim == 2
    has_own_way = has_own_loss(model) or has_own_step(model)
    if name is None or not is_single or has_own_way or len(arrays_of(targets)) != 1:
        return OTHER
    if _is_weighted(model):
        return OTHER
    loss, _ = _KNOWN[name]
    from_logits = bool(settings.get("from_logits"))
    smoothing = float(settings.get("label_smoothing") or 0)
    if loss == CROSS_ENTROPY:
        rows = name == _ONE_HOT
        return Objective("multiclass", loss, from_logits, smoothing, one_hot=rows)
    if loss == BINARY_CROSS_ENTROPY:
        task: Task = "binary" if outputs.shape[1] == 1 else "multilabel"
        return Objective(task, loss, from_logits, smoothing)
    return Objective("regression", loss)


def has_own_loss(model: Any) -> bool:
    """Tell whether a model's class computes the loss in its own way."""
    return type(model).compute_loss is not keras.Model.compute_loss


def has_own_step(model: Any) -> bool:
    """Tell whether a model's class takes a training step in its own way."""
    return type(model).train_step is not keras.Model.train_step


def compiled_for(objective: Objective, optimizer: Any) -> str:
    """Return in words what a model is compiled for."""
    loss = "its own loss" if objective.task == "other" else f"loss {objective.loss}"
    return (
        f"task: {objective.task} (the model comes compiled, with {loss} and "
        f"{type(optimizer).__name__})"
    )


def floor_of_compiled(model: Any) -> float | None:
    """Return the least that a compiled loss can be: 0 of those that are known; None of others."""
    losses = keras.tree.flatten(model.loss)
    are_known = bool(losses) and all(_named(loss)[0] is not None for loss in losses)
    return 0.0 if are_known and not has_own_loss(model) else None


def _is_weighted(model: Any) -> bool:
    """Tell whether the loss is multiplied by a number of the user's."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what can't be saved, which nobody does here
            return model.get_compile_config().get("loss_weights") is not None
    except Exception:  # what can't be put into a configuration, such as a loss of one's own
        return True


def as_labels(targets: Any) -> Any:
    """Return labels of shape (n,), of labels in a column or in rows with a single one in each."""
    rows = np.asarray(targets)
    if rows.ndim == 2 and rows.shape[1] > 1:
        return rows.argmax(axis=1)
    return rows.reshape(len(rows)).astype(np.int64)


def _named(loss: Any) -> tuple[str | None, dict[str, Any]]:
    """Return the name of a loss and its settings; no name where it is none of the known ones."""
    if isinstance(loss, list | tuple | dict) and len(loss) == 1:
        loss = next(iter(loss.values() if isinstance(loss, dict) else loss))
    try:
        loss = keras.losses.get(loss)
    except (ValueError, TypeError):
        return None, {}
    for name, (_, class_name) in _KNOWN.items():
        if loss is getattr(keras.losses, name, None):
            return name, {}
        if class_name is not None and type(loss) is getattr(keras.losses, class_name):
            settings = loss.get_config()
            return (name, settings) if _is_plain(settings, type(loss)) else (None, {})
    return None, {}


def _is_plain(settings: dict[str, Any], kind: type) -> bool:
    """Tell whether a loss differs from a stock one in logits and smoothing only."""
    stock = kind().get_config()
    free = ("name", "from_logits", "label_smoothing", "dtype")
    return all(settings[key] == stock[key] for key in settings if key not in free)
