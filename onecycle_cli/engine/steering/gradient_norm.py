"""The norm of each step's gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from onecycle_cli.engine.devices.reduction import summed
from onecycle_cli.engine.steering.live_variables import Added
from onecycle_cli.engine.steering.op_by_op import op_by_op
from onecycle_cli.engine.steering.optimizers import core


class GradientNorm:
    """The L2 norm of each step's gradient, over all trainable variables together.

    It is the gradient of the loss that the model was compiled with, before clipping and without
    what `l2` adds; penalties of the model's own layers are in it.

    Args:
        model: a compiled model whose optimizer is built; held by `LiveHyperparameters`, which
            keep the norm out of saved models.
    """

    def __init__(self, model: Any) -> None:
        optimizer = core(model.optimizer)
        self._optimizer, self._own_apply = optimizer, vars(optimizer).get("apply")
        self._norm = Added(np.nan, trainable=False, dtype="float32", name="gradient_norm")
        optimizer._track_variable(self._norm)
        vars(optimizer)["apply"] = op_by_op(model, self._measuring(optimizer.apply))

    def take(self) -> float:
        """Return the norm of the last step's gradient, once.

        `nan` when there has been no step since, or when loss scaling left the step out because
        the gradient was not finite.
        """
        norm = float(ops.convert_to_numpy(self._norm))
        self._norm.assign(np.nan)
        return norm

    def release(self) -> None:
        """Measure no more."""
        del vars(self._optimizer)["apply"]
        if self._own_apply is not None:
            vars(self._optimizer)["apply"] = self._own_apply
        self._optimizer._untrack_variable(self._norm)

    def _measuring(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        def apply(grads: Any, trainable_variables: Any = None) -> Any:
            present = summed([ops.convert_to_tensor(g) for g in grads if g is not None])
            squares = [ops.sum(ops.square(ops.cast(g, "float32"))) for g in present]
            self._norm.assign(ops.sqrt(sum(squares)))
            return inner(grads, trainable_variables)

        return apply
