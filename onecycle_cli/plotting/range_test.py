"""Pictures of learning-rate range tests: one finder's run, or several overlaid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from onecycle_cli.plotting.canvas import Line, legend_below, new_figure, picture, title_lines
from onecycle_cli.plotting.paper.axes import padded, plain_ticks, rate_axis, say
from onecycle_cli.plotting.paper.marks import mark_chance, mark_refusal, mark_suggestion
from onecycle_cli.plotting.paper.numbers import number
from onecycle_cli.plotting.paper.palette import colors, look
from onecycle_cli.plotting.sweep import Sweep, sweep_of
from onecycle_cli.plotting.wording import (
    overlay_labels,
    rate_headline,
    refusal,
    shared_conditions,
    suggested,
    suggestion_lines,
    title_of,
)
from onecycle_cli.runs.curve import Curve
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import (
    Landmarks,
    LRFindings,
    Suggestion,
    present_name,
    suggest_lr,
)

_RULE_ROW = 0.17
_FEW = 40


@picture
def draw_lr_finder(
    curves: Sequence[Curve],
    *,
    findings: LRFindings,
    title: str,
    scale: str = "exp",
    clip_beginning: int | None = None,
    clip_end: int | None = None,
    chance: float | None = None,
) -> Figure:
    """Draw range tests: each batch's loss, smoothed, over the learning rate, and what they say.

    The loss axis ends a little above the loss at the start, so that the explosion at the end
    leaves the picture instead of flattening it.

    Args:
        curves: the range tests, of which each may end in a non-finite loss.
        findings: the suggestion, the landmarks of each curve, and the answers of other rules.
        title: first line large, further lines small.
        scale: `"exp"` for a logarithmic axis of learning rates, `"linear"` for a linear one.
        clip_beginning: points to leave out at the start; the sign does not matter.
        clip_end: points to leave out at the end; the sign does not matter.
        chance: the loss of always giving the same answer; `None`: not known.
    """
    sweeps = [sweep_of(curve, clip_beginning, clip_end) for curve in curves]
    suggestion = findings.suggestion.as_dict()
    headline = rate_headline(suggestion, findings.min_lr)
    rules = _rules(findings)
    lane_height = _RULE_ROW * len(rules)
    heading = [*title_lines(title), *suggestion_lines(headline, suggestion)]
    figure = new_figure(heading, 4.6 + lane_height)
    axes, lane = _panels(figure, lane_height)
    _draw_sweeps(axes, sweeps)
    if findings.suggestion.accepted:
        _mark_rebounds(axes, sweeps, findings.landmarks)
        mark_suggestion(axes, suggestion, _meaning(len(sweeps)))
    else:
        mark_refusal(axes, refusal(suggestion))
    _finish(axes, lane or axes, sweeps, scale)
    mark_chance(axes, chance)
    if lane is not None:
        _draw_rules(lane, rules, suggestion)
    legend_below(figure, axes, columns=3)
    return figure


def draw_range_test(record: Record) -> Figure:
    """Draw a `find-lr` record, or the range test that keras-one-cycle saved."""
    curves = record.curves()
    what = "Learning-rate range test"
    if record.result:
        title, scale = title_of(record, what), str(record.result.get("scale", "exp"))
    else:
        title, scale = f"{what}: {record.label}\nread from keras-one-cycle files", "exp"
    return draw_lr_finder(
        curves,
        findings=findings_of(record, curves),
        title=title,
        scale=scale,
        chance=record.result.get("chance_loss"),
    )


@picture
def overlay_range_tests(records: Sequence[Record]) -> Figure:
    """Draw several `find-lr` records into one picture, each in its own colour."""
    title = "\n".join(["Learning-rate range tests", ", ".join(shared_conditions(records))])
    explanation = Line("Smoothed; the dotted lines mark what each run suggests.", faint=True)
    figure = new_figure([*title_lines(title), explanation], 4.8 + 0.2 * len(records))
    axes = figure.add_subplot()
    everything: list[Sweep] = []
    for index, (record, label) in enumerate(zip(records, overlay_labels(records), strict=True)):
        curves = record.curves()
        sweeps = [sweep_of(curve) for curve in curves]
        suggestion = findings_of(record, curves).suggestion
        _overlay_sweeps(
            axes, sweeps, f"{label}: {suggested('max_lr', suggestion.as_dict())}", index
        )
        if isinstance(suggestion.value, float):
            axes.axvline(
                suggestion.value, color=str(look(index)["color"]), linestyle=":", linewidth=1.5
            )
        everything += sweeps
    scales = {str(r.result.get("scale", "exp")) for r in records}
    _finish(axes, axes, everything, "linear" if scales == {"linear"} else "exp")
    legend_below(figure, axes, columns=1)
    return figure


def findings_of(record: Record, curves: Sequence[Curve]) -> LRFindings:
    """Return the findings that a record holds; judge its curves where it holds none."""
    result = record.result
    if not result.get("suggestion"):
        return suggest_lr([(curve.lrs, curve.losses) for curve in curves])
    entry = result["suggestion"]
    low_high = entry.get("interval")
    value = entry.get("value")
    return LRFindings(
        suggestion=Suggestion(
            value=None if value is None else float(value),
            interval=(float(low_high[0]), float(low_high[1])) if low_high else None,
            verdict=str(entry.get("verdict", "")),
            reason=str(entry.get("reason", "")),
        ),
        min_lr=result.get("min_lr"),
        landmarks=[
            Landmarks(**{part.name: mark.get(part.name) for part in fields(Landmarks)})
            for mark in result.get("landmarks") or []
        ],
        rules={present_name(name): lr for name, lr in (result.get("rules") or {}).items()},
    )


def _meaning(tests: int) -> str:
    """Return what the interval of a suggestion holds, in words."""
    return "where a repeat may put it" if tests == 1 else f"answers of the {tests} repeats"


def _rules(findings: LRFindings) -> dict[str, float]:
    """Return the answers of the rules, which mean nothing on a curve that never falls."""
    if findings.suggestion.verdict == "never_descended":
        return {}
    return {name: lr for name, lr in findings.rules.items() if lr is not None}


def _panels(figure: Figure, lane_height: float) -> tuple[Axes, Axes | None]:
    """Return the axes of the curves, and the lane of other rules' answers if there are any."""
    if not lane_height:
        return figure.add_subplot(), None
    grid = figure.add_gridspec(2, 1, height_ratios=(3.6, lane_height), hspace=0)
    axes = figure.add_subplot(grid[0])
    lane = figure.add_subplot(grid[1], sharex=axes)
    axes.tick_params(axis="x", which="both", labelbottom=False, bottom=False)
    return axes, lane


