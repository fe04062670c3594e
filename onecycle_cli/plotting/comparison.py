"""Pictures of the comparison of candidates: momentum values, or weight decays."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from onecycle_cli.kinds import KINDS
from onecycle_cli.plotting.candidates import (
    Candidate,
    alike,
    candidates_of,
    ordered,
    short_name,
)
from onecycle_cli.plotting.canvas import legend_below, new_figure, picture, title_lines
from onecycle_cli.plotting.comparing.losses import draw_losses
from onecycle_cli.plotting.comparing.scores import (
    draw_dots,
    draw_scores,
    finish_scores,
    is_far_off,
    score_limits,
    score_text,
)
from onecycle_cli.plotting.paper.palette import colors, look
from onecycle_cli.plotting.wording import (
    overlay_labels,
    shared_conditions,
    suggested,
    suggestion_lines,
    title_of,
)
from onecycle_cli.runs.records import Record

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
    figure = new_figure(heading, max(4.4, 2.0 + 0.36 * len(candidates)))
    left, right = figure.subplots(1, 2, width_ratios=(1, 1))
    draw_losses(left, candidates)
    draw_scores(right, candidates, suggestion, _color(record))
    right.set_ylabel(_axis_name(record))
    right.set_xlabel(_score_label(record))
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
    limits = score_limits([c for run in runs for c in run])
    for index, (record, run) in enumerate(zip(records, runs, strict=True)):
        shift = 0.7 * ((index + 0.5) / len(records) - 0.5)
        rows = [values.index(c.value) + shift for c in run]
        text = suggested(short_name(record), record.result.get("suggestion") or {})
        color = str(look(index)["color"])
        marker = "osD^v<>"[index % 7]
        draw_dots(axes, run, rows, [color] * len(run), limits=limits, marker=marker)
        _name_far_off(axes, run, rows, limits)
        axes.plot([], [], marker, color=color, label=f"{labels[index]}: {text}")
    names = {c.value: c.name for run in runs for c in run}
    if not any(c.range for run in runs for c in run):
        names |= alike(values)
    finish_scores(axes, [names[v] for v in values], limits)
    axes.set_ylabel(" / ".join(dict.fromkeys(map(_axis_name, records))))
    axes.set_xlabel(_score_label(records[0]))
    legend_below(figure, axes, columns=1)
    return figure


def _name_far_off(
    axes: Axes,
    candidates: Sequence[Candidate],
    rows: Sequence[float],
    limits: tuple[float, float],
) -> None:
    """Write beside each arrow at the edge what it stands for."""
    for candidate, row in zip(candidates, rows, strict=True):
        if is_far_off(candidate, limits):
            axes.annotate(
                score_text(candidate, candidates),
                (limits[1], row),
                xytext=(-8, 0),
                textcoords="offset points",
                ha="right",
                va="center",
                size=8,
                color=colors().faint,
            )


def _color(record: Record) -> str:
    is_decay = KINDS[record.kind].finds == "weight_decay"
    return colors().decay if is_decay else colors().momentum


def _axis_name(record: Record) -> str:
    if KINDS[record.kind].finds == "weight_decay":
        return _DECAYS.get(str(record.result.get("decay")), "weight decay")
    return str(record.result.get("momentum_name") or "momentum")


def _score_label(record: Record) -> str:
    scored_on = record.result.get("scored_on")
    lines = [
        "loss above that of the best, and its 95 % interval",
        "(bars that reach 0: as good as the best)",
    ]
    if scored_on:
        lines.append(f"(scored on {scored_on})")
    return "\n".join(lines)
