"""The picture of a schedule before anything is trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from onecycle_cli.plotting.canvas import new_figure, picture, title_lines
from onecycle_cli.plotting.paper.axes import padded, plain_ticks, say, whole_ticks
from onecycle_cli.plotting.paper.numbers import number
from onecycle_cli.plotting.paper.palette import colors
from onecycle_cli.suggest import Array

_MOST_NOTES = 6
_MOST_EPOCHS = 12
_WIDTH_OF_A_NOTE = 0.2


@picture
def draw_schedule(
    lrs: Sequence[float],
    momenta: Sequence[float] | None,
    *,
    title: str,
    steps_per_epoch: int | None = None,
    rates: str = "learning rate",
) -> Figure:
    """Draw the learning rate and the momentum of each step, with their first, peak and last values.

    Args:
        lrs: learning rate of each step; of several cycles, one after the other.
        momenta: momentum of each step; `None` where it is left alone.
        title: first line large, further lines small.
        steps_per_epoch: where the epochs end; `None` if that is not known.
        rates: what `lrs` are, where they are no learning rates but shares of one.
    """
    with_momentum = momenta is not None and len(momenta) > 0
    figure = new_figure(title_lines(title), 5.6 if with_momentum else 3.9)
    ratios = (3, 2) if with_momentum else (1,)
    panels = figure.subplots(len(ratios), 1, sharex=True, squeeze=False, height_ratios=ratios)[:, 0]
    _draw_rates(panels[0], np.asarray(lrs, float), rates)
    if momenta is not None and with_momentum:
        _draw_momenta(panels[1], np.asarray(momenta, float))
    panels[-1].set_xlabel("step")
    panels[0].set_xlim(*padded(0, max(1, len(lrs) - 1), 0.02))
    whole_ticks(panels[-1])
    if steps_per_epoch:
        _mark_epochs(list(panels), len(lrs), steps_per_epoch)
    return figure


def turning_points(values: Array) -> list[int]:
    """Return where a series of values stops rising: the first step of each peak."""
    changes = np.flatnonzero(np.diff(values)) + 1
    kept = np.concatenate([[0], changes]).astype(int)
    levels = values[kept]
    rises = np.concatenate([[True], np.diff(levels) > 0])
    falls = np.concatenate([np.diff(levels) < 0, [True]])
    return [int(step) for step in kept[rises & falls]]


def _draw_rates(axes: Axes, lrs: Array, name: str) -> None:
    axes.set_ylabel(name)
    if not len(lrs):
        say(axes, "the schedule has no steps")
        return
    axes.plot(lrs, color=colors().rate, linewidth=2, marker="o" if len(lrs) == 1 else None)
    axes.set_ylim(*padded(0, float(lrs.max()), 0.12, 0.18))
    plain_ticks(axes, "y")
    peaks = turning_points(lrs)
    if len(peaks) > _MOST_NOTES:
        peaks = [int(lrs.argmax())]
    for step in _apart(peaks, len(lrs)):
        _note(
            axes,
            step,
            lrs[step],
            f"peak {number(lrs[step])} at step {step}",
            "above",
            steps=len(lrs),
        )
    if 0 not in peaks:
        _note(axes, 0, lrs[0], f"start {number(lrs[0])}", "below")
    _note_end(axes, lrs)


def _draw_momenta(axes: Axes, momenta: Array) -> None:
    axes.set_ylabel("momentum")
    axes.plot(
        momenta, color=colors().momentum, linewidth=2, marker="o" if len(momenta) == 1 else None
    )
    axes.set_ylim(*padded(float(momenta.min()), float(momenta.max()), 0.22, 0.22))
    plain_ticks(axes, "y")
    troughs = [step for step in turning_points(-momenta) if 0 < step < len(momenta) - 1]
    if len(troughs) > _MOST_NOTES:
        troughs = [int(momenta.argmin())]
    for step in _apart(troughs, len(momenta)):
        _note(
            axes,
            step,
            momenta[step],
            f"lowest {number(momenta[step])}",
            "below",
            steps=len(momenta),
        )
    _note(axes, 0, momenta[0], f"start {number(momenta[0])}", "above")
    _note_end(axes, momenta)


def _apart(steps: Sequence[int], length: int) -> list[int]:
    """Return the steps whose notes leave each other room."""
    kept: list[int] = []
    for step in steps:
        if not kept or step - kept[-1] >= _WIDTH_OF_A_NOTE * length:
            kept.append(step)
    return kept


def _note(axes: Axes, step: int, value: float, text: str, where: str, *, steps: int = 0) -> None:
    """Write a value beside its point: above or below it, and to the side where there is room."""
    axes.plot([step], [value], "o", color=colors().ink, markersize=4, zorder=3)
    share = step / steps if steps else 0.0
    side, shift = ("left", 2) if share < 0.12 else ("right", -2) if share > 0.88 else ("center", 0)
    axes.annotate(
        text,
        (step, value),
        xytext=(shift, 6 if where == "above" else -6),
        textcoords="offset points",
        ha=side,
        va="bottom" if where == "above" else "top",
        size=9,
    )


def _note_end(axes: Axes, values: Array) -> None:
    """Write the last value to the right of the axes, where no line can cross it."""
    last = len(values) - 1
    if not last:
        return
    axes.plot([last], [values[-1]], "o", color=colors().ink, markersize=4, zorder=3)
    axes.annotate(
        f"end {number(values[-1])}",
        (1, values[-1]),
        xycoords=axes.get_yaxis_transform(),
        xytext=(4, 0),
        textcoords="offset points",
        va="center",
        size=9,
        annotation_clip=False,
    )


def _mark_epochs(panels: Sequence[Axes], steps: int, steps_per_epoch: int) -> None:
    """Draw a line where an epoch ends, for long schedules at every so many; count them on top."""

    def epoch(step: ArrayLike) -> Array:
        return np.asarray(step, float) / steps_per_epoch

    def step(epoch: ArrayLike) -> Array:
        return np.asarray(epoch, float) * steps_per_epoch

    top = panels[0].secondary_xaxis("top", functions=(epoch, step))
    top.set_xlabel("epochs done")
    epochs = -(-steps // steps_per_epoch)
    ticks = MaxNLocator(_MOST_EPOCHS, integer=True).tick_values(0, epochs)
    shown = [int(tick) for tick in ticks if 0 <= tick <= epochs and tick == int(tick)]
    top.set_xticks(shown, [str(tick) for tick in shown])
    for panel in panels:
        panel.grid(visible=False, axis="x")
        for tick in shown:
            panel.axvline(tick * steps_per_epoch, color=colors().grid, linewidth=0.9, zorder=0)
