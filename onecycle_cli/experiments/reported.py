"""The report of a run beside its result; should it fail, the run does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from onecycle_cli import report
from onecycle_cli.observer import Observer
from onecycle_cli.runs import files
from onecycle_cli.runs.records import Record
from onecycle_cli.runs.run_folder import RunFolder
from onecycle_cli.runs.stores.urls import address


def write_report(run: RunFolder, record: Record, observer: Observer) -> None:
    """Write `report.html` into the folder of a run.

    Args:
        run: the folder, before it gets its final name.
        record: what its files say.
        observer: hears why there is no report, if it can't be written.
    """
    _write(run.path, run.final, partial(report.report_of, record, run.manifest), observer)


def write_recipe_report(folder: Path, recipe: Mapping[str, Any], observer: Observer) -> None:
    """Write `report.html` into the folder of a recipe.

    Args:
        folder: of the recipe.
        recipe: what `recipe.json` is going to say.
        observer: hears why there is no report, if it can't be written.
    """
    _write(folder, folder, partial(report.report_of_recipe, folder, recipe), observer)


def _write(folder: Path, final: Path, html: Callable[[], str], observer: Observer) -> None:
    try:
        files.write_text(folder / report.FILE, html())
    except Exception as error:  # whatever it is, the run is done and its numbers are safe
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        observer.warn(
            f"the report was not written: {first.rstrip('.')}. All else is; 'onecycle report "
            f"{address(final)}' tries again, and 'report: false' in the config does without."
        )
