"""What is marked in a picture: a suggestion, as sure as it is, a refusal, what guessing costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from onecycle_cli.plotting.paper.numbers import number
from onecycle_cli.plotting.paper.palette import colors

_NEAR = 0.6
_BAND = 0.14


def is_sure(suggestion: Mapping[str, Any]) -> bool:
    """Whether a suggestion was decided by the data."""
    return suggestion.get("value") is not None and suggestion.get("verdict") != "undecided"


def mark_suggestion(
    axes: Axes, suggestion: Mapping[str, Any], meaning: str = "", *, named: bool = True
) -> None:
    """Mark a suggested learning rate by a line, and its interval by a band.

    What is undecided has a dashed line, a hollow mark at its top, and a band that is hatched.

    Args:
        axes: where x are learning rates.
        suggestion: the entry of `result.json`; without a value nothing is marked.
        meaning: what the rates in the interval are, in words, for the legend.
        named: whether the legend names them.
    """
    value, interval = suggestion.get("value"), suggestion.get("interval")
    if value is None:
        return
    sure, color = is_sure(suggestion), colors().rate
    doubt = "" if sure else ", undecided"
    axes.axvline(
        value,
        color=color,
        linewidth=1.8,
        linestyle="-" if sure else (0, (5, 3)),
        label=f"suggested max_lr {number(value)}{doubt}" if named else "_suggested",
    )
    if named:
        axes.plot(
            [value], [1], marker="v", markersize=9, color=color, clip_on=False, zorder=5,
            transform=axes.get_xaxis_transform(), label="_top",
            markerfacecolor=color if sure else colors().paper, linestyle="none",
        )  # fmt: skip
    if interval and interval[0] < interval[1]:
        text = f"{number(interval[0])} to {number(interval[1])}: {meaning}"
        axes.axvspan(
            interval[0],
            interval[1],
            facecolor=to_rgba(color, _BAND if sure else _BAND / 3),
            edgecolor=to_rgba(color, 0.0 if sure else 0.45),
            hatch=None if sure else "//",
            linewidth=0,
            label=text if named else "_interval",
        )


def mark_refusal(axes: Axes, why: str) -> None:
    """Write above the picture, where no line can cross it, that nothing is suggested, and why."""
    axes.text(
        0.006,
        1.03,
        f"refused: {why}",
        transform=axes.transAxes,
        va="bottom",
        weight="bold",
        color=colors().rate,
        bbox={"facecolor": "none", "edgecolor": colors().rate, "pad": 4, "linestyle": "--"},
    )


def mark_chance(axes: Axes, chance: Any) -> None:
    """Draw the loss of always giving the same answer, where it lies in the picture or near it."""
    if not isinstance(chance, int | float) or not math.isfinite(chance):
        return
    low, high = axes.get_ylim()
    if axes.get_yscale() == "log":
        if chance <= 0:
            return
        reach = (high / low) ** _NEAR
        near = low / reach <= chance <= high * reach
        wider = min(low, chance / 1.1), max(high, chance * 1.1)
    else:
        reach = _NEAR * (high - low)
        near = low - reach <= chance <= high + reach
        margin = 0.05 * (high - low)
        wider = min(low, chance - margin), max(high, chance + margin)
    if not near:
        return
    axes.set_ylim(*wider)
    axes.axhline(
        chance,
        color=colors().chance,
        linestyle=":",
        linewidth=1.8,
        zorder=1.5,
        label=f"always the same answer: {number(chance)}",
    )
