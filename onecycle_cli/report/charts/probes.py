"""Charts of a learning rate searched by short trainings: where each ended, and how it went."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from onecycle_cli.plotting.paper.axes import padded
from onecycle_cli.plotting.paper.numbers import number
from onecycle_cli.plotting.probes import loss_limits, probes_in, smooth_line
from onecycle_cli.report.charts.canvas import (
    BLUE,
    HEIGHT,
    MUTED,
    PAPER,
    drawn,
    is_wide,
    level,
    look,
    loss_axis,
    named,
    panel,
    rate_axis,
    rows,
    shape_of,
    suggestion_layers,
    suggestion_swatches,
    tip,
    under_the_pointer,
)
from onecycle_cli.report.charts.thinning import kept_points
from onecycle_cli.report.document import Chart, Swatch, Zoom
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import (
    LADDER,
    STAGE_IN_WORDS,
    Bounds,
    Probe,
    bounds_of,
    moving_average,
)

_MOST_POINTS = 120
_MOST_CURVES = 21
_SMOOTHING = 0.8
_X = "highest learning rate of the short training (logarithmic)"


def probes_chart(record: Record, name: str) -> Chart:
    """Return the loss at the end of each probe over its learning rate, and what they suggest."""
    probes, bounds = probes_in(record), bounds_of(record.result)
    found = record.result.get("suggestion") or {}
    value, interval = found.get("value"), found.get("interval")
    rates, losses = rate_limits(probes), _loss_limits(probes, bounds)
    is_log = losses[0] > 0
    x = rate_axis("lr", _X, rates)
    y = loss_axis("loss", "loss at the end", losses, is_logarithmic=is_log)
    layers = [*suggestion_layers(x, value, interval)]
    if bounds.are_known:
        layers.append(level(bounds.chance, y))
    has_line = value is not None
    if has_line:
        layers.append(_profile(probes, bounds, x, y))
    layers += _points(probes, losses[1], x, y)
    stages = list(dict.fromkeys((p.stage, p.steps) for p in probes))
    legend = [
        *(_stage_swatch(*stage) for stage in stages),
        *([Swatch("smoothed", BLUE)] if has_line else []),
        *suggestion_swatches("max_lr", value, interval),
        *([Swatch("always giving the same answer", MUTED, "dotted")] if bounds.are_known else []),
    ]
    description = (
        f"Each of {len(probes)} short trainings is a point: its learning rate, from "
        f"{number(rates[0])} to {number(rates[1])}, and its loss at the end. "
        + (f"Suggested: {number(value)}." if value is not None else "No suggestion.")
    )
    zoom = Zoom("lr", rates, is_logarithmic=True)
    title = "Loss at the end of each short training"
    return drawn(name, title, description, panel(layers, HEIGHT, "lr"), legend, zoom)


def curves_chart(record: Record, name: str) -> Chart:
    """Return the loss of each probe while it trains."""
    probes = probes_in(record)[:_MOST_CURVES]
    columns: dict[str, list[Any]] = {"step": [], "loss": [], "probe": [], "lr": []}
    for index, probe in enumerate(probes, start=1):
        at = kept_points(_smoothed(probe.losses), _MOST_POINTS)
        columns["step"] += at.tolist()
        columns["loss"] += _smoothed(probe.losses)[at].tolist()
        columns["probe"] += [str(index)] * len(at)
        columns["lr"] += [probe.value] * len(at)
    names = list(map(str, range(1, len(probes) + 1)))
    longest = float(max([probe.steps for probe in probes], default=1))
    x = alt.X(
        "step:Q",
        scale=alt.Scale(domain=[0, longest], nice=False),
        axis=alt.Axis(title="step of the short training", tickCount=8, format="d"),
    )
    losses = np.array([v for v in columns["loss"] if math.isfinite(v)])
    low, high = np.percentile(losses, (0, 97)) if len(losses) else (0.0, 1.0)
    is_log = is_wide(float(low), float(high))
    limits = (low / 1.1, high * 1.1) if is_log else padded(float(low), float(high), 0.06, 0.1)
    y = loss_axis("loss", "loss, smoothed", limits, is_logarithmic=is_log)
    data = alt.Chart(rows(**columns))
    lines = data.mark_line(strokeWidth=1.6, clip=True).encode(
        x=x,
        y=y,
        color=alt.Color(
            "probe:N",
            scale=alt.Scale(domain=names, range=[look(i)[0] for i in range(len(names))]),
            legend=None,
        ),
        strokeDash=alt.StrokeDash(
            "probe:N",
            scale=alt.Scale(domain=names, range=[look(i)[1] for i in range(len(names))]),
            legend=None,
        ),
    )
    tooltip = [tip("lr", "highest learning rate"), tip("step", "step"), tip("loss", "loss")]
    chart = panel([lines, *under_the_pointer(data, x, y, tooltip)], HEIGHT - 60, "step")
    legend = [
        Swatch(f"{number(probe.value)}, {probe.steps} steps", look(i)[0], shape_of(i))
        for i, probe in enumerate(probes)
    ]
    description = f"The loss of {len(probes)} short trainings over their steps."
    zoom = Zoom("step", (0.0, longest))
    return drawn(name, "Loss during each short training", description, chart, legend, zoom)


def rate_limits(probes: Sequence[Probe]) -> tuple[float, float]:
    """Return the lowest and the highest rate, with some air."""
    rates = [probe.value for probe in probes]
    return min(rates) / 1.5, max(rates) * 1.5


def stage_name(stage: str, steps: int) -> str:
    """Return what the probes of a stage are called."""
    return f"{STAGE_IN_WORDS[stage]} tries, {steps} steps"


def _stage_swatch(stage: str, steps: int) -> Swatch:
    return Swatch(
        stage_name(stage, steps),
        MUTED if stage == LADDER else BLUE,
        "ring" if stage == LADDER else "point",
    )


def _points(probes: Sequence[Probe], highest: float, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Return a ring for each coarse probe, a dot for each fine one; triangles where none fits."""
    data = rows(
        lr=[p.value for p in probes],
        loss=[min(p.loss, highest) if math.isfinite(p.loss) else highest for p in probes],
        end=[number(p.loss, 4) if math.isfinite(p.loss) else "broke off" for p in probes],
        stage=[stage_name(p.stage, p.steps) for p in probes],
        kind=[
            "above" if not p.loss <= highest else "ring" if p.stage == LADDER else "dot"
            for p in probes
        ],
    )
    kinds = ["ring", "dot", "above"]

    def by_kind(ring: str, dot: str, above: str) -> dict[str, Any]:
        return {"scale": alt.Scale(domain=kinds, range=[ring, dot, above]), "legend": None}

    points = alt.Chart(data).mark_point(filled=True, size=90, opacity=1, strokeWidth=2)
    return [
        points.encode(
            x=x,
            y=y,
            shape=alt.Shape("kind:N", **by_kind("circle", "circle", "triangle-up")),
            fill=alt.Fill("kind:N", **by_kind(PAPER, BLUE, MUTED)),
            stroke=alt.Stroke("kind:N", **by_kind(MUTED, BLUE, MUTED)),
            tooltip=[
                tip("lr", "learning rate"),
                named("end", "loss at the end"),
                named("stage", "part of"),
            ],
        )
    ]


def _profile(probes: Sequence[Probe], bounds: Bounds, x: alt.X, y: alt.Y) -> alt.Chart:
    """Return the smoothed curve that the suggestion is read off."""
    lrs, losses = smooth_line(probes, bounds)
    data = rows(lr=lrs.tolist(), loss=losses.tolist())
    line = alt.Chart(data).mark_line(color=BLUE, strokeWidth=2, opacity=0.7, clip=True)
    return line.encode(x=x, y=y)


def _loss_limits(probes: Sequence[Probe], bounds: Bounds) -> tuple[float, float]:
    """Return the limits of the axis: some room around the losses that are to be seen."""
    if not any(math.isfinite(probe.loss) for probe in probes):
        return 0.0, 1.0
    low, high = loss_limits(probes, bounds)
    return (low / 1.3, high * 1.3) if low > 0 else padded(low, high, 0.08, 0.18)


def _smoothed(losses: Any) -> Any:
    finite = np.asarray(losses, float)
    broken = np.flatnonzero(~np.isfinite(finite))
    return moving_average(finite[: broken[0]] if len(broken) else finite, _SMOOTHING)
