"""`latest`: a link beside numbered runs, to the newest of them that is done."""

from __future__ import annotations

import contextlib
import secrets
from pathlib import Path

from onecycle_cli.errors import ResultError
from onecycle_cli.kinds import KINDS
from onecycle_cli.runs.files import read_json
from onecycle_cli.runs.folders.numbers import number_of, numbered_folders
from onecycle_cli.runs.stores.urls import url_of

LATEST = "latest"

_OVER = ("done", "refused")


def link_latest(parent: Path) -> None:
    """Have `latest` mean the run of the highest number that is done.

    Where the system allows no links, or something else has this name, nothing is written. Runs in
    an object store have none.

    Args:
        parent: the folder of the numbered runs.
    """
    link = parent / LATEST
    if url_of(parent) is not None or (link.exists() and not link.is_symlink()):
        return
    with contextlib.suppress(OSError, NotImplementedError):
        while (newest := _newest_done(parent)) and newest != _target(link):
            _replace(link, newest)


def followed(path: Path) -> Path:
    """Return the run that a path such as `find-lr/latest` means; any other path as it is.

    Where there is no such link, or only a copy that somebody's tool has made of it, it is the
    folder above: a place that means its newest run.
    """
    if not is_latest(path):
        return path
    if path.is_symlink() and path.is_dir():
        target = path.parent / path.readlink()
        return target if number_of(target) else path
    has_runs = any(numbered_folders(path.parent))
    return path.parent if has_runs or not path.exists() else path


def is_latest(path: Path) -> bool:
    """Tell whether a path is that of `latest`, a link or a copy, and of no run of its own."""
    return path.name == LATEST and path.absolute().parent.name in KINDS


def above_latest(url: str) -> str:
    """Return a URL without `latest` at its end: the place above means its newest run, too."""
    return url.rstrip("/").removesuffix(f"/{LATEST}")


def _newest_done(parent: Path) -> str | None:
    """Return the name of the newest run that is done.

    It is looked up again after each change, since another process may have ended a run meanwhile.
    """
    runs = [path for path in numbered_folders(parent) if not path.name.startswith(".")]
    return next(
        (run.name for run in sorted(runs, key=number_of, reverse=True) if _is_over(run)), None
    )


def _is_over(run: Path) -> bool:
    with contextlib.suppress(ResultError, AttributeError):
        return read_json(run / "manifest.json").get("status") in _OVER
    return False


def _target(link: Path) -> str | None:
    return str(link.readlink()) if link.is_symlink() else None


def _replace(link: Path, target: str) -> None:
    beside = link.with_name(f".{LATEST}.{secrets.token_hex(4)}")
    beside.symlink_to(target, target_is_directory=True)
    try:
        beside.replace(link)
    except OSError:
        beside.unlink()
        raise
