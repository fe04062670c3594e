"""Pictures of a learning rate searched by short, complete 1cycles: one search, or several."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from onecycle_cli.plotting.canvas import Line, legend_below, new_figure, picture, title_lines
from onecycle_cli.plotting.paper.axes import log_axis, padded, plain_ticks, rate_axis
from onecycle_cli.plotting.paper.marks import mark_chance, mark_refusal, mark_suggestion
from onecycle_cli.plotting.paper.numbers import number
from onecycle_cli.plotting.paper.palette import Style, colors, look, look_apart
from onecycle_cli.plotting.wording import (
    overlay_labels,
    rate_headline,
    refusal,
    shared_conditions,
    suggested,
    suggestion_lines,
    title_of,
)
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import (
    LADDER,
    STAGE_IN_WORDS,
    Array,
    Bounds,
    Measure,
    Probe,
    bounds_of,
    probes_of,
    profile_of,
)

_MEANING = "about as good"


@picture
def draw_probes(record: Record) -> Figure:
    """Draw the loss at the end of each probe over its learning rate, and what they suggest."""
    probes, bounds = probes_in(record), bounds_of(record.result)
    suggestion = record.result.get("suggestion") or {}
    headline = rate_headline(suggestion, record.result.get("min_lr"))
    title = title_of(record, "Learning rates, each tried by a short training")
    figure = new_figure([*title_lines(title), *suggestion_lines(headline, suggestion)], 4.6)
    axes = figure.add_subplot()
    _finish(axes, [probe.value for probe in probes], loss_limits(probes, bounds))
    if bounds.are_known:
        mark_chance(axes, bounds.chance)
    for index, ((stage, steps), several) in enumerate(_stages(probes)):
        _draw_stage(axes, several, _name(stage, steps), _style(stage, index))
    if suggestion.get("value") is not None:
        _draw_profile(axes, probes, bounds)
        mark_suggestion(axes, suggestion, _MEANING)
    else:
        mark_refusal(axes, refusal(suggestion))
    legend_below(figure, axes, columns=2)
    return figure


@picture
def overlay_probes(records: Sequence[Record]) -> Figure:
    """Draw several searches into one picture, each in its own colour: the longest probes."""
    title = "\n".join(
        ["Learning rates, each tried by a short training", ", ".join(shared_conditions(records))]
    )
    explanation = Line("The dotted lines mark what each run suggests.", faint=True)
    figure = new_figure([*title_lines(title), explanation], 4.8 + 0.2 * len(records))
    axes = figure.add_subplot()
    everything: list[Probe] = []
    for index, (record, label) in enumerate(zip(records, overlay_labels(records), strict=True)):
        suggestion = record.result.get("suggestion") or {}
        _, stage = _stages(probes_in(record))[-1]
        shown = [probe for probe in stage if math.isfinite(probe.loss)]
        name = f"{label}: {suggested('max_lr', suggestion)}"
        axes.plot([p.value for p in shown], [p.loss for p in shown], marker="o", label=name,
                  **look(index))  # type: ignore[arg-type]  # fmt: skip
        if isinstance(suggestion.get("value"), float):
            axes.axvline(suggestion["value"], color=str(look(index)["color"]), linestyle=":")
        everything += shown
    _finish(axes, [probe.value for probe in everything], loss_limits(everything, Bounds()))
    legend_below(figure, axes, columns=1)
    return figure


def probes_in(record: Record) -> list[Probe]:
    """Return the probes of a record, in the order in which they ran."""
    return probes_of(record.tables["trials"], record.tables["curves"])


def _stages(probes: Sequence[Probe]) -> list[tuple[tuple[str, int], list[Probe]]]:
    """Return the probes of each stage and length by rising rates."""
    kinds = dict.fromkeys((probe.stage, probe.steps) for probe in probes)
    return [
        (
            (stage, steps),
            sorted(
                (p for p in probes if (p.stage, p.steps) == (stage, steps)), key=lambda p: p.value
            ),
        )
        for stage, steps in kinds
    ]


def _name(stage: str, steps: int) -> str:
    """Return what the legend calls the probes of a stage."""
    return f"{STAGE_IN_WORDS[stage]} tries, of {steps} steps"


def _style(stage: str, index: int) -> Style:
    """Return how the probes of a stage are drawn, `index` of them being drawn already."""
    if stage == LADDER:
        dashes = look_apart(index)["linestyle"]
        return {"color": colors().faint, "markerfacecolor": colors().paper, "linewidth": 1.2,
                "markersize": 6, "linestyle": dashes}  # fmt: skip
    color = colors().training
    return {"color": color, "markerfacecolor": color, "linestyle": "none", "markersize": 8}


def _draw_stage(axes: Axes, probes: Sequence[Probe], name: str, style: Style) -> None:
    top = axes.get_ylim()[1]
    shown = [probe for probe in probes if probe.loss <= top]
    axes.plot(
        [p.value for p in shown], [p.loss for p in shown], marker="o", zorder=3, label=name,
        **style,  # type: ignore[arg-type]
    )  # fmt: skip
    for probe in probes:
        if probe.loss > top:
            text = number(probe.loss) if math.isfinite(probe.loss) else "broke off"
            color = str(style["color"])
            axes.plot([probe.value], [top], "^", color=color, clip_on=False, zorder=4)
            axes.annotate(
                text, (probe.value, top), xytext=(0, -13), textcoords="offset points", ha="center",
                size=8, color=colors().faint,
            )  # fmt: skip


def _draw_profile(axes: Axes, probes: Sequence[Probe], bounds: Bounds) -> None:
    axes.plot(*smooth_line(probes, bounds), color=colors().training, linewidth=1.6, alpha=0.6,
              label="smoothed, as the best rate varies with the seed")  # fmt: skip


def smooth_line(probes: Sequence[Probe], bounds: Bounds) -> tuple[Array, Array]:
    """Return learning rates and losses of the smooth curve that the suggestion is read off."""
    profile, measure = profile_of(probes, bounds), Measure.of(probes, bounds)
    longest = _stages(probes)[-1][1]
    within = (profile.x >= min(p.x for p in probes)) & (profile.x <= max(p.x for p in probes))
    return 10 ** profile.x[within], measure.losses(profile.smoothed[within], longest)


def loss_limits(probes: Sequence[Probe], bounds: Bounds) -> tuple[float, float]:
    """Return the lowest loss, and the highest but those far above the start and chance."""
    finite = [probe.loss for probe in probes if math.isfinite(probe.loss)]
    if not finite:
        return 0.0, 1.0
    nothing = bounds.chance if bounds.are_known else -math.inf
    usual = max(nothing, float(np.median([probe.start for probe in probes])))
    near = [loss for loss in finite if loss <= usual] or finite
    return min(near), max(*near, nothing)


def _finish(axes: Axes, rates: Sequence[float], limits: tuple[float, float]) -> None:
    rate_axis(axes, min(rates) / 1.3, max(rates) * 1.3, "exp")
    axes.set_xlabel("highest learning rate of the short training (logarithmic scale)")
    axes.set_ylabel("loss at the end, mean of the last fifth")
    low, high = limits
    if low > 0:
        log_axis(axes, "y", low / 1.2, high * 1.5)
        axes.set_ylabel(f"{axes.get_ylabel()}\n(logarithmic scale)")
    else:
        axes.set_ylim(*padded(low, high, 0.08, 0.18))
        plain_ticks(axes, "y")
