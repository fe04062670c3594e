"""Which run is meant by a path, finished or not."""

from __future__ import annotations

from pathlib import Path

from onecycle_cli.errors import ResultError
from onecycle_cli.runs import finding
from onecycle_cli.runs.folders.latest import followed
from onecycle_cli.runs.reading.listing import runs_below
from onecycle_cli.runs.reading.saved_run import SavedRun
from onecycle_cli.runs.stores.urls import is_url


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
    aside = folder.with_name(f".{folder.name}-running")
    if not folder.exists() and aside.is_dir():
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
