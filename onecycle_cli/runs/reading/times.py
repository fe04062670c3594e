"""When runs were at work, and how long."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from onecycle_cli.errors import ResultError
from onecycle_cli.kinds import KINDS
from onecycle_cli.runs.files import read_json

Moment = tuple[datetime, int, int, str]

_ORDER = list(KINDS)
_UNITS = (("day", 86_400), ("h", 3_600), ("min", 60))


def when(run: Path, manifest: Mapping[str, Any] | None = None) -> Moment:
    """Return what sorts runs by their ends, or by their beginnings while they are at work.

    That is the time in the manifest, to the second; a copy keeps it. Runs of the same second are in
    the order of a recipe's stages, then in that of their files' times, then of their names.

    Args:
        run: its folder.
        manifest: what its `manifest.json` says, if that is known.
    """
    if manifest is None:
        manifest = _manifest(run)
    written = _written(run)
    ended = time_in(manifest, "end") or datetime.fromtimestamp(written / 1e9, UTC)
    kind = run.parent.name
    return ended, _ORDER.index(kind) if kind in _ORDER else -1, written, str(run)


def time_in(manifest: Mapping[str, Any], key: str) -> datetime | None:
    """Return the time under a key, `start` or `end`; `None` if it says none."""
    try:
        found = datetime.fromisoformat(manifest[key])
    except (LookupError, TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def age(seconds: float) -> str:
    """Return how long ago something was, in the unit that suits it."""
    for unit, length in _UNITS:
        if seconds >= length:
            count = int(seconds // length)
            return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
    return f"{max(0, int(seconds))} s"


def duration(seconds: float, decimals: int = 0) -> str:
    """Return a time in the unit that suits it.

    Args:
        seconds: how long it is.
        decimals: of seconds; minutes and hours have one.
    """
    if seconds < 90:
        return f"{seconds:.{decimals}f} s"
    if seconds < 90 * 60:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def _manifest(run: Path) -> Mapping[str, Any]:
    with contextlib.suppress(ResultError):
        found = read_json(run / "manifest.json")
        if isinstance(found, dict):
            return found
    return {}


def _written(run: Path) -> int:
    """Return when the result was written, else the folder, in nanoseconds."""
    for path in (run / "result.json", run):
        with contextlib.suppress(OSError):
            return path.stat().st_mtime_ns
    return 0
