"""When a range test has seen enough."""

from __future__ import annotations

import math
from collections.abc import Sequence

WINDOW = 5
"""Losses are judged by the mean of this many."""


class StopRule:
    """Tells a loss that is not finite, or has risen far, from a noisy one.

    With m the mean of the last `WINDOW` raw losses and b the lowest such mean so far, divergence is

        m - b > (factor - 1) * scale

    Where all losses have been positive, scale = b: then m > factor * b. Losses that reach zero or
    go below it have no factor, so there scale is the larger of |b| and the height from which they
    fell to b, noise included: the highest loss until then, less b.

    Args:
        factor: > 1, or `None` to stop only when a loss is not finite.
    """

    def __init__(self, factor: float | None) -> None:
        self._factor = factor
        self._lowest = self._fallen = math.inf
        self._highest = -math.inf
        self._may_be_negative = False

    def reason(self, losses: Sequence[float]) -> str | None:
        """Return `"non_finite"`, `"diverged"` or `None`, after each new loss."""
        if not math.isfinite(losses[-1]):
            return "non_finite"
        self._may_be_negative |= losses[-1] <= 0
        self._highest = max(self._highest, losses[-1])
        if self._factor is None or len(losses) < WINDOW:
            return None
        mean = sum(losses[-WINDOW:]) / WINDOW
        if mean < self._lowest:
            self._lowest, self._fallen = mean, self._highest - mean
        rise, scale = mean - self._lowest, self._scale()
        return "diverged" if rise > (self._factor - 1) * scale and scale > 0 else None

    def _scale(self) -> float:
        return max(abs(self._lowest), self._fallen) if self._may_be_negative else self._lowest
