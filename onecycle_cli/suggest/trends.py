"""One range test, smoothed: whether it fell, where it turns, where it rises again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from onecycle_cli.suggest.curves import (
    BANDWIDTH,
    Array,
    finite_part,
    first_broken,
    kernel,
    noise,
    without_spikes,
)

FEWEST_POINTS = 12
"""A sweep of fewer steps has no trend."""

_REBOUND = 0.1
_BOTTOM = 0.2
_SIGNIFICANT = 4.5
_SMALLEST_DROP = 0.02
_SMALLEST_GAIN = 0.01
_BEYOND_CHANCE = 2.0
_OVERCONFIDENT = 2.0
_LAST = 5


@dataclass(frozen=True)
class Landmarks:
    """Learning rates that stand out on one smoothed curve; `None` where there is no such point.

    Attributes:
        first: where the loss is first clearly below its start.
        steep: where it falls fastest per logarithm of the learning rate.
        minimum: where it is lowest.
        diverge: where, after the minimum, it has risen by a tenth of its fall.
        bottom: from where on, up to the minimum, it stays within a fifth of its fall of it.
    """

    first: float | None = None
    steep: float | None = None
    minimum: float | None = None
    diverge: float | None = None
    bottom: float | None = None


def find_landmarks(lrs: ArrayLike, losses: ArrayLike, bandwidth: float = BANDWIDTH) -> Landmarks:
    """Return the landmarks of one sweep, which may end in a non-finite loss.

    `diverge` is the first rate after the minimum at which the smoothed loss has risen by a tenth
    of its fall, or doubled if that is less, beyond the noise; where the sweep breaks off before
    the smoothed loss can show that, its last finite rate.
    """
    trend = Trend.of(lrs, losses, bandwidth)
    return trend.landmarks() if trend else Landmarks()


@dataclass(frozen=True)
class Trend:
    """One sweep, smoothed.

    Attributes:
        lrs: rising learning rates, of shape (n,).
        losses: their raw, finite losses, of shape (n,).
        smoothed: the losses without single spikes, smoothed, of shape (n,).
        spread: by which share of the raw noise each smoothed loss errs, of shape (n,).
        broke_off: whether the sweep ended in a loss that was not finite.
        ending: the mean of the last finite losses, those that are left out included.
    """

    lrs: Array
    losses: Array
    smoothed: Array
    spread: Array
    broke_off: bool
    ending: float

    @classmethod
    def of(
        cls,
        lrs: ArrayLike,
        losses: ArrayLike,
        bandwidth: float = BANDWIDTH,
        skipped: tuple[int, int] = (0, 0),
    ) -> Trend | None:
        """Return the trend of a sweep; `None` if it is too short to have one.

        Args:
            lrs: learning rates > 0, of shape (n,).
            losses: raw batch losses, of shape (n,).
            bandwidth: the smoothing kernel's standard deviation in ln lr, > 0.
            skipped: how many points at the beginning and at the end to leave out.
        """
        x, y = finite_part(lrs, losses)
        ending = float(y[-_LAST:].mean()) if len(y) else 0.0
        begin, end = skipped
        x, y = (part[begin : max(begin, len(part) - end)] for part in (x, y))
        if len(x) < FEWEST_POINTS:
            return None
        smoothed, spread = kernel(x, without_spikes(y), bandwidth)
        broke_off = first_broken(np.asarray(losses, float)) < np.size(losses)
        return cls(x, y, smoothed, spread, broke_off, ending)

    @property
    def first_tenth(self) -> slice:
        """The points in the first tenth of the sweep's logarithmic range, but at least 5."""
        x = np.log(self.lrs)
        return slice(max(5, int(np.searchsorted(x, 0.9 * x[0] + 0.1 * x[-1]))))

    @property
    def start(self) -> float:
        """The loss before anything was learned."""
        return float(self.smoothed[self.first_tenth].mean())

    @property
    def lowest(self) -> int:
        """The position of the minimum."""
        return int(np.argmin(self.smoothed))

    @property
    def fall(self) -> float:
        """By how much the loss fell from its start to its minimum."""
        return self.start - float(self.smoothed[self.lowest])

    @property
    def descended(self) -> bool:
        """Whether the fall is more than noise, and more than a trifle."""
        error = noise(self.losses) * max(
            self.spread[self.lowest], self.spread[self.first_tenth].mean()
        )
        return self.fall > max(_SIGNIFICANT * error, _SMALLEST_DROP * abs(self.start))

    def beats(self, chance: float | None) -> bool:
        """Tell whether the minimum is below `chance` by more than noise, and more than a trifle.

        A loss that starts far above chance may not have come down to it yet in so short a test:
        then nothing can be told, and the answer is yes.
        """
        if chance is None or self.start > _OVERCONFIDENT * chance:
            return True
        gain = chance - float(self.smoothed[self.lowest])
        error = noise(self.losses[: self.lowest + 1]) * self.spread[self.lowest]
        return gain > max(_BEYOND_CHANCE * error, _SMALLEST_GAIN * abs(chance))

    @property
    def steep(self) -> float:
        """The rate, up to the minimum, at which the loss falls fastest per logarithm of it."""
        falling = slice(max(2, self.lowest + 1))
        return float(self.lrs[np.gradient(self.smoothed, np.log(self.lrs))[falling].argmin()])

    @property
    def bottom(self) -> float:
        """The rate from which on, up to the minimum, the loss stays close to it."""
        rise = min(_BOTTOM * self.fall, abs(self.smoothed[self.lowest]) * _BOTTOM / _REBOUND)
        above = np.flatnonzero(self.smoothed[: self.lowest] >= self.smoothed[self.lowest] + rise)
        return float(self.lrs[above[-1] + 1 if above.size else 0])

    @property
    def basin(self) -> float | None:
        """The middle, in the logarithm, between `bottom` and `diverge`."""
        diverge = self.diverge
        return None if diverge is None else float(np.sqrt(self.bottom * diverge))

    @property
    def diverge(self) -> float | None:
        """The rate at which the loss has clearly risen again."""
        low = self.lowest
        around = max(FEWEST_POINTS // 2, len(self.lrs) // 12)
        error = noise(self.losses[max(0, low - around) : low + around])
        bottom = self.smoothed[low]
        rise = min(_REBOUND * self.fall, abs(bottom))
        clear = np.maximum(rise, _SIGNIFICANT * error * self.spread[low:])
        rebound = np.flatnonzero(self.smoothed[low:] > bottom + clear)
        if rebound.size:
            return float(self.lrs[low + rebound[0]])
        exploded = self.ending > bottom + max(rise, _SIGNIFICANT * error / np.sqrt(_LAST))
        return float(self.lrs[-1]) if self.broke_off or exploded else None

    def landmarks(self) -> Landmarks:
        """Return where the curve turns."""
        error = 3 * noise(self.losses) * self.spread
        lower = np.flatnonzero(self.smoothed < self.start - error)
        return Landmarks(
            first=float(self.lrs[lower[0]]) if lower.size else None,
            steep=self.steep,
            bottom=self.bottom,
            minimum=float(self.lrs[self.lowest]),
            diverge=self.diverge,
        )
