"""All runs below a folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from onecycle_cli.errors import ResultError
from onecycle_cli.kinds import KINDS
from onecycle_cli.runs.folders.latest import is_latest
from onecycle_cli.runs.folders.numbers import number_of
from onecycle_cli.runs.reading.saved_run import RECIPE, RESULT, SavedRun


@dataclass(frozen=True)
class Listing:
    """What lies below a folder.

    Attributes:
        runs: the newest first.
        damaged: what can't be read, in a sentence each.
    """

    runs: list[SavedRun]
    damaged: list[str]


def runs_below(folder: Path) -> Listing:
    """Return all runs below a folder, finished or not; or the run that the folder is.

    Raises:
        ResultError: when there is no such folder.
    """
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "there is nothing at this path"
        raise ResultError(f"{folder}: {what}; give a folder of runs, such as runs or runs/NAME.")
    listing = Listing([], [])
    for found in _run_folders(folder):
        try:
            listing.runs.append(SavedRun.read(found))
        except ResultError as error:
            listing.damaged.append(str(error))
    listing.runs.sort(key=lambda run: run.when, reverse=True)
    return listing


def _run_folders(folder: Path) -> Iterator[Path]:
    if _is_run(folder):
        yield folder
        return
    for name in sorted(_folders_in(folder)):
        path = folder / name
        if not is_latest(path) and (not name.startswith(".") or number_of(path)):
            yield from _run_folders(path)


def _folders_in(folder: Path) -> Iterator[str]:
    """Yield the names of folders, but not of links to them."""
    try:
        with os.scandir(folder) as entries:
            yield from (e.name for e in entries if e.is_dir(follow_symlinks=False))
    except OSError:
        return


def _is_run(folder: Path) -> bool:
    if number_of(folder) and folder.absolute().parent.name in KINDS:
        return True
    return any((folder / name).is_file() for name in (RESULT, RECIPE))
