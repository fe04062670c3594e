"""Stock Keras optimizers: made for a model, and asked what they have."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any
from weakref import WeakSet

from keras import ops

from onecycle_cli.errors import OptimizerError, cause_of

MOMENTA = ("momentum", "beta_1", "adam_beta_1")
"""The names that optimizers have for their momentum."""

DECAYS = ("weight_decay", "adam_weight_decay")
"""The names that optimizers have for their weight decay; Muon has both."""

_at_zero: WeakSet[Any] = WeakSet()


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


def adapted(
    optimizer: Any,
    model: Any,
    *,
    momentum: float,
    nesterov: bool,
    decoupled: bool,
) -> Any:
    """Return an optimizer like another one, whose weight decay spares all but the kernels.

    Args:
        optimizer: a new one; what it has of momentum, `nesterov` and weight decay is replaced.
        model: the built model that it will train.
        momentum: momentum in [0, 1), or `beta_1` for the Adam family.
        nesterov: look ahead, for the optimizers that can.
        decoupled: prepare decoupled decay of the kernels, `w -= lr * weight_decay * w`.

    Raises:
        OptimizerError: when `momentum` is not 0 and the optimizer has none, or when it can't be
            made anew from its `get_config`.
    """
    config = optimizer.get_config()
    attributes = [a for a in MOMENTA if a in config]
    if momentum and not attributes:
        raise without_momentum(optimizer)
    config |= dict.fromkeys(attributes, float(momentum))
    if "nesterov" in config:
        config["nesterov"] = nesterov
    for name in DECAYS:
        if name in config and (decoupled or config[name] is not None):  # AdamW refuses None
            config[name] = 0.0
    optimizer = _made_anew(optimizer, config)
    if not attributes:
        _at_zero.add(optimizer)
    if decoupled:
        decayed = {id(v) for v in kernels(model)}
        spared = [v for v in model.trainable_variables if id(v) not in decayed]
        optimizer.exclude_from_weight_decay(var_list=spared)
    return optimizer


def note_momentum(optimizer: Any) -> None:
    """Take an optimizer that somebody else has made, and that has no momentum, for one at 0."""
    if not momentum_attributes(optimizer):
        _at_zero.add(core(optimizer))


def holds_zero(optimizer: Any) -> bool:
    """Tell whether an optimizer without momentum is taken for one whose momentum is 0."""
    return core(optimizer) in _at_zero


def without_momentum(optimizer: Any) -> OptimizerError:
    """Return the refusal of a momentum where there is none."""
    return OptimizerError(
        f"{type(core(optimizer)).__name__} has no momentum; set optimizer.momentum to 0 and "
        f"train.momentum to {{max: 0, min: 0}}."
    )


def _made_anew(optimizer: Any, config: dict[str, Any]) -> Any:
    try:
        return type(optimizer).from_config(config)
    except Exception as error:  # of somebody else's making
        raise OptimizerError(
            f"{type(optimizer).__name__} can't be made anew from its get_config, which takes "
            f"momentum and weight decay: {cause_of(error)}."
        ) from error


def slots_for(optimizer: Any, name: str) -> list[Any]:
    """Add a variable of zeros to an optimizer for each of those that it trains; return them."""
    trained = optimizer._trainable_variables
    with where_variables_belong(optimizer):
        if hasattr(optimizer, "add_optimizer_variables"):
            return list(optimizer.add_optimizer_variables(trained, name))
        return [optimizer.add_variable_from_reference(v, name=name) for v in trained]  # Keras 3.8


def where_variables_belong(optimizer: Any) -> contextlib.AbstractContextManager[Any]:
    """Return the scope of the optimizer's `tf.distribute` strategy, if there is one."""
    strategy = getattr(optimizer, "_distribution_strategy", None)
    return contextlib.nullcontext() if strategy is None else strategy.scope()


def clipped(limit: Any, grads: Iterable[Any]) -> list[Any]:
    """Return gradients cut to within plus and minus a limit."""
    value = ops.convert_to_tensor(limit)
    return [g if g is None else ops.clip(g, -value, value) for g in grads]
