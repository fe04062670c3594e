"""Charts of a training: loss and accuracy, and the schedule beneath them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np

from onecycle_cli.plotting.paper.axes import padded
from onecycle_cli.plotting.training_run import TrainingRun, run_of
from onecycle_cli.plotting.wording import known
from onecycle_cli.report.charts.canvas import (
    DECAY,
    MOMENTUM,
    RATE,
    TEST,
    TICKS,
    TRAINING,
    VALIDATION,
    drawn,
    is_wide,
    loss_axis,
    panel,
    rows,
    stacked,
    tip,
    under_the_pointer,
)
from onecycle_cli.report.charts.thinning import kept_points
from onecycle_cli.report.document import Chart, Swatch, Zoom
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import Array

_MOST_POINTS, _MOST_LINE = 1500, 400
_PANEL, _LOW_PANEL = 190, 80


def training_chart(record: Record, name: str) -> Chart:
    """Return loss, accuracy, learning rate, momentum and weight decay over the epochs."""
    run = run_of(record)
    decays = _column(record, "weight_decay", len(run.at))
    length = 1.01 * max(run.length, 1e-9)
    panels = [_loss(run, _axis(length, last=False))]
    if run.has_accuracy:
        panels.append(_accuracy(run, record.result.get("test_accuracy"), _axis(length, last=False)))
    schedule = [("learning rate", run.lrs, RATE)]
    if run.has_momentum:
        schedule.append(("momentum", run.momenta, MOMENTUM))
    if np.isfinite(decays).any():
        schedule.append(("weight decay", decays, DECAY))
    for index, (title, values, colour) in enumerate(schedule):
        is_last = index == len(schedule) - 1
        panels.append(_line(run, values, title, colour, _axis(length, last=is_last)))
    pointer, tooltip = _pointer(run, decays)
    layered = []
    for number, (height, layers, x) in enumerate(panels):
        place = f"panel_{number}"
        pointed = under_the_pointer(pointer, x, None, tooltip, place)
        layered.append(panel([*layers, *pointed], height, "epoch", place))
    together = stacked(*layered, spacing=10)
    legend = [
        Swatch("loss of each batch", TRAINING, "point"),
        Swatch("smoothed", TRAINING),
        *(
            [Swatch("validation", VALIDATION, "point")]
            if np.isfinite(run.validation_loss).any()
            else []
        ),
        *([Swatch("test, at the end", TEST, "square")] if _shows_test(run, record) else []),
    ]
    description = (
        f"Panels over {run.length:.4g} epochs: the loss of training and validation"
        f"{', the accuracy' if run.has_accuracy else ''}, and below them the schedule of "
        f"{', '.join(title for title, *_ in schedule)}."
    )
    zoom = Zoom("epoch", (0.0, float(length)))
    return drawn(
        name, "The training, and its schedule beneath", description, together, legend, zoom
    )


Panel = tuple[int, list[alt.Chart], alt.X]


def _axis(length: float, *, last: bool) -> alt.X:
    axis = alt.Axis(
        title="epoch" if last else None, labels=last, ticks=last, format=TICKS, tickCount=10
    )
    return alt.X("epoch:Q", scale=alt.Scale(domain=[0, length], nice=False), axis=axis)


def _loss(run: TrainingRun, x: alt.X) -> Panel:
    limits, is_log = loss_limits([run])
    y = loss_axis("loss", "loss", limits, is_logarithmic=is_log)
    at = kept_points(run.losses, _MOST_POINTS)
    raw = alt.Chart(rows(epoch=run.at[at].tolist(), loss=run.losses[at].tolist()))
    line = alt.Chart(rows(**smoothed_loss(run)))
    layers = [
        raw.mark_point(filled=True, color=TRAINING, opacity=0.2, size=10, clip=True).encode(
            x=x, y=y
        ),
        line.mark_line(color=TRAINING, strokeWidth=2, clip=True).encode(x=x, y=y),
        *_validation(run.epochs, run.validation_loss, x, y),
    ]
    return _PANEL, layers, x


def _validation(epochs: Array, values: Array, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    at = kept_points(values, _MOST_LINE)
    if not len(at):
        return []
    column = str(y["shorthand"]).removesuffix(":Q")
    chart = alt.Chart(rows(epoch=epochs[at].tolist(), **{column: values[at].tolist()}))
    tooltip = [tip("epoch", "epoch"), tip(column, f"validation {column}")]
    size = 45 if len(at) < 60 else 14
    return [
        chart.mark_line(color=VALIDATION, strokeWidth=1.2, clip=True).encode(x=x, y=y),
        chart.mark_point(filled=True, color=VALIDATION, opacity=1, size=size, clip=True).encode(
            x=x, y=y, tooltip=tooltip
        ),
    ]


def _accuracy(run: TrainingRun, test: Any, x: alt.X) -> Panel:
    found = [v for v in (*run.train_accuracy, *run.validation_accuracy, test) if known(v)]
    low, high = padded(100 * min(found), 100 * max(found), 0.08)
    y = loss_axis("accuracy", "accuracy (%)", (max(low, -2.0), min(high, 102.0)))
    layers = _validation(run.epochs, 100 * run.validation_accuracy, x, y)
    if np.isfinite(run.train_accuracy).any():
        chart = alt.Chart(
            rows(epoch=run.epochs.tolist(), accuracy=(100 * run.train_accuracy).tolist())
        )
        layers.append(chart.mark_line(color=TRAINING, strokeWidth=2, clip=True).encode(x=x, y=y))
    if known(test):
        star = alt.Chart(rows(epoch=[run.length], accuracy=[100 * test]))
        layers.append(
            star.mark_point(shape="diamond", filled=True, color=TEST, opacity=1, size=130).encode(
                x=x, y=y, tooltip=[tip("accuracy", "test accuracy (%)")]
            )
        )
    return 110, layers, x


def _line(run: TrainingRun, values: Array, title: str, colour: str, x: alt.X) -> Panel:
    """Return a panel of the schedule, with a gap where a new cycle jumps back."""
    at = kept_points(values, _MOST_LINE)
    cycle = np.searchsorted(run.cycles_from, run.at[at], side="right")
    y = loss_axis("value", title, _schedule_limits(values[at]))
    y["axis"]["tickCount"] = 3
    chart = alt.Chart(
        rows(epoch=run.at[at].tolist(), value=values[at].tolist(), cycle=map(str, cycle))
    )
    line = chart.mark_line(color=colour, strokeWidth=2, clip=True)
    return _LOW_PANEL, [line.encode(x=x, y=y, detail="cycle:N")], x


def _schedule_limits(values: Array) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if low == high:  # as a weight decay usually is
        return (0.0, 1.5 * high) if high > 0 else (-1.0, 1.0)
    return padded(min(0.0, low) if low < 0.3 * high else low, high, 0.08)


def _pointer(run: TrainingRun, decays: Array) -> tuple[alt.Chart, list[alt.Tooltip]]:
    """Return the numbers that are shown together under the pointer, wherever that is."""
    at = kept_points(run.lrs, _MOST_LINE)
    smooth = np.interp(run.at[at], run.smooth_at, run.smooth_losses) if len(run.smooth_at) else None
    columns: dict[str, list[Any]] = {"epoch": run.at[at].tolist(), "lr": run.lrs[at].tolist()}
    tooltip = [tip("epoch", "epoch"), tip("lr", "learning rate")]
    if smooth is not None:
        columns["smooth"] = smooth.tolist()
        tooltip.insert(1, tip("smooth", "loss, smoothed"))
    for column, title, values in (
        ("momentum", "momentum", run.momenta),
        ("decay", "weight decay", decays),
    ):
        if np.isfinite(values).any():
            columns[column] = values[at].tolist()
            tooltip.append(tip(column, title))
    return alt.Chart(rows(**columns)), tooltip


def smoothed_loss(run: TrainingRun) -> dict[str, list[float]]:
    """Return the smoothed loss over the epochs, in few points."""
    at = kept_points(run.smooth_losses, _MOST_LINE)
    return {"epoch": run.smooth_at[at].tolist(), "loss": run.smooth_losses[at].tolist()}


def loss_limits(runs: Sequence[TrainingRun]) -> tuple[tuple[float, float], bool]:
    """Return limits that show nearly all losses, and whether the axis had better be logarithmic."""
    raw = np.concatenate([run.losses[np.isfinite(run.losses)] for run in runs])
    validation = np.concatenate([run.validation_loss for run in runs])
    validation = validation[np.isfinite(validation)]
    if not len(raw):
        return (0.0, 1.0), False
    smooth = [float(run.smooth_losses.min()) for run in runs if len(run.smooth_losses)]
    low = float(min([np.percentile(raw, 0.5), *validation, *smooth]))
    high = float(max([np.percentile(raw, 99.7), *np.sort(validation)[-1:]]))
    high = min(high, 3 * float(np.percentile(raw, 99.7)))
    if is_wide(low, high):
        return (low / 1.15, high * 1.15), True
    return padded(low, high, 0.06, 0.1), False


def _column(record: Record, column: str, length: int) -> Array:
    values = record.tables["steps"].get(column, [np.nan] * length)
    return np.array([v if isinstance(v, int | float) else np.nan for v in values], float)


def _shows_test(run: TrainingRun, record: Record) -> bool:
    return run.has_accuracy and known(record.result.get("test_accuracy"))
