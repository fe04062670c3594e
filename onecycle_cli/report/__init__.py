"""Reports: what a run's files say becomes one HTML file, which opens from disk.

Altair, which draws the charts, is imported when a report is written, and not before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from onecycle_cli.runs.reading.saved_run import SavedRun
from onecycle_cli.runs.records import Record

FILE = "report.html"
"""The report in the folder of a run."""

__all__ = ["FILE", "report_of", "report_of_recipe", "report_of_several", "report_so_far"]


def report_of(record: Record, manifest: Mapping[str, Any]) -> str:
    """Return the report of a run as HTML; the same files give the same text.

    Args:
        record: what the run's files say.
        manifest: what its manifest says; empty for a folder that has none.
    """
    from onecycle_cli.report.page import rendered
    from onecycle_cli.report.run import document_of

    return rendered(document_of(record, manifest))


def report_so_far(run: SavedRun, record: Record) -> str:
    """Return the report of a training that is not finished as HTML.

    Args:
        run: the training.
        record: its steps and epochs so far.
    """
    from onecycle_cli.report.page import rendered
    from onecycle_cli.report.so_far import document_so_far

    return rendered(document_so_far(run, record))


def report_of_recipe(folder: Path, recipe: Mapping[str, Any] | None = None) -> str:
    """Return the report of a recipe as HTML, from its files and those of its stages.

    Args:
        folder: of the recipe.
        recipe: what its `recipe.json` is going to say; `None`: what it says.

    Raises:
        ResultError: when they are damaged.
    """
    from onecycle_cli.report.page import rendered
    from onecycle_cli.report.recipe import document_of_recipe

    return rendered(document_of_recipe(folder, recipe))


def report_of_several(records: Sequence[Record]) -> str:
    """Return a comparison of several runs as HTML."""
    from onecycle_cli.report.page import rendered
    from onecycle_cli.report.several import document_of_several

    return rendered(document_of_several(records))
