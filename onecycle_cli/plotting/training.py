"""Pictures of 1cycle training runs: loss, accuracy, learning rate and momentum over the epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from onecycle_cli.plotting.canvas import (
    MANY_POINTS,
    Line,
    legend_above,
    legend_below,
    new_figure,
    picture,
    title_lines,
)
from onecycle_cli.plotting.paper.axes import loss_axis, padded, plain_ticks, say, whole_ticks
from onecycle_cli.plotting.paper.marks import mark_chance
from onecycle_cli.plotting.paper.numbers import number, percent
from onecycle_cli.plotting.paper.palette import colors, look
from onecycle_cli.plotting.training_run import TrainingRun, run_of
from onecycle_cli.plotting.wording import (
    hyper_parameters,
    known,
    overlay_labels,
    shared_conditions,
    title_of,
)
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import Array


@picture
def draw_training(record: Record) -> Figure:
    """Draw a `train` record."""
    run = run_of(record)
    heading = title_lines(title_of(record, "1cycle training"))
    if values := hyper_parameters(record):
        heading.append(Line(values))
    if result := _result_text(record.result):
        heading.append(Line(result, 11, bold=True))
    figure, loss, accuracy, rate = _panels(heading, with_accuracy=run.has_accuracy)
    _draw_loss(loss, run, record.result.get("chance_loss"))
    if accuracy is not None:
        _draw_accuracy(accuracy, run, record.result.get("test_accuracy"))
    _draw_rate(rate, run)
    for axes in (loss, accuracy, rate):
        if axes is not None:
            _mark_cycles(axes, run, named=axes is loss)
    _finish(rate, [run])
    return figure


@picture
def overlay_trainings(records: Sequence[Record]) -> Figure:
    """Draw several `train` records into one picture, each in its own colour."""
    runs = [run_of(record) for record in records]
    title = "\n".join(["1cycle training runs", ", ".join(shared_conditions(records))])
    figure, loss, accuracy, rate = _panels(
        title_lines(title),
        with_accuracy=any(run.has_accuracy for run in runs),
        extra=0.2 * len(runs),
    )
    momentum = rate.twinx() if any(run.has_momentum for run in runs) else None
    labels = overlay_labels(records)
    for index, (run, record) in enumerate(zip(runs, records, strict=True)):
        style = look(index)
        color = str(style["color"])
        result = _result_text(record.result, short=True)
        label = f"{labels[index]}: {result}" if result else labels[index]
        loss.plot(run.smooth_at, run.smooth_losses, label=label, linewidth=1.3, **style)  # type: ignore[arg-type]
        _plot_points(loss, run.epochs, run.validation_loss, color, None)
        if accuracy is not None:
            _plot_points(accuracy, run.epochs, 100 * run.validation_accuracy, color, None)
        rate.plot(*run.by_cycle(run.lrs), linewidth=1.5, **style)  # type: ignore[arg-type]
        if momentum is not None:
            momentum.plot(*run.by_cycle(run.momenta), linewidth=1, color=color, linestyle=":")
    loss.set_ylabel("loss (line: batches,\ndots: validation)")
    _finish_loss(loss, runs)
    if accuracy is not None:
        _finish_accuracy(accuracy, runs)
        accuracy.set_ylabel("validation\naccuracy (%)")
    _finish_rate(rate, runs)
    if momentum is not None:
        _finish_momentum(momentum, runs)
        momentum.set_ylabel("momentum (dotted)")
    _finish(rate, runs)
    legend_below(figure, loss, columns=1)
    return figure


def _panels(
    heading: Sequence[Line], *, with_accuracy: bool, extra: float = 0.0
) -> tuple[Figure, Axes, Axes | None, Axes]:
    ratios = (3, 2.3, 2) if with_accuracy else (3, 2)
    figure = new_figure(heading, (8.0 if with_accuracy else 5.8) + extra)
    panels = list(
        figure.subplots(len(ratios), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    )
    return figure, panels[0], panels[1] if with_accuracy else None, panels[-1]


def _draw_loss(axes: Axes, run: TrainingRun, chance: Any) -> None:
    every = max(1, -(-len(run.at) // MANY_POINTS))
    axes.plot(
        run.at[::every],
        run.losses[::every],
        linestyle="none",
        marker="o",
        markersize=2 if len(run.at) > 500 else 4,
        markeredgewidth=0,
        alpha=max(0.08, min(0.35, 600 / max(1, len(run.at)))),
        color=colors().training,
        rasterized=True,
        label="loss of each batch" if every == 1 else f"loss of every {every}th batch",
    )
    axes.plot(
        run.smooth_at,
        run.smooth_losses,
        color=colors().training,
        linewidth=1.8,
        label="smoothed",
        marker="o" if len(run.smooth_at) == 1 else None,
    )
    _plot_points(axes, run.epochs, run.validation_loss, colors().validation, "validation")
    axes.set_ylabel("loss")
    _finish_loss(axes, [run])
    mark_chance(axes, chance)
    legend_above(axes)


def _draw_accuracy(axes: Axes, run: TrainingRun, test: Any) -> None:
    if np.isfinite(run.train_accuracy).any():
        axes.plot(
            run.epochs,
            100 * run.train_accuracy,
            color=colors().training,
            linewidth=1.8,
            label="training",
        )
    _plot_points(axes, run.epochs, 100 * run.validation_accuracy, colors().validation, "validation")
    if known(test):
        axes.plot(
            [run.length],
            [100 * test],
            linestyle="none",
            marker="*",
            markersize=13,
            color=colors().test,
            clip_on=False,
            zorder=4,
            label=f"test: {percent(test)}",
        )
    axes.set_ylabel("accuracy (%)")
    _finish_accuracy(axes, [run], test)
    legend_above(axes)


def _draw_rate(axes: Axes, run: TrainingRun) -> None:
    dot = "o" if len(run.at) == 1 else None
    axes.plot(
        *run.by_cycle(run.lrs),
        color=colors().rate,
        linewidth=1.8,
        marker=dot,
        label="learning rate",
    )
    _finish_rate(axes, [run])
    if not run.has_momentum:
        legend_above(axes)
        return
    momentum = axes.twinx()
    momentum.plot(
        *run.by_cycle(run.momenta),
        color=colors().momentum,
        linewidth=1.5,
        linestyle="--",
        marker=dot,
        label="momentum",
    )
    _finish_momentum(momentum, [run])
    legend_above(axes, momentum)


def _plot_points(axes: Axes, x: Array, y: Array, color: str, label: str | None) -> None:
    """Plot a value an epoch as dots on a thin line."""
    finite = np.isfinite(y)
    if finite.any():
        axes.plot(
            x[finite],
            y[finite],
            marker="o",
            markersize=3.5 if len(x) < 100 else 2,
            linewidth=0.9,
            color=color,
            label=label or "_validation",
        )


def _finish_loss(axes: Axes, runs: Sequence[TrainingRun]) -> None:
    """Limit the axis to nearly all losses of batches and validation, so that spikes leave it."""
    drawn = [run for run in runs if len(run.smooth_losses)]
    if not drawn:
        say(axes, "no finite loss to draw")
        return
    validation = np.concatenate([run.validation_loss for run in runs])
    validation = validation[np.isfinite(validation)]
    raw = np.concatenate([run.losses for run in drawn])
    lowest, highest = np.percentile(raw[np.isfinite(raw)], (0.3, 99.7))
    lows, highs = [float(lowest), *validation], [float(highest)]
    if len(validation):
        highs.append(min(float(validation.max()), 1.5 * float(np.percentile(validation, 75))))
    smooth = np.concatenate([run.smooth_losses for run in drawn])
    line = float(smooth.min()), float(smooth.max())
    loss_axis(axes, min(lows), max(highs), line, below=0.08, above=0.12)


def _finish_accuracy(axes: Axes, runs: Sequence[TrainingRun], test: Any = None) -> None:
    tables = [a for r in runs for a in (r.train_accuracy, r.validation_accuracy)]
    values = [v for v in [*np.concatenate(tables), test] if known(v)]
    if values:
        low, high = padded(100 * min(values), 100 * max(values), 0.08)
        axes.set_ylim(max(low, -2.0), min(high, 102.0))
    plain_ticks(axes, "y")


def _finish_rate(axes: Axes, runs: Sequence[TrainingRun]) -> None:
    rates = np.concatenate([run.lrs for run in runs])
    highest = float(rates.max()) if len(rates) else 1.0
    axes.set_ylim(*padded(0, highest, 0.05, 0.08))
    axes.set_ylabel("learning rate")
    plain_ticks(axes, "y")


def _finish_momentum(axes: Axes, runs: Sequence[TrainingRun]) -> None:
    momenta = np.concatenate([run.momenta for run in runs])
    momenta = momenta[np.isfinite(momenta)]
    axes.set_ylim(*padded(float(momenta.min()), float(momenta.max()), 0.08))
    axes.set_ylabel("momentum")
    axes.grid(visible=False)
    axes.spines["right"].set_visible(True)
    plain_ticks(axes, "y")


def _mark_cycles(axes: Axes, run: TrainingRun, *, named: bool) -> None:
    for index, start in enumerate(run.cycles_from, start=2):
        axes.axvline(start, color=colors().faint, linewidth=1, linestyle=":")
        if named:
            axes.annotate(
                f"cycle {index}",
                (start, 1),
                xycoords=axes.get_xaxis_transform(),
                xytext=(4, -3),
                textcoords="offset points",
                va="top",
                size=9,
                color=colors().faint,
            )


def _finish(bottom: Axes, runs: Sequence[TrainingRun]) -> None:
    bottom.set_xlabel("epoch")
    bottom.set_xlim(*padded(0, max([run.length for run in runs]) or 1.0, 0.015))
    whole_ticks(bottom)


def _result_text(result: Mapping[str, Any], *, short: bool = False) -> str:
    """Return what the run reached, in words."""
    parts = []
    if known(result.get("test_accuracy")):
        parts.append(f"test accuracy {percent(result['test_accuracy'])}")
    if known(result.get("test_loss")):
        parts.append(f"test loss {number(result['test_loss'])}")
    if not short and known(result.get("val_accuracy_last")):
        text = f"validation accuracy {percent(result['val_accuracy_last'])}"
        if known(result.get("val_accuracy_best")):
            text += f" (best {percent(result['val_accuracy_best'])})"
        parts.append(text)
    return ", ".join(parts)
