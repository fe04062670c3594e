"""Keras on JAX and PyTorch, without importing TensorFlow.

Keras finds out whether TensorFlow is installed by importing it, which takes seconds and writes
native messages. It asks when it seeds and when it saves: whether there is another generator to
seed, and whether an object is one of TensorFlow's. Both answers are no where nobody has imported
TensorFlow, so nobody has to.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any


class _IfImported:
    """What Keras' modules call `tf`, available where somebody else has imported TensorFlow."""

    def __init__(self, lazy: Any) -> None:
        self._lazy = lazy

    @property
    def available(self) -> bool:
        """Whether it has been imported, and can be."""
        return "tensorflow" in sys.modules and bool(self._lazy.available)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lazy, name)


def save_without_tensorflow(backend: str) -> None:
    """Have Keras save and load models without importing TensorFlow for it. Idempotent."""
    if backend == "tensorflow":
        return
    saving = importlib.import_module("keras.src.saving.serialization_lib")
    if not isinstance(saving.tf, _IfImported):
        vars(saving)["tf"] = _IfImported(saving.tf)


def set_random_seed(seed: int) -> None:
    """Seed all that `keras.utils.set_random_seed` does, TensorFlow only if it has been imported."""
    seeding = importlib.import_module("keras.src.utils.rng_utils")
    lazy = seeding.tf
    if importlib.import_module("keras").backend.backend() != "tensorflow":
        vars(seeding)["tf"] = _IfImported(lazy)
    try:
        seeding.set_random_seed(seed)
    finally:
        vars(seeding)["tf"] = lazy