def _draw_sweeps(axes: Axes, sweeps: Sequence[Sweep]) -> None:
    several = len(sweeps) > 1
    few = sum(len(sweep.lrs) for sweep in sweeps) < _FEW
    for index, sweep in enumerate(sweep for sweep in sweeps if len(sweep.smooth_lrs)):
        first = index == 0
        axes.plot(
            sweep.lrs,
            sweep.losses,
            linestyle="none",
            marker="o",
            markersize=5 if few else 3,
            markeredgewidth=0,
            alpha=0.6 if few else 0.18 if several else 0.3,
            color=colors().training,
            label="loss at each step" if first else "_loss at each step",
        )
        axes.plot(
            sweep.smooth_lrs,
            sweep.smooth_losses,
            color=colors().training,
            linewidth=1.6 if several else 2.2,
            label=_smooth_label(len(sweeps)) if first else "_smoothed",
        )


def _smooth_label(count: int) -> str:
    return "smoothed" if count == 1 else f"smoothed ({count} repeats)"


def _overlay_sweeps(axes: Axes, sweeps: Sequence[Sweep], label: str, index: int) -> None:
    style = look(index)
    for repeat, sweep in enumerate(sweeps):
        axes.plot(
            sweep.lrs,
            sweep.losses,
            linestyle="none",
            marker="o",
            markersize=2,
            markeredgewidth=0,
            alpha=0.12,
            color=str(style["color"]),
        )
        axes.plot(
            sweep.smooth_lrs,
            sweep.smooth_losses,
            linewidth=1.8,
            label="_smoothed" if repeat else label,
            **style,  # type: ignore[arg-type]
        )


def _mark_rebounds(axes: Axes, sweeps: Sequence[Sweep], landmarks: Sequence[Landmarks]) -> None:
    """Put a ring where each smoothed loss rebounds, which is what the suggestion rests on."""
    points = [
        (mark.diverge, sweep.at(mark.diverge))
        for sweep, mark in zip(sweeps, landmarks, strict=False)
        if mark.diverge is not None
        and len(sweep.smooth_lrs)
        and sweep.smooth_lrs[0] <= mark.diverge <= sweep.smooth_lrs[-1] * 1.01
    ]
    if points:
        axes.plot(
            [x for x, _ in points],
            [y for _, y in points],
            linestyle="none",
            marker="o",
            markersize=7,
            markerfacecolor=colors().paper,
            markeredgecolor=colors().training,
            markeredgewidth=1.6,
            zorder=3,
            label="the loss rebounds",
        )


def _draw_rules(lane: Axes, rules: dict[str, float], suggestion: Mapping[str, Any]) -> None:
    """Mark the answer of each rule, a row for each, under the axis that they share."""
    mark_suggestion(lane, suggestion, named=False)
    for row, lr in enumerate(rules.values()):
        lane.plot([lr], [row], marker="|", markersize=9, markeredgewidth=2.4, color=colors().ink)
    lane.set_ylim(len(rules) - 0.4, -0.6)
    names = [f"{name}: {number(lr)}" for name, lr in rules.items()]
    lane.set_yticks(range(len(rules)), names, size=8, color=colors().faint)
    lane.tick_params(axis="y", length=0)


def _finish(axes: Axes, bottom: Axes, sweeps: Sequence[Sweep], scale: str) -> None:
    axes.set_ylabel("loss")
    drawn = [sweep for sweep in sweeps if len(sweep.smooth_lrs)]
    if drawn:
        axes.set_ylim(*_loss_limits(drawn))
        plain_ticks(axes, "y")
    else:
        say(axes, "no finite loss to draw")
    rates = np.concatenate([sweep.lrs for sweep in sweeps] or [np.array([])])
    rates = rates[rates > 0]
    if len(rates):
        rate_axis(axes, float(rates.min()), float(rates.max()), scale)
    bottom.set_xlabel(f"learning rate ({'linear' if scale == 'linear' else 'logarithmic'} scale)")


def _loss_limits(sweeps: Sequence[Sweep]) -> tuple[float, float]:
    """Return limits from the lowest smoothed loss to the start, with most raw losses between.

    A curve of a few points has nothing that could be told to be an explosion: all are shown.
    """
    starts = [s.smooth_losses[: max(1, len(s.smooth_losses) // 20)].mean() for s in sweeps]
    lowest = [s.smooth_losses.min() for s in sweeps]
    usual = np.percentile(np.concatenate([s.usual() for s in sweeps]), (2, 98))
    return padded(
        float(min(*lowest, usual[0])), float(max(*starts, usual[1])), below=0.08, above=0.25
    )
