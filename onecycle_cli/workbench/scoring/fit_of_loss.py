"""Whether the loss that a model was compiled with suits its outputs and its targets."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.inputs import Inputs, arrays_of
from onecycle_cli.data.targets import looks_like_classes
from onecycle_cli.errors import ModelError
from onecycle_cli.workbench.scoring.objective import Objective


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
