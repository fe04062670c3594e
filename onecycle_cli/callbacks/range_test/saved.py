"""A range test in a folder: written, found, read back, judged and drawn."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onecycle_cli import schedules, suggest
from onecycle_cli.errors import ResultError
from onecycle_cli.kinds import FIND_LR
from onecycle_cli.runs import files, finding, records
from onecycle_cli.runs.curve import Curve, curve_table

if TYPE_CHECKING:
    from onecycle_cli.plotting import Figure

_TOLD = ("floor", "planned", "stopped", "skip_begin", "skip_end")
"""Arguments of `suggest.suggest_lr`, and entries of `result.json`."""


def write(
    folder: Path,
    curve: Curve,
    findings: suggest.LRFindings,
    scale: schedules.Scale,
    told: Mapping[str, Any],
) -> None:
    """Write `curve.csv`, `result.json` and `plot.png`.

    Args:
        folder: where to; made if it is not there.
        curve: learning rates and losses.
        findings: what they say.
        scale: of the sweep.
        told: what else the suggestion was told, by the arguments of `suggest.suggest_lr`.

    Raises:
        ResultError: when the folder can't be written.
    """
    from onecycle_cli import plotting

    result = records.find_lr_result(findings, scale=scale, **told)
    tables = {"curve": curve_table([curve])}
    record = records.Record(FIND_LR.name, folder.name, result, tables)
    record.write(folder)
    files.write_bytes(folder / "plot.png", plotting.png(draw(curve, findings, scale)))


def is_there(folder: str | Path) -> bool:
    """Tell whether a folder holds a result; where it holds none, print so."""
    try:
        finding.find_run(folder)
    except ResultError as error:
        print(f"LRFinder: {error}")
        return False
    return True


def read(folder: str | Path) -> tuple[Curve, schedules.Scale, dict[str, Any]]:
    """Return the curve of a saved test, its scale, and what else the suggestion was told.

    Raises:
        ResultError: when what the folder holds is damaged, or of another kind.
    """
    record = records.read_record(folder)
    if record.kind != FIND_LR.name:
        raise ResultError(f"{folder}: holds a {record.kind} result, not a range test.")
    told = {key: record.result[key] for key in _TOLD if key in record.result}
    return record.curves()[0], record.result.get("scale", "exp"), told


def judged(curve: Curve, told: Mapping[str, Any]) -> suggest.LRFindings:
    """Return what a test says.

    Args:
        curve: learning rates and losses.
        told: what else the suggestion is told, by the arguments of `suggest.suggest_lr`.
    """
    sweep = (curve.lrs, curve.losses)
    return suggest.suggest_lr([sweep], **told, names=suggest.IN_CALLBACK)


def draw(
    curve: Curve,
    findings: suggest.LRFindings,
    scale: schedules.Scale,
    clip_beginning: int | None = None,
    clip_end: int | None = None,
) -> Figure:
    """Return the picture of a test."""
    from onecycle_cli import plotting

    return plotting.draw_lr_finder(
        [curve],
        findings=findings,
        title="Learning rate range test",
        scale=scale,
        clip_beginning=clip_beginning,
        clip_end=clip_end,
    )
