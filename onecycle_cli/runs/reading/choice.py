"""Which run is meant by a path, finished or not."""

from __future__ import annotations

from pathlib import Path

from onecycle_cli.errors import ResultError
from onecycle_cli.runs import finding
from onecycle_cli.runs.folders.latest import followed
from onecycle_cli.runs.reading.listing import runs_below
from onecycle_cli.runs.reading.saved_run import SavedRun
from onecycle_cli.runs.run_folder import MANIFEST
from onecycle_cli.runs.stores.urls import is_url


def unfinished_run(path: str) -> SavedRun | None:
    """Return the run at a path if it has no result yet; `None` if there is anything else.

    Args:
        path: of a run, by its number while it is at work, too.

    Raises:
        ResultError: when it is damaged.
    """
    folder = finding.at_work(Path(path)) or followed(Path(path))
    is_unfinished = (folder / MANIFEST).is_file() and not finding.is_run(folder)
    return SavedRun.read(folder) if is_unfinished and not finding.is_recipe(folder) else None


def run_meant(path: str) -> SavedRun:
    """Return the run meant by a path: itself, or else the newest one within.

    Args:
        path: of a run, by its number while it is at work, too; of a folder above; or a URL.

    Raises:
        ResultError: when there is none, or it is damaged.
    """
    if is_url(path):
        return SavedRun.read(finding.find_run(path))
    folder = followed(Path(path))
    if aside := finding.at_work(folder):
        return SavedRun.read(aside)
    listing = runs_below(folder)
    if listing.runs:
        return listing.runs[0]
    if listing.damaged:
        raise ResultError(listing.damaged[0])
    raise ResultError(
        f"{path}: holds no run; 'onecycle find-lr CONFIG' starts one, or give the folder of a run, "
        f"such as runs/NAME/find-lr/001."
    )
