"""Charts of candidates that were compared: weight decays, or ranges of momentum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from onecycle_cli.plotting.candidates import Candidate, candidates_of
from onecycle_cli.plotting.comparing.scores import is_far_off, score_limits
from onecycle_cli.plotting.paper.axes import padded
from onecycle_cli.plotting.paper.numbers import number
from onecycle_cli.report.charts.canvas import (
    HEIGHT,
    INK,
    MUTED,
    TICKS,
    VERMILLION,
    drawn,
    is_wide,
    look,
    loss_axis,
    named,
    panel,
    rows,
    shape_of,
    tip,
    under_the_pointer,
)
from onecycle_cli.report.charts.thinning import kept_points
from onecycle_cli.report.document import Chart, Swatch, Zoom
from onecycle_cli.runs.records import Record

_MOST_POINTS = 150
_ROW = 34


def race_chart(record: Record, name: str) -> Chart:
    """Return how much worse than the best each candidate is, with its interval."""
    candidates = candidates_of(record)
    chosen = chosen_names(record, candidates)
    chart = alt.layer(*_race_layers(candidates, chosen))
    chart = chart.properties(width="container", height=_ROW * len(candidates) + 10)
    legend = [
        *([Swatch("suggested", VERMILLION, "point")] if chosen else []),
        Swatch("tried", INK, "point"),
        Swatch("95 % interval", INK),
    ]
    best = min((c for c in candidates if c.finished), key=lambda c: c.mean, default=None)
    description = f"{len(candidates)} values compared" + (
        f"; the lowest loss is that of {names_on_one_line(best)}." if best else "."
    )
    return drawn(name, "How much worse than the best", description, chart, legend)


def _race_layers(candidates: Sequence[Candidate], chosen: Sequence[str]) -> list[alt.Chart]:
    """Return the line of the best, and a dot and an interval for each candidate."""
    limits = score_limits(candidates)
    scale = alt.Scale(domain=list(limits), nice=False, zero=False)
    title = "loss above the best one, with 95 % interval"
    x = alt.X("mean:Q", scale=scale, axis=alt.Axis(title=title, format=TICKS, tickCount=6))
    base = alt.Chart(rows(**_rows(candidates, limits))).encode(y=_names_axis(candidates))
    is_chosen = alt.FieldOneOfPredicate(field="candidate", oneOf=list(chosen))
    colour = alt.condition(is_chosen, alt.value(VERMILLION), alt.value(INK))
    shapes = alt.Scale(domain=["near", "far"], range=["circle", "triangle-right"])
    best = alt.Chart(rows(mean=[0.0])).mark_rule(color=MUTED).encode(x=x)
    intervals = base.mark_rule(strokeWidth=2, clip=True).encode(
        x=alt.X("low:Q", scale=scale), x2="high:Q", color=colour
    )
    dots = base.mark_point(filled=True, size=90, opacity=1).encode(
        x=x,
        color=colour,
        shape=alt.Shape("kind:N", scale=shapes, legend=None),
        tooltip=[
            named("candidate", "value"),
            named("text", "loss above the best"),
            tip("score", "loss"),
        ],
    )
    return [best, intervals, dots]


def _names_axis(candidates: Sequence[Candidate]) -> alt.Y:
    names = [names_on_one_line(c) for c in candidates]
    return alt.Y(
        "candidate:N",
        sort=names,
        scale=alt.Scale(domain=names),
        axis=alt.Axis(title=None, grid=False, labelLimit=110),
    )


def losses_chart(record: Record, name: str) -> Chart:
    """Return the loss of each candidate while it trained."""
    candidates = candidates_of(record)
    columns: dict[str, list[Any]] = {"step": [], "loss": [], "candidate": []}
    for candidate in candidates:
        at = kept_points(candidate.losses, _MOST_POINTS)
        columns["step"] += at.tolist()
        columns["loss"] += candidate.losses[at].tolist()
        columns["candidate"] += [names_on_one_line(candidate)] * len(at)
    names = [names_on_one_line(c) for c in candidates]
    longest = float(max([len(c.losses) for c in candidates], default=1))
    x = alt.X(
        "step:Q",
        scale=alt.Scale(domain=[0, max(1.0, longest)], nice=False),
        axis=alt.Axis(title="step", tickCount=8, format="d"),
    )
    limits = _loss_limits(candidates)
    y = loss_axis("loss", "loss, smoothed", limits, is_logarithmic=is_wide(*limits))
    colours, dashes = zip(*(look(i) for i in range(len(names))), strict=True)
    data = alt.Chart(rows(**columns))
    lines = data.mark_line(strokeWidth=1.8, clip=True).encode(
        x=x,
        y=y,
        color=alt.Color(
            "candidate:N", scale=alt.Scale(domain=names, range=list(colours)), legend=None
        ),
        strokeDash=alt.StrokeDash(
            "candidate:N", scale=alt.Scale(domain=names, range=list(dashes)), legend=None
        ),
    )
    tooltip = [named("candidate", "value"), tip("step", "step"), tip("loss", "loss")]
    chart = panel([lines, *under_the_pointer(data, x, y, tooltip)], HEIGHT - 60, "step")
    legend = [Swatch(text, look(i)[0], shape_of(i)) for i, text in enumerate(names)]
    zoom = Zoom("step", (0.0, max(1.0, longest)))
    description = f"The loss of {len(names)} candidates over the steps of their short trainings."
    return drawn(name, "Loss during the short trainings", description, chart, legend, zoom)


def names_on_one_line(candidate: Candidate) -> str:
    """Return what a candidate is called."""
    return candidate.name.replace("\n", ", ")


def difference_in_words(candidate: Candidate) -> str:
    """Return how much worse than the best a candidate is, with its interval."""
    if not candidate.finished:
        return "diverged"
    if candidate.mean == 0 and not candidate.interval:
        return "the best"
    text = f"{candidate.mean:+.3g}"
    if candidate.interval:
        low, high = candidate.interval
        text += f" ({low:+.3g} to {high:+.3g})"
    return text.replace("-", "−")


def chosen_names(record: Record, candidates: Sequence[Candidate]) -> list[str]:
    """Return the names of the candidates that are suggested; none if the value lies between."""
    value = (record.result.get("suggestion") or {}).get("value")
    if value is None:
        return []
    if isinstance(value, dict):
        wanted = (value["max"], value["min"])
        return [
            names_on_one_line(c) for c in candidates if c.range and np.allclose(c.range, wanted)
        ]
    return [
        names_on_one_line(c)
        for c in candidates
        if isinstance(c.value, float) and math.isclose(c.value, value, rel_tol=1e-6)
    ]


def _rows(candidates: Sequence[Candidate], limits: tuple[float, float]) -> dict[str, list[Any]]:
    near = [not is_far_off(c, limits) for c in candidates]
    intervals = [c.interval if n else None for c, n in zip(candidates, near, strict=True)]
    return {
        "candidate": [names_on_one_line(c) for c in candidates],
        "mean": [c.mean if n else limits[1] for c, n in zip(candidates, near, strict=True)],
        "low": [interval and interval[0] for interval in intervals],
        "high": [interval and interval[1] for interval in intervals],
        "text": [difference_in_words(c) for c in candidates],
        "score": [c.score for c in candidates],
        "kind": ["near" if n else "far" for n in near],
    }


def _loss_limits(candidates: Sequence[Candidate]) -> tuple[float, float]:
    known = [c.losses for c in candidates if len(c.losses)]
    if not known:
        return 0.0, 1.0
    starts = [losses[: max(1, len(losses) // 20)].max() for losses in known]
    lowest = float(min(losses.min() for losses in known))
    highest = max(lowest, float(np.median(starts)))
    if is_wide(lowest, highest):
        return lowest / 1.1, highest * 1.1
    return padded(lowest, highest, 0.06, 0.12)


def summary_rows(record: Record) -> list[list[Any]]:
    """Return a row for each candidate: its value, its loss, and its distance from the best."""
    candidates = candidates_of(record)
    chosen = chosen_names(record, candidates)
    return [
        [
            names_on_one_line(c),
            number(c.score, 4) if math.isfinite(c.score) else "",
            difference_in_words(c),
            "suggested" if names_on_one_line(c) in chosen else "",
        ]
        for c in candidates
    ]
