"""Curves of many points, drawn with few that look the same."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.suggest import Array

Indices = NDArray[np.int64]


def kept_points(values: Array, most: int) -> Indices:
    """Return the indices of the points to draw, in rising order: at most `most` of them.

    Each of many stretches of the curve keeps its lowest and its highest point, so that no spike
    and no peak of a schedule is lost; the first and the last point stay.

    Args:
        values: along the curve; those that are not finite are left out.
        most: at least 4.
    """
    finite = np.flatnonzero(np.isfinite(values))
    if len(finite) <= most:
        return finite
    kept = [finite[:1], finite[-1:]]
    for stretch in np.array_split(finite, (most - 2) // 2):
        within = values[stretch]
        kept.append(stretch[[int(within.argmin()), int(within.argmax())]])
    return np.unique(np.concatenate(kept))


def evenly(count: int, most: int) -> Indices:
    """Return the indices of at most `most` of `count` points, evenly spread, both ends included."""
    return np.unique(np.linspace(0, max(0, count - 1), min(count, most)).round().astype(np.int64))
