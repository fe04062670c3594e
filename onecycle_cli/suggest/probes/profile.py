"""How high the loss lies over a hyper-parameter, as far as a few probes tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onecycle_cli.suggest.curves import Array

_GRID = 0.01
_REACH = 3


@dataclass(frozen=True)
class Profile:
    """A curve through the results of probes.

    Attributes:
        x: decimal logarithms of the values, rising evenly, of shape (n,).
        raw: the curve through the probes, a logarithm of the loss, of shape (n,).
        smoothed: the same without what length and seed leave unknown, of shape (n,).
    """

    x: Array
    raw: Array
    smoothed: Array

    @classmethod
    def through(
        cls, points: Sequence[tuple[float, float]], *, spread: float, below: float, above: float
    ) -> Profile:
        """Return the curve that runs straight from point to point, smoothed by a Gaussian kernel.

        Args:
            points: logarithms of values and heights of losses, 0 where nothing was learned, by
                rising values.
            spread: standard deviation of the kernel, in decades.
            below: by how much it rises a decade below the first point.
            above: by how much it rises a decade above the last one.
        """
        at, heights = np.array(points).T
        x = np.arange(at[0] - 1, at[-1] + 1, _GRID)
        raw = np.interp(x, at, heights)
        raw = np.where(x < at[0], heights[0] + (at[0] - x) * below, raw)
        raw = np.where(x > at[-1], heights[-1] + (x - at[-1]) * above, raw)
        raw = np.minimum(raw, 0.0)
        return cls(x, raw, _smooth(raw, spread))

    @property
    def lowest(self) -> float:
        """Where the smoothed curve is lowest."""
        return float(self.x[self.smoothed.argmin()])

    def room(self, rise: float) -> tuple[float, float]:
        """Return how far below and above its lowest place it stays within a rise, in decades."""
        place = int(self.smoothed.argmin())
        higher = self.smoothed > self.smoothed[place] + rise
        sides = (higher[: place + 1][::-1], higher[place:])
        below, above = (int(np.append(side, True).argmax()) - 1 for side in sides)
        return below * _GRID, above * _GRID


def _smooth(raw: Array, spread: float) -> Array:
    """Smooth a curve; beyond its ends, it stays as it is there."""
    reach = round(_REACH * spread / _GRID)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * _GRID / spread) ** 2)
    return np.convolve(np.pad(raw, reach, mode="edge"), kernel / kernel.sum(), "valid")
