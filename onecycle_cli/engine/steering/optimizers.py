"""Stock Keras optimizers: made for a model, and asked what they have."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from onecycle_cli.errors import OptimizerError

MOMENTA = ("momentum", "beta_1", "adam_beta_1")
"""The names that optimizers have for their momentum."""


def core(optimizer: Any) -> Any:
    """Return the optimizer that updates the weights, which `LossScaleOptimizer` wraps."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def batches_taken(optimizer: Any) -> int:
    """Return how many gradients the optimizer has taken in, those it still accumulates included."""
    return int(ops.convert_to_numpy(core(optimizer)._iterations))


def momentum_attributes(optimizer: Any) -> tuple[str, ...]:
    """Return the names under which the optimizer keeps its momentum; empty if it has none.

    `momentum` for SGD and RMSprop, `beta_1` for the Adam family.
    """
    return tuple(name for name in MOMENTA if hasattr(core(optimizer), name))


def kernels(model: Any) -> list[Any]:
    """Return the variables that weight decay acts on: trainable, with two or more axes.

    Biases and the scales and offsets of normalisation layers have one axis and are left out.
    """
    return [v for v in model.trainable_variables if len(v.shape) >= 2]


def create(
    name: str,
    model: Any,
    *,
    momentum: float,
    nesterov: bool,
    decoupled: bool,
) -> Any:
    """Return a stock optimizer for `model`, whose weight decay spares all but the kernels.

    Args:
        name: a name of `keras.optimizers`, in lower case.
        model: the built model that it will train.
        momentum: momentum in [0, 1), or `beta_1` for the Adam family.
        nesterov: look ahead, for the optimizers that can.
        decoupled: prepare decoupled decay of the kernels, `w -= lr * weight_decay * w`.

    Raises:
        OptimizerError: when `momentum` is not 0 and the optimizer has none.
    """
    classes = {n.lower(): c for n, c in vars(keras.optimizers).items() if isinstance(c, type)}
    optimizer = classes[name]()
    config = optimizer.get_config()
    attributes = [a for a in MOMENTA if a in config]
    if momentum and not attributes:
        raise OptimizerError(f"{name} has no momentum; set it to 0.")
    config |= dict.fromkeys(attributes, float(momentum))
    if "nesterov" in config:
        config["nesterov"] = nesterov
    if decoupled or config["weight_decay"] is not None:  # AdamW refuses None
        config["weight_decay"] = 0.0
    optimizer = type(optimizer).from_config(config)
    if decoupled:
        decayed = {id(v) for v in kernels(model)}
        spared = [v for v in model.trainable_variables if id(v) not in decayed]
        optimizer.exclude_from_weight_decay(var_list=spared)
    return optimizer
