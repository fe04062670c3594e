"""Pictures of the comparison of candidates: momentum values, or weight decays."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from onecycle_cli.kinds import KINDS
from onecycle_cli.plotting.candidates import (
    Candidate,
    candidates_of,
    ordered,
    short_name,
)
from onecycle_cli.plotting.canvas import (
    GREY,
    INK,
    VERMILLION,
    legend_below,
    look,
    new_figure,
    number,
    padded,
    picture,
    plain_ticks,
    rounded_to,
    say,
    title_lines,
    whole_ticks,
)
from onecycle_cli.plotting.wording import (
    overlay_labels,
    shared_conditions,
    suggested,
    suggestion_lines,
    title_of,
)
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import DEFAULT_MOMENTUM

_FAR_OFF = 6.0
_DECAYS = {
    "l2": "weight decay (L2: loss + λ·Σw²)",
    "decoupled": "weight decay (decoupled: w −= lr·λ·w)",
}


@picture
def draw_comparison(record: Record) -> Figure:
    """Draw a `find-momentum` or `find-wd` record: losses on the left, scores on the right."""
    candidates = candidates_of(record)
    suggestion = record.result.get("suggestion") or {}
    what = KINDS[record.kind].subject
    heading = title_lines(title_of(record, f"{what} compared"))
    if suggestion:
        heading += suggestion_lines(suggested(short_name(record), suggestion), suggestion)
    figure = new_figure(heading, max(4.2, 2.2 + 0.3 * len(candidates)))
    left, right = figure.subplots(1, 2, width_ratios=(1.15, 1))
    chosen = _chosen_rows(candidates, suggestion.get("value"))
    _draw_losses(left, candidates, chosen)
    _draw_scores(right, candidates, chosen)
    if not chosen:
        _mark_between(right, candidates, suggestion.get("value"))
    right.set_ylabel(_axis_name(record))
    right.set_xlabel(_score_label(record))
    if any(len(c.losses) for c in candidates):
        columns = len(candidates) if len(candidates) < 8 else 5
        legend_below(figure, left, columns, _axis_name(record))
    return figure


@picture
def overlay_comparisons(records: Sequence[Record]) -> Figure:
    """Draw the scores of several records of one kind, each in its own colour."""
    runs = [candidates_of(record) for record in records]
    values = ordered({c.value for run in runs for c in run})
    what = KINDS[records[0].kind].subject
    title = "\n".join([f"{what} compared", ", ".join(shared_conditions(records))])
    row = 0.16 + 0.14 * len(records)
    figure = new_figure(title_lines(title), max(3.4, 1.4 + row * len(values)) + 0.2 * len(records))
    axes = figure.add_subplot()
    labels = overlay_labels(records)
    limits = _score_limits([c for run in runs for c in run])
    for index, (record, run) in enumerate(zip(records, runs, strict=True)):
        shift = 0.7 * ((index + 0.5) / len(records) - 0.5)
        rows = [values.index(c.value) + shift for c in run]
        text = suggested(short_name(record), record.result.get("suggestion") or {})
        color = look(index)["color"]
        marker = "osD^v<>"[index % 7]
        _draw_dots(axes, run, rows, [color] * len(run), limits=limits, marker=marker)
        _name_far_off(axes, run, rows, limits)
        axes.plot([], [], marker, color=color, label=f"{labels[index]}: {text}")
    names = {c.value: c.name for run in runs for c in run}
    _finish_scores(axes, [names[v] for v in values], limits)
    axes.set_ylabel(" / ".join(dict.fromkeys(map(_axis_name, records))))
    axes.set_xlabel(_score_label(records[0]))
    legend_below(figure, axes, columns=1)
    return figure


def _chosen_rows(candidates: Sequence[Candidate], suggestion: Any) -> list[int]:
    """Return the rows that a suggested value, or a range of them, stands for."""
    if suggestion is None:
        return []
    return [i for i, candidate in enumerate(candidates) if _is_chosen(candidate, suggestion)]


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


def _mark_between(axes: Axes, candidates: Sequence[Candidate], suggestion: Any) -> None:
    """Draw a line where a suggested value lies that is none of those that were tried."""
    values = [c.value for c in candidates if isinstance(c.value, float)]
    if not isinstance(suggestion, float) or not values or suggestion <= 0:
        return
    least = min(v for v in (*values, suggestion) if v > 0) / 10
    at = [math.log10(max(value, least)) for value in values]
    row = float(np.interp(math.log10(suggestion), at, range(len(at))))
    axes.axhline(row, color=VERMILLION, linestyle="--", linewidth=1.4, zorder=1)
    axes.annotate(
        f"suggested: {number(suggestion)}",
        (1, row),
        xycoords=axes.get_yaxis_transform(),
        xytext=(-4, 2),
        textcoords="offset points",
        ha="right",
        size=8,
        color=VERMILLION,
    )


def _draw_losses(axes: Axes, candidates: Sequence[Candidate], chosen: Sequence[int]) -> None:
    axes.set_title("loss while training", loc="left", size=10)
    for index, candidate in enumerate(candidates):
        axes.plot(
            candidate.losses,
            linewidth=2.4 if index in chosen else 1.3,
            label=candidate.name.replace("\n", ", "),
            marker="o" if len(candidate.losses) == 1 else None,
            **look(index),  # type: ignore[arg-type]
        )
    axes.set_xlabel("step")
    axes.set_ylabel("loss, smoothed, mean of the replicates")
    drawn = [c.losses for c in candidates if len(c.losses)]
    if not drawn:
        say(axes, "no finite loss to draw")
        return
    starts = [losses[: max(1, len(losses) // 20)].max() for losses in drawn]
    lowest = float(min(losses.min() for losses in drawn))
    axes.set_ylim(*padded(lowest, max(lowest, float(np.median(starts))), 0.06, 0.12))
    plain_ticks(axes, "y")
    whole_ticks(axes, 6)


def _draw_scores(axes: Axes, candidates: Sequence[Candidate], chosen: Sequence[int]) -> None:
    axes.set_title("how much worse than the best", loc="left", size=10)
    limits = _score_limits(candidates)
    for row in chosen:
        axes.axhspan(row - 0.5, row + 0.5, facecolor=to_rgba(VERMILLION, 0.13), linewidth=0)
    colors = [look(index)["color"] for index in range(len(candidates))]
    _draw_dots(axes, candidates, range(len(candidates)), colors, limits=limits, marker="o")
    _finish_scores(axes, [c.name for c in candidates], limits)
    for row in chosen:
        axes.get_yticklabels()[row].set_fontweight("bold")
        axes.get_yticklabels()[row].set_color(VERMILLION)
    for row, candidate in enumerate(candidates):
        axes.annotate(
            _score_text(candidate, candidates),
            (1, row),
            xycoords=axes.get_yaxis_transform(),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            size=8,
            color=GREY,
            annotation_clip=False,
        )


def _draw_dots(
    axes: Axes,
    candidates: Sequence[Candidate],
    rows: Sequence[float],
    colors: Sequence[str],
    *,
    limits: tuple[float, float],
    marker: str,
) -> None:
    """Draw each score as a dot with whiskers; what lies far off, as an arrow at the edge."""
    for candidate, row, color in zip(candidates, rows, colors, strict=True):
        if not candidate.finished or candidate.mean > limits[1]:
            axes.plot([limits[1]], [row], ">", color=color, ms=7, clip_on=False, zorder=3)
            continue
        if candidate.interval:
            axes.plot(candidate.interval, [row, row], "-", color=color, linewidth=1.8)
        axes.plot([candidate.mean], [row], marker, color=color, ms=6, zorder=3)


def _name_far_off(
    axes: Axes,
    candidates: Sequence[Candidate],
    rows: Sequence[float],
    limits: tuple[float, float],
) -> None:
    """Write beside each arrow at the edge what it stands for."""
    for candidate, row in zip(candidates, rows, strict=True):
        if not candidate.finished or candidate.mean > limits[1]:
            axes.annotate(
                _score_text(candidate, candidates),
                (limits[1], row),
                xytext=(-8, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                size=8,
                color=GREY,
            )


def _finish_scores(axes: Axes, names: Sequence[str], limits: tuple[float, float]) -> None:
    axes.axvline(0, color=INK, linewidth=1, zorder=1)
    axes.set_xlim(*limits)
    plain_ticks(axes, "x")
    axes.xaxis.set_major_locator(MaxNLocator(5))
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(-0.6, len(names) - 0.4)


def _score_limits(candidates: Sequence[Candidate]) -> tuple[float, float]:
    """Return limits that show all scores but those far off, which would flatten the others."""
    finished = [c for c in candidates if c.finished]
    ends = sorted(c.interval[1] if c.interval else c.mean for c in finished)
    lowest = min([0.0, *(c.interval[0] for c in finished if c.interval)])
    usual = float(np.median([e for e in ends if e > 0] or [1.0]))
    near = [e for e in ends if e <= _FAR_OFF * usual] or [usual]
    return padded(lowest, max(*near, 1e-3 * usual), 0.08, 0.12)


def _score_text(candidate: Candidate, candidates: Sequence[Candidate]) -> str:
    if not candidate.finished:
        return "diverged"
    if candidate.mean == 0 and not candidate.interval:
        return f"best: {number(candidate.score, 4)}" if math.isfinite(candidate.score) else "best"
    margins = [(c.interval[1] - c.interval[0]) / 2 for c in candidates if c.interval]
    decimals = min(6, rounded_to(float(np.median(margins)) if margins else abs(candidate.mean)))
    text = f"{candidate.mean:+.{decimals}f}"
    if candidate.interval:
        text += f" ± {(candidate.interval[1] - candidate.interval[0]) / 2:.{decimals}f}"
    return text.replace("-", "−")


def _axis_name(record: Record) -> str:
    if KINDS[record.kind].finds == "weight_decay":
        return _DECAYS.get(str(record.result.get("decay")), "weight decay")
    return str(record.result.get("momentum_name") or "momentum")


def _score_label(record: Record) -> str:
    scored_on = record.result.get("scored_on")
    lines = ["loss above the best one, 95 % interval"]
    if scored_on:
        lines.append(f"(scored on {scored_on})")
    return "\n".join(lines)
