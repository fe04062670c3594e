"""Whether the loss of a model hears of the targets at all."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from onecycle_cli.data.inputs import Inputs, rows_of
from onecycle_cli.workbench.scoring.compiled import has_own_loss

_FEW = 32


def ignores_targets(model: Any, x: NDArray[Any], y: NDArray[Any]) -> bool:
    """Tell whether a model's own `compute_loss` gives the same for a batch, whatever its targets.

    The model trains to no end then, and nothing fails. It is evaluated once; its state may change.

    Args:
        model: built and compiled.
        x: inputs of a few examples, of shape (n, ...).
        y: their targets, of shape (n, ...): class labels, one-hot rows or numbers.
    """
    if not has_own_loss(model):
        return False
    inputs = ops.convert_to_tensor(x)
    try:
        outputs = model(inputs, training=False)
        first, *others = (
            float(
                model.compute_loss(
                    x=inputs, y=ops.convert_to_tensor(targets), y_pred=outputs, training=False
                )
            )
            for targets in (y, *_changed(y))
        )
    except Exception:  # the training, which comes next, says what is wrong
        return False
    return bool(np.isfinite(first)) and all(other == first for other in others)


def warning_of_ignored_targets(model: Any, name: str, x: Inputs, *others: Any) -> str | None:
    """Return what to say of a model whose loss does not depend on the targets; else `None`.

    Args:
        model: built and compiled; its state may change.
        name: what it is called.
        x: the inputs of a batch.
        others: its targets, if it has any, and whatever goes with them.
    """
    if not others:
        return None
    few = slice(_FEW)
    if not ignores_targets(model, rows_of(x, few), rows_of(others[0], few)):
        return None
    return (
        f"the loss of model {name} does not depend on the targets: its compute_loss gives the same "
        f"for a batch, whatever they are, so they can't be learned; let it compare y with y_pred."
    )


def _changed(y: NDArray[Any]) -> list[NDArray[Any]]:
    """Return other targets of the same kind: in another order, and with other values."""
    if np.issubdtype(y.dtype, np.integer):
        return [y[::-1], np.where(y == y.max(), y.min(), y + 1).astype(y.dtype), np.zeros_like(y)]
    return [y[::-1], np.roll(y, 1, axis=-1), 1 - 2 * y]
