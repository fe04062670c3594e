"""The states of the random generators around a model."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

_Generator = tuple[Callable[[], Any], Callable[[Any], None]]
"""How to read a random generator's state, as lists and numbers, and how to write it."""


def generators() -> dict[str, _Generator]:
    """Return how to read and write the generators of Python, NumPy and the backend, by name."""
    known: dict[str, _Generator] = {
        "python": (lambda: _listed(random.getstate()), lambda s: random.setstate(_tupled(s))),
        "numpy": (
            lambda: _listed(np.random.get_state()),
            lambda s: np.random.set_state(_tupled(s)),
        ),
    }
    if keras.backend.backend() == "torch":
        return known | _torch_generators()
    return known | _tensorflow_generators() if _runs_tensorflow() else known


def _runs_tensorflow() -> bool:
    return bool(keras.backend.backend() == "tensorflow")


def _torch_generators() -> dict[str, _Generator]:
    torch = sys.modules["torch"]
    return {
        "torch": (
            lambda: torch.get_rng_state().tolist(),
            lambda s: torch.set_rng_state(torch.tensor(s, dtype=torch.uint8)),
        )
    }


def _tensorflow_generators() -> dict[str, _Generator]:
    from tensorflow.python.eager import context
    from tensorflow.python.ops import stateful_random_ops

    def seed_operations(state: Any) -> None:
        context.context()._rng.setstate(_tupled(state))
        context.context().clear_kernel_cache()  # operations that have run keep a count of draws

    generators: dict[str, _Generator] = {}
    operation_seeds = getattr(context.context(), "_rng", None)
    if operation_seeds is not None:
        generators["tensorflow"] = (lambda: _listed(operation_seeds.getstate()), seed_operations)
    generator = stateful_random_ops.global_generator
    if generator is not None:
        generators["tensorflow generator"] = (
            lambda: generator.state.numpy().tolist(),
            generator.state.assign,
        )
    return generators


def _listed(state: Any) -> Any:
    if isinstance(state, np.ndarray):
        return state.tolist()
    return [_listed(part) for part in state] if isinstance(state, tuple) else state


def _tupled(state: Any) -> Any:
    return tuple(_tupled(part) for part in state) if isinstance(state, list) else state
