"""Whether the loss that a model was compiled with suits its outputs and its targets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.inputs import Inputs, arrays_of
from onecycle_cli.data.targets import looks_like_classes
from onecycle_cli.errors import ModelError
from onecycle_cli.workbench.scoring.objective import Objective

_SUM_TOLERANCE = 0.02


def are_probabilities(outputs: NDArray[Any], *, of_classes: bool) -> bool:
    """Tell whether a model's outputs, of shape (n, k), can be probabilities.

    Args:
        outputs: what the model answers to a few examples.
        of_classes: whether they are to add up to 1.
    """
    adds_up = not of_classes or np.abs(outputs.sum(axis=1) - 1).max() <= _SUM_TOLERANCE
    return bool(outputs.min() >= 0 and outputs.max() <= 1 and adds_up)


def check_loss(objective: Objective, outputs: Any, targets: Inputs) -> str | None:
    """Refuse a compiled loss that can't be computed of such outputs and targets.

    Args:
        objective: what the model was compiled for.
        outputs: what it answers to a few examples.
        targets: of all examples, in the form that the loss is given.

    Returns:
        A sentence for the user where the loss can be computed, but probably is another one than was
        meant; or `None`.

    Raises:
        ModelError: saying what to compile the model with, or how to write the targets.
    """
    if objective.task == "other" or len(arrays_of(targets)) != 1:
        return None
    (y,) = arrays_of(targets)
    if y.dtype.kind not in "buif" or y.ndim > 2 or not y.size:
        return None
    columns, count = (1 if y.ndim == 1 else y.shape[1]), outputs.shape[1]
    if objective.task == "multiclass":
        _check_classes(objective, y, columns, count)
    elif objective.task == "regression":
        if columns == 1 < count:
            raise ModelError(
                f"the model has {count} outputs and is compiled with {objective.loss}, which "
                f"compares each with a target of its own, but y has one for each example. If these "
                f"are classes, compile it with sparse_categorical_crossentropy; else end it with "
                f"one output."
            )
        if (what := looks_like_classes(y)) is not None:
            return (
                f"the targets look like classes ({what}), but the model is compiled with "
                f"{objective.loss}, which takes them for numbers to predict; if they are classes, "
                f"compile it with a cross-entropy."
            )
    return _doubt_of_the_end(objective, np.asarray(outputs, np.float64))


def _doubt_of_the_end(objective: Objective, outputs: NDArray[np.float64]) -> str | None:
    """Say that a cross-entropy takes logits for probabilities, or probabilities for logits.

    A few logits of labels may lie between 0 and 1, so nothing is said of these.
    """
    if objective.task == "regression" or not np.isfinite(outputs).all():
        return None
    of_classes = objective.task == "multiclass"
    end = "softmax" if of_classes else "sigmoid"
    given = are_probabilities(outputs, of_classes=of_classes)
    if objective.gives_probabilities and not given:
        return (
            f"the model is compiled with a cross-entropy that takes probabilities, but its outputs "
            f"are not probabilities: they range from {outputs.min():.3g} to {outputs.max():.3g}. "
            f"End it with a {end}, or compile it with a loss that has from_logits=True."
        )
    if objective.from_logits and of_classes and given:
        return (
            "the model is compiled with from_logits=True, but its outputs are probabilities "
            "already; leave out from_logits, or the softmax."
        )
    return None


def _check_classes(objective: Objective, y: NDArray[Any], columns: int, count: int) -> None:
    if objective.one_hot:
        if columns != count:
            form = "one label for each example" if columns == 1 else f"rows of {columns}"
            raise ModelError(
                f"the model is compiled with categorical_crossentropy, which takes one-hot rows of "
                f"{count}, one for each output, but y has {form}; compile it with "
                f"sparse_categorical_crossentropy for labels, or write y as such rows."
            )
        return
    if columns > 1:
        raise ModelError(
            f"the model is compiled with sparse_categorical_crossentropy, which takes one label "
            f"for each example, but y has rows of {columns}; compile it with "
            f"categorical_crossentropy for one-hot rows, or give y.argmax(axis=1)."
        )
    low, high = np.min(y), np.max(y)
    if low < 0 or high >= count:
        raise ModelError(
            f"the labels go from {low:g} to {high:g}, but a model with {count} outputs takes 0 to "
            f"{count - 1}; number the classes from 0 on, or give the model as many outputs as "
            f"there are classes."
        )
