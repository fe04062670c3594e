"""A range test as it is drawn: its points, and the smooth line through them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onecycle_cli.runs.curve import Curve
from onecycle_cli.suggest import Array, ceiling, finite_part, smooth, usual_bandwidth
from onecycle_cli.suggest.trends import Trend

_MOST_SMOOTHED = 1500


@dataclass(frozen=True)
class Sweep:
    """A curve as it is drawn: the raw points, and the smooth line through the finite ones."""

    lrs: Array
    losses: Array
    smooth_lrs: Array
    smooth_losses: Array

    def at(self, lr: float) -> float:
        """Return the smoothed loss at a learning rate."""
        return float(np.interp(lr, self.smooth_lrs, self.smooth_losses))

    def usual(self) -> Array:
        """Return the raw losses up to the minimum, and at least a tenth of them, or a dozen."""
        finite = np.isfinite(self.losses)
        lrs, losses = self.lrs[finite], self.losses[finite]
        lowest = self.smooth_lrs[np.argmin(self.smooth_losses)]
        return losses[: max(12, len(lrs) // 10, int(np.searchsorted(lrs, lowest)))]


def sweep_of(curve: Curve, clip_beginning: int | None = None, clip_end: int | None = None) -> Sweep:
    """Return a curve as it is drawn, without so many points at its beginning and end."""
    lrs, losses = np.asarray(curve.lrs, float), np.asarray(curve.losses, float)
    trend = Trend.of(lrs, losses)
    if trend is None or len(trend.lrs) > _MOST_SMOOTHED:
        smooth_lrs, smooth_losses = _smooth_line(*finite_part(lrs, losses))
    else:
        smooth_lrs, smooth_losses = trend.lrs, trend.smoothed
    shown = slice(abs(clip_beginning or 0), len(lrs) - abs(clip_end or 0))
    lrs, losses = lrs[shown], losses[shown]
    if not len(lrs):
        nothing = np.array([])
        return Sweep(nothing, nothing, nothing, nothing)
    inside = (smooth_lrs >= lrs.min()) & (smooth_lrs <= lrs.max())
    return Sweep(lrs, losses, smooth_lrs[inside], smooth_losses[inside])


def _smooth_line(lrs: Array, losses: Array) -> tuple[Array, Array]:
    """Return the smoothed curve of few points, or of so many that neighbours are averaged first.

    As where it is judged, a loss that has exploded counts as no more than its ceiling.
    """
    lrs, losses = lrs[lrs > 0], losses[lrs > 0]
    if not len(lrs):
        return lrs, losses
    losses = np.minimum(losses, ceiling(losses))
    count = min(len(lrs), _MOST_SMOOTHED)
    x = np.array([part.mean() for part in np.array_split(np.log(lrs), count)])
    y = np.array([part.mean() for part in np.array_split(losses, count)])
    x = np.exp(x) if count < len(lrs) else lrs
    return x, smooth(x, y, usual_bandwidth(x))
