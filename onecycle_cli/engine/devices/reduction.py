"""What the devices of TensorFlow find out each by itself, put together in the midst of a step.

JAX has one program for all devices, in which there is nothing to be put together.
"""

from __future__ import annotations

import importlib
from typing import Any

from onecycle_cli.engine.backends.choice import name_of_backend


def summed(value: Any) -> Any:
    """Return the sum of what all replicas have, each of which gets it; runs in graph.

    Args:
        value: a tensor, or several in a list.
    """
    context = _context()
    if context is None:
        return value
    return context.all_reduce(importlib.import_module("tensorflow").distribute.ReduceOp.SUM, value)


def replicas() -> int:
    """Return how many replicas take this step, each with a gradient that is added to the others."""
    context = _context()
    return 1 if context is None else int(context.num_replicas_in_sync)


def _context() -> Any:
    if name_of_backend() != "tensorflow":
        return None
    context = importlib.import_module("tensorflow").distribute.get_replica_context()
    return None if context is None or context.num_replicas_in_sync == 1 else context
