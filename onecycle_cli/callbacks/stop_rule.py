"""When a range test has seen enough."""

from __future__ import annotations

import math
from collections.abc import Sequence

WINDOW = 5
"""Losses are judged by the mean of this many."""


class StopRule:
    """Tells a loss that is not finite, or far above the best, from a noisy one.

    Divergence is a mean of the last `WINDOW` raw losses above `factor` times the lowest such mean.
    Losses that can be negative have no meaningful factor and stop only when not finite.

    Args:
        factor: > 1, or `None` to stop only when a loss is not finite.
    """

    def __init__(self, factor: float | None) -> None:
        self._factor = factor
        self._lowest = math.inf

    def reason(self, losses: Sequence[float]) -> str | None:
        """Return `"non_finite"`, `"diverged"` or `None`, after each new loss."""
        if not math.isfinite(losses[-1]):
            return "non_finite"
        if self._factor is None or len(losses) < WINDOW:
            return None
        mean = sum(losses[-WINDOW:]) / WINDOW
        self._lowest = min(self._lowest, mean)
        return "diverged" if 0 < self._lowest * self._factor < mean else None
