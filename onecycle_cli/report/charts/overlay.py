"""Charts of several runs of one kind, one colour each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from onecycle_cli.kinds import FIND_LR, PROBES, TRAIN
from onecycle_cli.plotting.candidates import candidates_of
from onecycle_cli.plotting.paper.axes import padded
from onecycle_cli.plotting.probes import probes_in
from onecycle_cli.plotting.sweep import sweep_of
from onecycle_cli.plotting.training_run import run_of
from onecycle_cli.report.charts.canvas import (
    HEIGHT,
    TICKS,
    drawn,
    look,
    loss_axis,
    named,
    panel,
    rate_axis,
    rows,
    shape_of,
    tip,
)
from onecycle_cli.report.charts.comparison import difference_in_words, names_on_one_line
from onecycle_cli.report.charts.probes import rate_limits
from onecycle_cli.report.charts.range_test import loss_limits as sweep_limits
from onecycle_cli.report.charts.range_test import smooth_line
from onecycle_cli.report.charts.training import loss_limits as training_limits
from onecycle_cli.report.charts.training import smoothed_loss
from onecycle_cli.report.document import Chart, Swatch, Zoom
from onecycle_cli.runs.records import Record

Columns = dict[str, list[Any]]


def overlay_chart(records: Sequence[Record], labels: Sequence[str], name: str) -> Chart:
    """Return the curves of several records of one kind and one method in one chart."""
    kind, method = records[0].kind, records[0].result.get("method")
    if kind == TRAIN.name:
        return _trainings(records, labels, name)
    if kind == FIND_LR.name:
        overlay = _searches if method == PROBES else _range_tests
        return overlay(records, labels, name)
    return _comparisons(records, labels, name)


def _trainings(records: Sequence[Record], labels: Sequence[str], name: str) -> Chart:
    runs = [run_of(record) for record in records]
    length = max(run.length for run in runs) or 1.0
    limits, is_log = training_limits(runs)
    x = alt.X(
        "epoch:Q",
        scale=alt.Scale(domain=[0, length], nice=False),
        axis=alt.Axis(title="epoch", format=TICKS, tickCount=10),
    )
    y = loss_axis("loss", "loss", limits, is_logarithmic=is_log)
    smooth, validation = _columns("epoch", "loss"), _columns("epoch", "loss")
    for run, label in zip(runs, labels, strict=True):
        _add(smooth, label, **smoothed_loss(run))
        at = np.isfinite(run.validation_loss)
        losses = run.validation_loss[at].tolist()
        _add(validation, label, epoch=run.epochs[at].tolist(), loss=losses)
    layers = [
        _lines(smooth, labels, x, y),
        _dots(validation, labels, x, y, [tip("epoch", "epoch"), tip("loss", "validation loss")]),
    ]
    legend = [*_legend(labels), Swatch("validation", "var(--ink)", "point")]
    zoom = Zoom("epoch", (0.0, float(length)))
    return _together(name, "Loss of the trainings, smoothed", layers, legend, zoom)


def _range_tests(records: Sequence[Record], labels: Sequence[str], name: str) -> Chart:
    columns, everything = _columns("lr", "loss", "repeat"), []
    for record, label in zip(records, labels, strict=True):
        for repeat, curve in enumerate(record.curves(), start=1):
            sweep = sweep_of(curve)
            everything.append(sweep)
            lrs, losses = smooth_line(sweep)
            _add(columns, label, lr=lrs, loss=losses, repeat=[str(repeat)] * len(lrs))
    rates = [lr for lr in columns["lr"] if lr > 0]
    limits = (min(rates), max(rates)) if rates else (1e-5, 10.0)
    x = rate_axis("lr", "learning rate (logarithmic)", limits)
    y = loss_axis("loss", "loss, smoothed", sweep_limits(everything))
    layers = [_lines(columns, labels, x, y, detail="repeat"), _marks(records, labels, x)]
    legend = [*_legend(labels), Swatch("suggested", "var(--muted)", "dotted")]
    zoom = Zoom("lr", limits, is_logarithmic=True)
    return _together(name, "Loss while the learning rate rises", layers, legend, zoom)


def _searches(records: Sequence[Record], labels: Sequence[str], name: str) -> Chart:
    columns, everything = _columns("lr", "loss"), []
    for record, label in zip(records, labels, strict=True):
        probes = probes_in(record)
        stage = (probes[-1].stage, probes[-1].steps)
        last = sorted((p for p in probes if (p.stage, p.steps) == stage), key=lambda p: p.value)
        last = [probe for probe in last if math.isfinite(probe.loss)]
        everything += probes
        _add(columns, label, lr=[p.value for p in last], loss=[p.loss for p in last])
    limits = rate_limits(everything)
    losses = columns["loss"] or [1.0]
    low, high = min(losses), max(losses)
    is_log = low > 0
    ends = (low / 1.2, high * 1.2) if is_log else padded(low, high, 0.1)
    x = rate_axis("lr", "highest learning rate of the short training (logarithmic)", limits)
    y = loss_axis("loss", "loss at the end", ends, is_logarithmic=is_log)
    tooltip = [tip("lr", "learning rate"), tip("loss", "loss at the end")]
    layers = [
        _lines(columns, labels, x, y),
        _dots(columns, labels, x, y, tooltip),
        _marks(records, labels, x),
    ]
    legend = [*_legend(labels), Swatch("suggested", "var(--muted)", "dotted")]
    zoom = Zoom("lr", limits, is_logarithmic=True)
    return _together(name, "Loss at the end of the short trainings", layers, legend, zoom)


def _comparisons(records: Sequence[Record], labels: Sequence[str], name: str) -> Chart:
    columns = _columns("candidate", "mean", "low", "high", "text")
    order: dict[str, Any] = {}
    for record, label in zip(records, labels, strict=True):
        found = [c for c in candidates_of(record) if c.finished]
        order |= {names_on_one_line(c): c.value for c in found}
        _add(
            columns,
            label,
            candidate=[names_on_one_line(c) for c in found],
            mean=[c.mean for c in found],
            low=[(c.interval or (c.mean, c.mean))[0] for c in found],
            high=[(c.interval or (c.mean, c.mean))[1] for c in found],
            text=[difference_in_words(c) for c in found],
        )
    names = sorted(order, key=lambda n: (isinstance(order[n], str), order[n]))
    x = alt.X(
        "mean:Q",
        axis=alt.Axis(title="loss above the best one, with 95 % interval", format=TICKS),
    )
    base = alt.Chart(rows(**columns)).encode(
        y=alt.Y(
            "candidate:N",
            scale=alt.Scale(domain=names),
            axis=alt.Axis(title=None, grid=False, labelLimit=110),
        ),
        yOffset=alt.YOffset("run:N", scale=alt.Scale(domain=list(labels))),
        color=_colour(labels),
    )
    layers = [
        base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_point(filled=True, size=60, opacity=1).encode(
            x=x,
            tooltip=[
                named("run", "run"),
                named("candidate", "value"),
                named("text", "loss above the best"),
            ],
        ),
    ]
    height = max(1, len(names)) * (18 + 12 * len(labels))
    title = "How much worse than the best of its run"
    return _together(name, title, layers, _legend(labels), None, height)


def _columns(*names: str) -> Columns:
    return {**{name: [] for name in names}, "run": []}


def _add(columns: Columns, label: str, **values: Sequence[Any]) -> None:
    for name, new in values.items():
        columns[name] += list(new)
    columns["run"] += [label] * len(next(iter(values.values())))


def _colour(labels: Sequence[str]) -> alt.Color:
    colours = [look(i)[0] for i in range(len(labels))]
    return alt.Color("run:N", scale=alt.Scale(domain=list(labels), range=colours), legend=None)


def _lines(
    columns: Columns, labels: Sequence[str], x: alt.X, y: alt.Y, detail: str = "run"
) -> alt.Chart:
    dashes = [look(i)[1] for i in range(len(labels))]
    line = alt.Chart(rows(**columns)).mark_line(strokeWidth=2, clip=True)
    return line.encode(
        x=x,
        y=y,
        color=_colour(labels),
        strokeDash=alt.StrokeDash(
            "run:N", scale=alt.Scale(domain=list(labels), range=dashes), legend=None
        ),
        detail=f"{detail}:N",
        tooltip=[named("run", "run")],
    )


def _dots(
    columns: Columns, labels: Sequence[str], x: alt.X, y: alt.Y, tooltip: Sequence[alt.Tooltip]
) -> alt.Chart:
    dots = alt.Chart(rows(**columns)).mark_point(filled=True, size=40, opacity=1, clip=True)
    return dots.encode(x=x, y=y, color=_colour(labels), tooltip=[named("run", "run"), *tooltip])


def _marks(records: Sequence[Record], labels: Sequence[str], x: alt.X) -> alt.Chart:
    """Return a dotted line where each run suggests."""
    found = [(r.result.get("suggestion") or {}).get("value") for r in records]
    known = [(v, label) for v, label in zip(found, labels, strict=True) if isinstance(v, float)]
    data = rows(lr=[value for value, _ in known], run=[label for _, label in known])
    rule = alt.Chart(data).mark_rule(strokeDash=[2, 3], strokeWidth=1.5, clip=True)
    tooltip = [named("run", "run"), tip("lr", "suggested")]
    return rule.encode(x=x, color=_colour(labels), tooltip=tooltip)


def _legend(labels: Sequence[str]) -> list[Swatch]:
    return [Swatch(label, look(i)[0], shape_of(i)) for i, label in enumerate(labels)]


def _together(
    name: str,
    title: str,
    layers: Sequence[alt.Chart],
    legend: Sequence[Swatch],
    zoom: Zoom | None,
    height: int = HEIGHT,
) -> Chart:
    chart = (
        panel(layers, height, zoom.column)
        if zoom is not None
        else alt.layer(*layers).properties(width="container", height=height)
    )
    description = f"{title}, of several runs; the table above has their values."
    return drawn(name, title, description, chart, legend, zoom)
