"""Axes whose scale, limits and ticks suit what they show."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator

from onecycle_cli.plotting.paper.numbers import OneStyle
from onecycle_cli.plotting.paper.palette import colors

_MOST_LABELS = 12
_SQUASHED = 8.0


def plain_ticks(axes: Axes, *which: str) -> None:
    """Label the linear axes named `x` or `y` without offsets or factors."""
    for name in which:
        _axis(axes, name).set_major_formatter(OneStyle(aligned=True))


def whole_ticks(axes: Axes, most: int = 12) -> None:
    """Put the ticks of x on whole numbers."""
    axes.xaxis.set_major_locator(MaxNLocator(most, integer=True))
    plain_ticks(axes, "x")


def rate_axis(axes: Axes, low: float, high: float, scale: str) -> None:
    """Make x the axis of learning rates from `low` to `high`, labelled with the rates themselves.

    Args:
        axes: where.
        low: lowest rate, > 0 on an exponential scale.
        high: highest rate, >= `low`.
        scale: `"exp"` for a logarithmic axis or `"linear"`.
    """
    if scale == "linear":
        axes.set_xlim(*padded(low, high, 0.03))
        axes.xaxis.set_major_locator(MaxNLocator(8))
        plain_ticks(axes, "x")
    else:
        log_axis(axes, "x", low, high)


def log_axis(axes: Axes, which: str, low: float, high: float) -> None:
    """Make `x` or `y` logarithmic, from `low` to `high` and a little more.

    Args:
        axes: where.
        which: `x` or `y`.
        low: the lowest value that is shown, > 0.
        high: the highest, >= `low`.
    """
    middle = math.exp((math.log(low) + math.log(high)) / 2)
    reach = max(math.sqrt(high / low) * 1.05, 1.7)
    axes.set(**{f"{which}scale": "log", f"{which}lim": (middle / reach, middle * reach)})
    decades = 2 * math.log10(reach)
    subs = (1.0,) if decades > 2.5 else (1.0, 2.0, 5.0) if decades > 0.9 else range(1, 10)
    axis = _axis(axes, which)
    axis.set_major_locator(LogLocator(subs=list(map(float, subs)), numticks=_MOST_LABELS))
    axis.set_major_formatter(OneStyle(aligned=False))
    axis.set_minor_locator(LogLocator(subs=list(map(float, range(2, 10))), numticks=30))
    axis.set_minor_formatter(NullFormatter())


def loss_axis(
    axes: Axes, low: float, high: float, line: tuple[float, float], *, below: float, above: float
) -> None:
    """Make y the axis of losses; logarithmic where the low ones would be squashed else.

    Args:
        axes: where, with its label, to which the scale is added.
        low: the lowest loss that is shown.
        high: the highest, >= `low`.
        line: lowest and highest of the losses without their noise, which decide about the scale.
        below: margin below, as a share of the distance between the two.
        above: margin above.
    """
    if low > 0 and line[1] > _SQUASHED * line[0]:
        span = math.log(high / low)
        log_axis(axes, "y", low * math.exp(-below * span / 2), high * math.exp(above * span / 2))
        axes.set_ylabel(f"{axes.get_ylabel()}\n(logarithmic scale)")
    else:
        axes.set_ylim(*padded(low, high, below, above))
        plain_ticks(axes, "y")


def padded(
    low: float, high: float, below: float, above: float | None = None
) -> tuple[float, float]:
    """Return limits with a margin, as a share of their distance; wide enough to be drawn."""
    span = high - low
    if span <= 1e-9 * max(abs(low), abs(high), 1e-12):
        span = 0.2 * max(abs(low), abs(high)) or 1.0
        low, high = low - span / 2, high + span / 2
    return low - below * span, high + (below if above is None else above) * span


def spread(places: Sequence[float], distance: float) -> list[float]:
    """Return places between 0 and 1 moved apart, in their order, by at least a distance.

    Args:
        places: where they are, in any order.
        distance: less than one for each of them is left where there is no room for more.
    """
    if not places:
        return []
    distance = min(distance, 1 / len(places))
    order = np.argsort(places, kind="stable")
    moved = np.clip(np.asarray(places, float)[order], 0, 1)
    for i in range(1, len(moved)):
        moved[i] = max(moved[i], moved[i - 1] + distance)
    excess = moved[-1] - 1
    if excess > 0:
        moved[-1] = 1.0
        for i in range(len(moved) - 2, -1, -1):
            moved[i] = min(moved[i], moved[i + 1] - distance)
    result = np.empty(len(moved))
    result[order] = moved
    return result.tolist()


def say(axes: Axes, text: str) -> None:
    """Write into empty axes why they are empty."""
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=colors().faint
    )
    axes.yaxis.set_major_locator(NullLocator())
    if not any(np.size(line.get_xdata()) for line in axes.lines):
        axes.xaxis.set_major_locator(NullLocator())


def _axis(axes: Axes, which: str) -> Axis:
    return axes.xaxis if which == "x" else axes.yaxis
