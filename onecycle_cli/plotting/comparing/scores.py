"""How much worse than the best each candidate of a comparison is, and which is suggested."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.ticker import MaxNLocator

from onecycle_cli.plotting.candidates import Candidate, alike
from onecycle_cli.plotting.paper.axes import padded, plain_ticks
from onecycle_cli.plotting.paper.marks import is_sure
from onecycle_cli.plotting.paper.numbers import number, rounded_to
from onecycle_cli.plotting.paper.palette import colors, look_apart
from onecycle_cli.suggest import DEFAULT_MOMENTUM

_FAR_OFF = 6.0
_BAND = 0.16


def draw_scores(
    axes: Axes, candidates: Sequence[Candidate], suggestion: Mapping[str, Any], color: str
) -> None:
    """Draw the distance of each candidate from the best one, a row each, and mark the suggestion.

    A suggested value that was not tried itself has a row of its own, between those that were.

    Args:
        axes: where.
        candidates: by rising value.
        suggestion: the entry of `result.json`.
        color: of what is suggested.
    """
    axes.set_title("how much worse than the best", loc="left", size=10)
    limits = score_limits(candidates)
    chosen = _chosen_rows(candidates, suggestion.get("value"))
    place = None if chosen else _place_between(candidates, suggestion.get("value"))
    rows = [row + (place is not None and row >= place) for row in range(len(candidates))]
    names = [candidate.name for candidate in candidates]
    texts = [score_text(candidate, candidates) for candidate in candidates]
    if place is not None:
        value = float(suggestion["value"])
        names.insert(place, alike([*(c.value for c in candidates), value])[value])
        texts.insert(place, "not tried itself")
    word = "suggested" if is_sure(suggestion) else "suggested, undecided"
    marked = chosen if place is None else [place]
    for row in marked:
        texts[row] += f"\n{word}"
    shades = [str(look_apart(index)["color"]) for index in range(len(candidates))]
    draw_dots(axes, candidates, rows, shades, limits=limits, marker="o")
    finish_scores(axes, names, limits)
    _mark_rows(axes, marked, color, sure=is_sure(suggestion))
    for row, text in enumerate(texts):
        axes.annotate(
            text,
            (1, row),
            xycoords=axes.get_yaxis_transform(),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            size=8,
            color=colors().ink if row in marked else colors().faint,
            annotation_clip=False,
        )


def draw_dots(
    axes: Axes,
    candidates: Sequence[Candidate],
    rows: Sequence[float],
    shades: Sequence[str],
    *,
    limits: tuple[float, float],
    marker: str,
) -> None:
    """Draw each score as a dot with whiskers; what lies far off, as an arrow at the edge."""
    for candidate, row, color in zip(candidates, rows, shades, strict=True):
        if is_far_off(candidate, limits):
            axes.plot([limits[1]], [row], ">", color=color, ms=7, clip_on=False, zorder=3)
            continue
        if candidate.interval:
            axes.plot(candidate.interval, [row, row], "-", color=color, linewidth=1.8)
        axes.plot([candidate.mean], [row], marker, color=color, ms=6, zorder=3)


def is_far_off(candidate: Candidate, limits: tuple[float, float]) -> bool:
    """Tell whether a candidate has no place within the limits of the axis."""
    return not candidate.finished or candidate.mean > limits[1]


def finish_scores(axes: Axes, names: Sequence[str], limits: tuple[float, float]) -> None:
    """Name the rows, and mark the best one's place at 0."""
    axes.axvline(0, color=colors().ink, linewidth=1, zorder=1)
    axes.set_xlim(*limits)
    plain_ticks(axes, "x")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)


def score_limits(candidates: Sequence[Candidate]) -> tuple[float, float]:
    """Return limits that show all scores but those far off, which would flatten the others."""
    finished = [c for c in candidates if c.finished]
    ends = sorted(c.interval[1] if c.interval else c.mean for c in finished)
    lowest = min([0.0, *(c.interval[0] for c in finished if c.interval)])
    usual = float(np.median([e for e in ends if e > 0] or [1.0]))
    near = [e for e in ends if e <= _FAR_OFF * usual] or [usual]
    return padded(lowest, max(*near, 1e-3 * usual), 0.08, 0.12)


def score_text(candidate: Candidate, candidates: Sequence[Candidate]) -> str:
    """Return the distance of a candidate and its margin, as exact as the margins allow."""
    if not candidate.finished:
        return "diverged"
    if candidate.mean == 0 and not candidate.interval:
        return f"best: {number(candidate.score, 4)}" if math.isfinite(candidate.score) else "best"
    margins = [(c.interval[1] - c.interval[0]) / 2 for c in candidates if c.interval]
    decimals = min(6, rounded_to(float(np.median(margins)) if margins else abs(candidate.mean)))
    margin = (candidate.interval[1] - candidate.interval[0]) / 2 if candidate.interval else None
    if abs(candidate.mean) >= 1e5:
        text = f"+{number(candidate.mean)}"
        return text if margin is None else f"{text} ± {number(margin)}"
    text = f"{candidate.mean:+.{decimals}f}"
    if margin is not None:
        text += f" ± {margin:.{decimals}f}"
    return text.replace("-", "−")


def _mark_rows(axes: Axes, rows: Sequence[int], color: str, *, sure: bool) -> None:
    """Lay a band behind rows and print their names bold; a hatched one where it is undecided."""
    labels = axes.get_yticklabels()
    for row in rows:
        axes.axhspan(
            row - 0.5,
            row + 0.5,
            facecolor=to_rgba(color, _BAND if sure else _BAND / 3),
            edgecolor=to_rgba(color, 0.0 if sure else 0.45),
            hatch=None if sure else "//",
            linewidth=0,
        )
        labels[row].set_fontweight("bold")


def _chosen_rows(candidates: Sequence[Candidate], suggestion: Any) -> list[int]:
    """Return the rows that a suggested value, or a range of them, stands for."""
    if suggestion is None:
        return []
    if isinstance(suggestion, Mapping) and not any(c.range for c in candidates):
        suggestion = _of_single_values(candidates, suggestion)
    return [i for i, candidate in enumerate(candidates) if _is_chosen(candidate, suggestion)]


def _of_single_values(candidates: Sequence[Candidate], suggestion: Mapping[str, float]) -> Any:
    """Return what a range stands for where single values were tried.

    All values within where both its ends were tried; else the one that it lies around.
    """
    high, low = suggestion["max"], suggestion["min"]
    tried = [c.value for c in candidates if isinstance(c.value, float)]
    if all(any(math.isclose(v, end, rel_tol=1e-6) for v in tried) for end in (high, low)):
        return suggestion
    middle = (high + low) / 2
    return min(tried, key=lambda value: abs(value - middle), default=middle)


def _is_chosen(candidate: Candidate, suggestion: Any) -> bool:
    value = candidate.value
    if not isinstance(suggestion, Mapping):
        return isinstance(value, float) and math.isclose(value, suggestion, rel_tol=1e-6)
    high, low = suggestion["max"], suggestion["min"]
    if candidate.range is not None:
        return candidate.range == (high, low)
    if isinstance(value, str):
        return dict(suggestion) == DEFAULT_MOMENTUM
    return bool(low - 1e-9 <= value <= high + 1e-9)


def _place_between(candidates: Sequence[Candidate], suggestion: Any) -> int | None:
    """Return the row of a suggested value that is none of those that were tried."""
    values = [c.value for c in candidates if isinstance(c.value, float)]
    if not isinstance(suggestion, int | float) or not values:
        return None
    return sum(value < suggestion for value in values)
