"""Charts of range tests: each batch's loss over the learning rate, and what each rule says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from onecycle_cli.plotting.paper.axes import padded
from onecycle_cli.plotting.paper.numbers import number
from onecycle_cli.plotting.range_test import findings_of
from onecycle_cli.plotting.sweep import Sweep, sweep_of
from onecycle_cli.report.charts.canvas import (
    BLUE,
    HEIGHT,
    INK,
    LEFT,
    MUTED,
    PAPER,
    drawn,
    level,
    loss_axis,
    named,
    panel,
    rate_axis,
    rows,
    stacked,
    suggestion_layers,
    suggestion_swatches,
    tip,
    under_the_pointer,
)
from onecycle_cli.report.charts.thinning import evenly, kept_points
from onecycle_cli.report.document import Chart, Swatch, Zoom
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import LRFindings, bounds_of

_MOST_POINTS, _MOST_SMOOTH = 500, 250
_ROW = 20
_ROOM = 5
"""Above this share of the highest rate, an answer is written to the left of its mark."""


def range_test_chart(record: Record, name: str) -> Chart:
    """Return the chart of a `find-lr` record by range tests, or of a folder of keras-one-cycle."""
    curves = record.curves()
    findings = findings_of(record, curves)
    sweeps = [sweep_of(curve) for curve in curves]
    found, chance = findings.suggestion, bounds_of(record.result).guessing
    value = found.value if isinstance(found.value, float) else None
    rates, scale = _rates(sweeps), str(record.result.get("scale", "exp"))
    x = rate_axis(
        "lr", f"learning rate{'' if scale == 'linear' else ' (logarithmic)'}", rates, scale
    )
    y = loss_axis("loss", "loss", loss_limits(sweeps, chance))
    marks = suggestion_layers(x, value, found.interval)
    layers = [
        *marks,
        *([level(chance, y)] if chance is not None else []),
        *_points(sweeps, x, y),
        _smooth(sweeps, x, y),
        *_rebounds(sweeps, findings, x, y),
    ]
    chart = panel(layers, HEIGHT, "lr")
    rules = _rules(findings)
    if rules:
        strip = panel([*marks, *_answers(rules, x, rates[1])], _ROW * len(rules) + 8, "lr", "rules")
        chart = stacked(chart, strip, spacing=12)
    legend = [
        Swatch("loss of each step", BLUE, "point"),
        Swatch("smoothed" if len(sweeps) == 1 else f"smoothed, {len(sweeps)} repeats", BLUE),
        *([Swatch("the loss rebounds", BLUE, "ring")] if findings.landmarks else []),
        *suggestion_swatches("max_lr", value, found.interval),
        *([Swatch("always giving the same answer", MUTED, "dotted")] if chance is not None else []),
    ]
    zoom = Zoom("lr", rates, scale != "linear")
    title = "Loss while the learning rate rises" + (
        ", and the answers of several rules" if rules else ""
    )
    return drawn(name, title, _description(findings, rates), chart, legend, zoom)


def smooth_line(sweep: Sweep) -> tuple[list[float], list[float]]:
    """Return the smoothed curve of a range test, in few points."""
    at = evenly(len(sweep.smooth_lrs), _MOST_SMOOTH)
    return sweep.smooth_lrs[at].tolist(), sweep.smooth_losses[at].tolist()


def loss_limits(sweeps: Sequence[Sweep], chance: float | None = None) -> tuple[float, float]:
    """Return limits that show all losses but the explosion at the end, and the line of chance."""
    known = [sweep for sweep in sweeps if len(sweep.smooth_lrs)]
    if not known:
        return 0.0, 1.0
    usual = np.percentile(np.concatenate([sweep.usual() for sweep in known]), (1, 99))
    starts = [s.smooth_losses[: max(1, len(s.smooth_losses) // 20)].mean() for s in known]
    lows = [float(usual[0]), *(float(s.smooth_losses.min()) for s in known)]
    highs = [float(usual[1]), *map(float, starts), *([chance] if chance is not None else [])]
    return padded(min(lows), max(highs), 0.06, 0.15)


def _rates(sweeps: Sequence[Sweep]) -> tuple[float, float]:
    rates = np.concatenate([sweep.lrs for sweep in sweeps] or [np.array([])])
    rates = rates[rates > 0]
    if not len(rates):
        return 1e-5, 10.0
    return float(rates.min()), float(rates.max())


def _points(sweeps: Sequence[Sweep], x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Return the raw losses, and the numbers of the step that is under the pointer."""
    lrs, losses, smooth, repeats = [], [], [], []
    for repeat, sweep in enumerate(sweeps, start=1):
        at = kept_points(sweep.losses, _MOST_POINTS)
        lrs += sweep.lrs[at].tolist()
        losses += sweep.losses[at].tolist()
        has_line = len(sweep.smooth_lrs) > 0
        smooth += [sweep.at(lr) if has_line else None for lr in sweep.lrs[at]]
        repeats += [str(repeat)] * len(at)
    data = alt.Chart(rows(lr=lrs, loss=losses, smooth=smooth, repeat=repeats))
    tooltip = [tip("lr", "learning rate"), tip("loss", "loss"), tip("smooth", "smoothed")]
    if len(sweeps) > 1:
        tooltip.append(named("repeat", "repeat"))
    dots = data.mark_point(filled=True, color=BLUE, opacity=0.3, size=14, clip=True)
    return [dots.encode(x=x, y=y), *under_the_pointer(data, x, y, tooltip)]


