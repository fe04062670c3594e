"""Gradient accumulation: several batches go into one update of the weights."""

from __future__ import annotations

from typing import Any

from onecycle_cli.engine.steering.optimizers import batches_taken, core


def batches_per_update(optimizer: Any) -> int:
    """Return how many batches an optimizer takes in before it updates the weights."""
    return core(optimizer).gradient_accumulation_steps or 1


def is_between_updates(optimizer: Any) -> bool:
    """Tell whether the batches so far have led to no update yet."""
    batches = batches_per_update(optimizer)
    return batches > 1 and batches_taken(optimizer) % batches != 0
