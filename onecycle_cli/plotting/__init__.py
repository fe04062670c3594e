"""Pictures of results: a record, or several of one kind, becomes a Matplotlib figure.

Figures are made without a display and without Matplotlib's global state: nothing blocks, and the
caller's own figures and styles stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from onecycle_cli.errors import ResultError
from onecycle_cli.kinds import KINDS
from onecycle_cli.plotting.canvas import png, svg
from onecycle_cli.plotting.comparison import draw_comparison, overlay_comparisons
from onecycle_cli.plotting.confusion import draw_confusion
from onecycle_cli.plotting.paper.palette import DARK, LIGHT, drawn_in
from onecycle_cli.plotting.probes import draw_probes, overlay_probes
from onecycle_cli.plotting.range_test import draw_lr_finder, draw_range_test, overlay_range_tests
from onecycle_cli.plotting.schedule import draw_schedule
from onecycle_cli.plotting.training import draw_training, overlay_trainings
from onecycle_cli.runs.records import Record

__all__ = [
    "DARK",
    "LIGHT",
    "Figure",
    "draw",
    "draw_confusion",
    "draw_lr_finder",
    "draw_overlay",
    "draw_schedule",
    "drawn_in",
    "png",
    "svg",
]

_PICTURES = {
    "probes": (draw_probes, overlay_probes),
    "range_test": (draw_range_test, overlay_range_tests),
    "comparison": (draw_comparison, overlay_comparisons),
    "training": (draw_training, overlay_trainings),
}
"""How to draw one record, and how to draw several into one picture, by `Kind.picture`."""


def draw(record: Record) -> Figure:
    """Return the picture of one record.

    Raises:
        ResultError: when no picture is known for its kind.
    """
    _check_kind(record)
    one, _ = _PICTURES[KINDS[record.kind].picture_by(record.result.get("method"))]
    return one(record)


def draw_overlay(records: Sequence[Record]) -> Figure:
    """Return one picture of several records of the same kind, with a legend of their labels.

    Raises:
        ResultError: when there is no record, or when their kinds differ.
    """
    if not records:
        raise ResultError("there is no result to draw; give the folder of at least one run.")
    for record in records:
        _check_kind(record)
    kinds = list(dict.fromkeys(record.kind for record in records))
    if len(kinds) > 1:
        raise ResultError(
            f"results of different kinds ({', '.join(kinds)}) can't be drawn into one picture; "
            f"give runs of one kind."
        )
    pictures = {KINDS[r.kind].picture_by(r.result.get("method")) for r in records}
    if len(pictures) > 1:
        raise ResultError(
            "range tests and searches by probes can't be drawn into one picture; give runs of one "
            "method."
        )
    _, several = _PICTURES[pictures.pop()]
    return draw(records[0]) if len(records) == 1 else several(records)


def _check_kind(record: Record) -> None:
    drawn = [kind.name for kind in KINDS.values() if kind.picture]
    if record.kind not in drawn:
        raise ResultError(
            f"'{record.kind}' is no kind of result that can be drawn; known kinds are "
            f"{', '.join(drawn)}."
        )
