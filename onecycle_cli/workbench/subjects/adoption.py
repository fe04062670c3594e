"""A configuration that says what a compiled model was compiled with."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.config import OPTIMIZERS, UNSUITABLE, Config
from onecycle_cli.engine.steering import optimizers
from onecycle_cli.errors import OptimizerError

COMPILED = "compiled"
"""What the loss of a compiled model is called, and an optimizer that is none of Keras'."""


def adopted(config: Config, model: Any) -> Config:
    """Return a configuration with the optimizer of a compiled model, and its weight decay.

    An optimizer that has a decoupled weight decay keeps it; without one, weight decay is an L2
    penalty. One whose momentum is 0 is trained without momentum.

    Args:
        config: the configuration.
        model: compiled.

    Raises:
        OptimizerError: when no learning rate can be found for its optimizer.
    """
    optimizer = optimizers.core(model.optimizer)
    name = type(optimizer).__name__.lower()
    if name in UNSUITABLE:
        raise OptimizerError(f"{type(optimizer).__name__} {UNSUITABLE[name]}.")
    names = optimizers.momentum_attributes(optimizer)
    momentum = _number(getattr(optimizer, names[0])) if names else 0.0
    decay = getattr(optimizer, "weight_decay", None)
    values = {
        "name": name if name in OPTIMIZERS else COMPILED,
        "momentum": momentum,
        "nesterov": bool(getattr(optimizer, "nesterov", False)),
        "weight_decay": 0.0 if decay is None else _number(decay),
        "decay": "l2" if decay is None else "decoupled",
    }
    train: dict[str, Any] = {}
    if momentum == 0 and config.train.momentum == "auto":
        train["momentum"] = {"max": 0.0, "min": 0.0}
    return config.with_values(optimizer=values, train=train)


def check_nothing_else_is_said(config: Config, adopted: Config, *, jit_compile: bool) -> None:
    """Refuse a configuration that says something else than its model, which comes compiled.

    Raises:
        ConfigError: when it does.
    """
    said = {
        **{f"optimizer.{key}": value for key, value in config.optimizer},
        "loss": config.loss.name,
        "train.label_smoothing": config.train.label_smoothing,
        "jit_compile": config.jit_compile,
    }
    fitting = {
        **{f"optimizer.{key}": (value,) for key, value in adopted.optimizer},
        "loss": ("auto", COMPILED),
        "train.label_smoothing": (0.0,),
        "jit_compile": ("auto", jit_compile),
    }
    for key, value in said.items():
        if config.origin(key) != "default" and value not in fitting[key]:
            raise config.error(
                key,
                f"model {config.model.name} comes compiled, and what it was compiled with is used; "
                f"remove {key}, or return the model without compiling it.",
            )


def _number(value: Any) -> float:
    return float(np.asarray(ops.convert_to_numpy(value)))
