"""The numbers of runs, as the names of their folders have them."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

_NUMBERED = re.compile(r"\.?(\d+)(?:-running)?")


def numbered_folders(parent: Path) -> Iterator[Path]:
    """Yield what has the name of a run, running or not."""
    with contextlib.suppress(OSError):
        yield from (path for path in parent.iterdir() if _NUMBERED.fullmatch(path.name))


def number_of(path: Path) -> int:
    """Return the number of a run by its folder, running or not; 0 if it has none."""
    match = _NUMBERED.fullmatch(path.name)
    return int(match[1]) if match else 0
