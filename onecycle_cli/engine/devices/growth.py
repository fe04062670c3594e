"""A GPU's memory, taken as it is needed, so that other processes find some too."""

from __future__ import annotations

import os

GROWS = {
    "tensorflow": ("TF_FORCE_GPU_ALLOW_GROWTH", "true"),
    "jax": ("XLA_PYTHON_CLIENT_PREALLOCATE", "false"),
}
"""The variable that each backend reads when it starts, and what to set it to; PyTorch needs none.

Left alone, TensorFlow takes nearly all of a GPU's memory at once, and JAX three quarters of it.
"""

_SHARES = ("XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_MEM_FRACTION")


def grow_memory(backend: str) -> None:
    """Have a backend that has not started yet take memory of GPUs as it needs it.

    What the user has set stays. So does the share of the memory that JAX is told to take.

    Args:
        backend: the one that Keras will use.
    """
    has_share = backend == "jax" and any(os.environ.get(name) for name in _SHARES)
    if backend in GROWS and not has_share:
        variable, value = GROWS[backend]
        os.environ.setdefault(variable, value)
