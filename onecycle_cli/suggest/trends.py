"""One range test, smoothed: whether it fell, where it turns, where it rises again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from onecycle_cli.suggest.curves import (
    Array,
    ceiling,
    finite_part,
    first_broken,
    kernel,
    noise,
    rising_rate,
    usual_bandwidth,
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
_OF_THREE = 0.67  # the median of three normal losses errs by so much of one's error


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


def find_landmarks(lrs: ArrayLike, losses: ArrayLike, bandwidth: float | None = None) -> Landmarks:
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
        losses: their losses, none above `limit`, of shape (n,); one that was not finite, with which
            the sweep ended, stands there as `limit`.
        smoothed: the losses without single spikes, smoothed, of shape (n,).
        spread: by which share of the raw noise each smoothed loss errs, of shape (n,).
        limit: the loss above which the sweep has exploded, as `ceiling` has it.
        broke_off: whether the sweep ended in a loss that was not finite.
        ending: the mean of the last finite losses, those that are left out included.
        raw: learning rates and losses as they were recorded, as far as they are finite and not left
            out.
        floor: the least that the loss can be; None: not known.
    """

    lrs: Array
    losses: Array
    smoothed: Array
    spread: Array
    limit: float
    broke_off: bool
    ending: float
    raw: tuple[Array, Array]
    floor: float | None = 0.0

    @classmethod
    def of(
        cls,
        lrs: ArrayLike,
        losses: ArrayLike,
        bandwidth: float | None = None,
        skipped: tuple[int, int] = (0, 0),
        floor: float | None = 0.0,
    ) -> Trend | None:
        """Return the trend of a sweep; `None` if it is too short to have one.

        Args:
            lrs: learning rates > 0, of shape (n,).
            losses: raw batch losses, of shape (n,).
            bandwidth: the smoothing kernel's standard deviation in ln lr, > 0; `None`: the
                usual one.
            skipped: how many points at the beginning and at the end to leave out.
            floor: the least that the loss can be; None: not known.
        """
        x, y = finite_part(lrs, losses)
        begin, end = skipped
        if len(x) - begin - end < FEWEST_POINTS:
            return None
        ending = float(y[-_LAST:].mean())
        raw = (x[begin : len(x) - end], y[begin : len(y) - end])
        limit = ceiling(y[begin : len(y) - end])
        broken = first_broken(np.asarray(losses, float))
        broke_off = broken < np.size(losses)
        if broke_off and (after := rising_rate(lrs, broken, x[-1])) is not None:
            x, y = np.append(x, after), np.append(y, limit)
        x, y = (part[begin : len(part) - end] for part in (x, np.minimum(y, limit)))
        width = usual_bandwidth(x) if bandwidth is None else bandwidth
        smoothed, spread = kernel(x, without_spikes(y), width)
        return cls(x, y, smoothed, spread, limit, broke_off, ending, raw, floor)

    @property
    def first_tenth(self) -> slice:
        """The points in the first tenth of the sweep's logarithmic range.

        Five of them, where there are fewer and five lie within its first two fifths; a linear
        sweep is past those with its second point, and has but its first one.
        """
        x = np.log(self.lrs)
        tenth, two_fifths = (np.searchsorted(x, x[0] + s * (x[-1] - x[0])) for s in (0.1, 0.4))
        return slice(max(1, int(tenth), min(5, int(two_fifths))))

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
        """Whether the fall is more than noise, and more than a trifle.

        A trifle is a share of the way down to the least that the loss can be. Where that is not
        known, it is the noise alone that counts, and no constant that is added to the loss.
        """
        begin = self.spread[self.first_tenth]
        share = float(begin.mean()) * (_OF_THREE if len(begin) == 1 else 1.0)
        error = self._noise(slice(None)) * max(float(self.spread[self.lowest]), share)
        trifle = _SMALLEST_DROP * self._height(self.start, unknown=0.0)
        return self.fall > max(_SIGNIFICANT * error, trifle)

    def beats(self, chance: float | None) -> bool:
        """Tell whether the minimum is below `chance` by more than noise, and more than a trifle.

        A loss that starts far above chance may not have come down to it yet in so short a test:
        then nothing can be told, and the answer is yes; so it is where the floor is not known.
        """
        if chance is None or self.floor is None:
            return True
        if self.start - self.floor > _OVERCONFIDENT * (chance - self.floor):
            return True
        gain = chance - float(self.smoothed[self.lowest])
        error = self._noise(slice(self.lowest + 1)) * self.spread[self.lowest]
        return gain > max(_BEYOND_CHANCE * error, _SMALLEST_GAIN * self._height(chance))

    def _height(self, loss: float, *, unknown: float = np.inf) -> float:
        """Return how far a loss is above the floor."""
        return unknown if self.floor is None else abs(loss - self.floor)

    @property
    def steep(self) -> float:
        """The rate from which, to the next one, the loss falls fastest per logarithm of it."""
        slopes = np.diff(self.smoothed) / np.diff(np.log(self.lrs))
        return float(self.lrs[slopes.argmin()])

    @property
    def bottom(self) -> float:
        """The rate from which on, up to the minimum, the loss stays close to it."""
        height = self._height(float(self.smoothed[self.lowest]))
        rise = min(_BOTTOM * self.fall, height * _BOTTOM / _REBOUND)
        above = np.flatnonzero(self.smoothed[: self.lowest] >= self.smoothed[self.lowest] + rise)
        return float(self.lrs[above[-1] + 1 if above.size else 0])

    @property
    def middle(self) -> float | None:
        """The middle, in the logarithm, between `bottom` and `diverge`."""
        diverge = self.diverge
        return None if diverge is None else float(np.sqrt(self.bottom * diverge))

    @property
    def diverge(self) -> float | None:
        """The rate at which the loss has clearly risen again."""
        low = self.lowest
        around = max(FEWEST_POINTS // 2, len(self.lrs) // 12)
        error = self._noise(slice(max(0, low - around), low + around))
        bottom = self.smoothed[low]
        rise = min(_REBOUND * self.fall, self._height(float(bottom)))
        clear = np.maximum(rise, _SIGNIFICANT * error * self.spread[low:])
        rebound = np.flatnonzero(self.smoothed[low:] > bottom + clear)
        if rebound.size:
            return float(self.lrs[low + rebound[0]])
        exploded = self.ending > bottom + max(rise, _SIGNIFICANT * error / np.sqrt(_LAST))
        return float(self.lrs[-1]) if self.broke_off or exploded else None

    def _noise(self, part: slice) -> float:
        """Return the noise of a part of the losses, without those that exploded."""
        losses = self.losses[part]
        return noise(losses[losses < self.limit])

    def landmarks(self) -> Landmarks:
        """Return where the curve turns."""
        error = 3 * self._noise(slice(None)) * self.spread
        lower = np.flatnonzero(self.smoothed < self.start - error)
        return Landmarks(
            first=float(self.lrs[lower[0]]) if lower.size else None,
            steep=self.steep,
            bottom=self.bottom,
            minimum=float(self.lrs[self.lowest]),
            diverge=self.diverge,
        )
