"""A range test as it is drawn: its points, and the smooth line through them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onecycle_cli.runs.curve import Curve
from onecycle_cli.suggest import BANDWIDTH, Array, ceiling, finite_part
from onecycle_cli.suggest.curves import without_spikes
from onecycle_cli.suggest.trends import Trend

_MOST_SMOOTHED = 1500
_WIDTHS = 20
_NEIGHBOURS = 1.5
_LEVEL = 1e-6
_TIMES = 2.0


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
        smooth_lrs, smooth_losses = _line_through(*finite_part(lrs, losses))
    else:
        smooth_lrs = trend.lrs
        smooth_losses = fitted(trend.lrs, without_spikes(_drawn(trend)), width_of(trend.lrs))
    shown = slice(abs(clip_beginning or 0), len(lrs) - abs(clip_end or 0))
    lrs, losses = lrs[shown], losses[shown]
    if not len(lrs):
        nothing = np.array([])
        return Sweep(nothing, nothing, nothing, nothing)
    inside = (smooth_lrs >= lrs.min()) & (smooth_lrs <= lrs.max())
    return Sweep(lrs, losses, smooth_lrs[inside], smooth_losses[inside])


def width_of(lrs: Array) -> float:
    """Return over how much of ln lr the drawn line is fitted: the kernel's standard deviation.

    A twentieth of the range, so that a test of one decade keeps its shape as one of six does; but
    one and a half times the distance of neighbours at least, below which nothing is smoothed.
    """
    x = np.log(lrs)
    if len(x) < 2:
        return BANDWIDTH
    return min(BANDWIDTH, max((x[-1] - x[0]) / _WIDTHS, _NEIGHBOURS * float(np.median(np.diff(x)))))


def fitted(lrs: Array, losses: Array, width: float) -> Array:
    """Return the heights of lines fitted around each rate, near losses weighing more.

    Within a curve this is the weighted mean, which the suggestion rests on. At its ends, where
    there are losses on one side only, a mean would miss the slope, and begin too high or too low.

    Args:
        lrs: learning rates > 0, of shape (n,).
        losses: finite losses, of shape (n,).
        width: standard deviation of the Gaussian weights in ln lr, > 0.
    """
    x = np.log(lrs)
    heights = np.empty(len(x))
    for i, middle in enumerate(x):
        distance = (x - middle) / width
        with np.errstate(over="ignore", under="ignore"):
            weights = np.exp(-0.5 * distance**2)
        total, offset, spread = weights.sum(), weights @ distance, weights @ distance**2
        determinant = total * spread - offset**2
        if determinant <= _LEVEL * total**2:
            heights[i] = (weights @ losses) / total
        else:
            tilt = spread - offset * distance
            heights[i] = (weights * tilt) @ losses / determinant
    return heights


def _drawn(trend: Trend) -> Array:
    """Return the losses that the line is fitted through, those that exploded no higher than needed.

    As high as where they are judged, or twice as high as the start, so that the line leaves the
    picture with them.
    """
    recorded = trend.raw[1]
    rest = np.full(len(trend.lrs) - len(recorded), np.inf)
    return np.minimum(np.append(recorded, rest), max(trend.limit, _TIMES * trend.start))


def _line_through(lrs: Array, losses: Array) -> tuple[Array, Array]:
    """Return the line through few points, or through so many that neighbours are averaged first.

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
    return x, fitted(x, y, width_of(x))
