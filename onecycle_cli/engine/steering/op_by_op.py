"""The part of a training step that PyTorch's compiler leaves alone."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import keras


def op_by_op(model: Any, update: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is run as it is written where `torch.compile` compiles the step.

    Keras' updates give `torch` a learning rate or momentum as a Python number, which the compiler
    would take for a constant, and compile anew for each value, or break off at. Left alone, the
    update reads at each step what the variables hold.

    Args:
        model: a compiled model.
        update: what changes its weights.
    """
    if keras.backend.backend() != "torch" or not model.jit_compile:
        return update
    return importlib.import_module("torch").compiler.disable(update)
