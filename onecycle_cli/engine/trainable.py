"""Whether a model can be trained as it is."""

from __future__ import annotations

from typing import Any

import keras

from onecycle_cli.engine.execution.several_steps import check_execution
from onecycle_cli.errors import ModelError


def check_trainable(model: Any) -> None:
    """Make sure that a model can be trained.

    Raises:
        ModelError: when it is not built or not compiled, or has nothing to train.
        TrainingError: when it runs more steps at a time than the backend can.
    """
    if not model.built:
        raise ModelError(
            "the model has no variables yet, so its state cannot be kept; give it an input shape "
            "before fit: start it with keras.Input(shape), or call model.build(input_shape)."
        )
    if not model.compiled or model.optimizer is None:
        raise ModelError("the model is not compiled; call model.compile(optimizer, loss) first.")
    if not model.trainable_variables:
        raise ModelError(
            "the model has nothing to train: all its layers are frozen, or none has weights; set "
            "trainable = True for some of them, then compile it again."
        )
    check_execution(model.steps_per_execution)


def lacks_metrics(model: Any) -> bool:
    """Tell whether a step that is made now would not do, because the model lacks variables.

    Those of its metrics are made when `fit` begins, and on several devices of JAX a step has to
    know of all of them.
    """
    is_shared = keras.distribution.distribution() is not None
    return is_shared and model._compile_metrics is not None and not model._compile_metrics.built