def _smooth(sweeps: Sequence[Sweep], x: alt.X, y: alt.Y) -> alt.Chart:
    lines = [smooth_line(sweep) for sweep in sweeps]
    data = rows(
        lr=[lr for lrs, _ in lines for lr in lrs],
        loss=[loss for _, losses in lines for loss in losses],
        repeat=[str(i) for i, (lrs, _) in enumerate(lines) for _ in lrs],
    )
    line = alt.Chart(data).mark_line(color=BLUE, strokeWidth=2, clip=True)
    return line.encode(x=x, y=y, detail="repeat:N")


def _rebounds(sweeps: Sequence[Sweep], findings: LRFindings, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """Return a ring where each smoothed loss rebounds."""
    points = [
        (mark.diverge, sweep.at(mark.diverge))
        for sweep, mark in zip(sweeps, findings.landmarks, strict=False)
        if mark.diverge is not None and len(sweep.smooth_lrs)
    ]
    if not points:
        return []
    data = rows(lr=[lr for lr, _ in points], loss=[loss for _, loss in points])
    ring = alt.Chart(data).mark_point(
        filled=True, fill=PAPER, stroke=BLUE, strokeWidth=2, size=70, opacity=1, clip=True
    )
    return [ring.encode(x=x, y=y)]


def _rules(findings: LRFindings) -> dict[str, float]:
    """Return the answers of the rules, which mean nothing on a curve that never falls."""
    if findings.suggestion.verdict == "never_descended":
        return {}
    return {name: lr for name, lr in findings.rules.items() if lr is not None}


def _answers(rules: dict[str, float], x: alt.X, highest: float) -> list[alt.Chart]:
    """Return a row for each rule, with a mark where its answer lies, and the answer beside it."""
    y = alt.Y(
        "rule:N",
        sort=list(rules),
        scale=alt.Scale(domain=list(rules)),
        axis=alt.Axis(title=None, minExtent=LEFT - 2, maxExtent=LEFT - 2, grid=False),
    )
    layers = []
    for is_far in (False, True):  # where there is no room to the right
        part = {name: lr for name, lr in rules.items() if (lr > highest / _ROOM) == is_far}
        texts = [number(lr) for lr in part.values()]
        base = alt.Chart(rows(rule=part, lr=part.values(), text=texts)).encode(x=x, y=y)
        mark = base.mark_point(shape="diamond", filled=True, color=INK, size=70, opacity=1)
        side: dict[str, Any] = (
            {"align": "right", "dx": -8} if is_far else {"align": "left", "dx": 8}
        )
        layers += [
            mark.encode(tooltip=[named("rule", "rule"), tip("lr", "learning rate")]),
            base.mark_text(fontSize=11, color=MUTED, **side).encode(text="text:N"),
        ]
    return layers


def _description(findings: LRFindings, rates: tuple[float, float]) -> str:
    found = findings.suggestion
    answer = (
        f"Suggested: {number(found.value)}." if isinstance(found.value, float) else "No suggestion."
    )
    return (
        f"Line chart of the loss over learning rates from {number(rates[0])} to "
        f"{number(rates[1])}. {answer}"
    )
