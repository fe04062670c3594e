"""The panel below a range test: what short, complete 1cycles made of each learning rate."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.ticker import FixedLocator, MaxNLocator, NullLocator

from onecycle_cli.plotting.canvas import (
    BLUE,
    GREY,
    VERMILLION,
    legend_above,
    number,
    padded,
    plain_ticks,
    rate_axis,
    say,
)

HEIGHT = 2.4
"""Room for the panel, in inches."""

_FAR_OFF = 6.0
_LOOKS: tuple[dict[str, Any], ...] = (
    {"color": GREY, "markerfacecolor": "white", "linewidth": 1.0, "markersize": 6},
    {"color": BLUE, "markerfacecolor": BLUE, "linewidth": 1.8, "markersize": 7},
)


def draw_confirmation(axes: Axes, confirmation: Mapping[str, Any]) -> None:
    """Draw the mean loss of each learning rate, a line for each round of trials.

    The bars of the last round are one standard error of the difference from the best.

    Args:
        axes: where.
        confirmation: that section of `result.json`.
    """
    rungs = [
        (rung, {float(lr): _loss(loss) for lr, loss in (rung.get("losses") or {}).items()})
        for rung in confirmation.get("rungs") or []
    ]
    finite = [loss for _, losses in rungs for loss in losses.values() if math.isfinite(loss)]
    rates = [float(lr) for lr in confirmation.get("tried") or []]
    axes.set_title("short, complete 1cycles", loc="left", size=10)
    axes.set_xlabel("highest learning rate of the cycle (logarithmic scale)")
    axes.set_ylabel("loss at its end")
    if not finite or not rates:
        say(axes, "every candidate diverged")
        return
    low, high = _limits(finite)
    suggested = (confirmation.get("suggestion") or {}).get("value")
    for index, (rung, losses) in enumerate(rungs):
        _draw_rung(axes, rung, losses, high, _LOOKS[min(index, 1)])
    _draw_errors(axes, rungs[-1][1], confirmation.get("differences") or {}, high)
    good = [float(lr) for lr in confirmation.get("as_good") or []]
    if good:
        axes.axvspan(
            min(good) / 1.06, max(good) * 1.06, facecolor=to_rgba(BLUE, 0.10), linewidth=0,
            label="within an error of the best",
        )  # fmt: skip
    if isinstance(suggested, int | float):
        axes.axvline(suggested, color=VERMILLION, linewidth=1.8)
        rates = [*rates, float(suggested)]
    rate_axis(axes, min(rates), max(rates), "exp")
    axes.xaxis.set_major_locator(FixedLocator([float(lr) for lr in confirmation["tried"]]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(MaxNLocator(5))
    plain_ticks(axes, "y")
    legend_above(axes)


def _draw_rung(
    axes: Axes,
    rung: Mapping[str, Any],
    losses: Mapping[float, float],
    high: float,
    look: Mapping[str, Any],
) -> None:
    shown = {lr: loss for lr, loss in sorted(losses.items()) if loss <= high}
    axes.plot(
        list(shown),
        list(shown.values()),
        marker="o",
        zorder=3,
        label=_named(rung),
        **look,
    )
    for lr in sorted(set(losses) - set(shown)):
        text = number(losses[lr]) if math.isfinite(losses[lr]) else "diverged"
        axes.plot([lr], [high], "^", color=look["color"], markersize=7, clip_on=False, zorder=4)
        axes.annotate(
            text,
            (lr, high),
            xytext=(0, -12),
            textcoords="offset points",
            ha="center",
            size=8,
            color=GREY,
        )


def _draw_errors(
    axes: Axes, losses: Mapping[float, float], differences: Mapping[str, Any], high: float
) -> None:
    for name, difference in differences.items():
        lr, error = float(name), _loss(difference.get("error"))
        loss = losses.get(lr, math.inf)
        if math.isfinite(error) and loss <= high:
            axes.plot([lr, lr], [loss - error, loss + error], color=BLUE, linewidth=1.8, zorder=2)


def _limits(losses: Sequence[float]) -> tuple[float, float]:
    """Return limits that show all losses but those far off, which would flatten the others."""
    lowest = min(losses)
    usual = float(np.median([loss - lowest for loss in losses if loss > lowest] or [0.0]))
    near = [loss for loss in losses if loss - lowest <= _FAR_OFF * usual]
    return padded(lowest, max(near), 0.15, 0.2)


def _named(rung: Mapping[str, Any]) -> str:
    count = len(rung.get("replicates") or [0])
    return f"{rung.get('steps')} steps, {'1 run' if count == 1 else f'mean of {count} runs'}"


def _loss(value: Any) -> float:
    """Return a loss; one that JSON has no number for was not finite."""
    return float(value) if isinstance(value, int | float) else math.inf
