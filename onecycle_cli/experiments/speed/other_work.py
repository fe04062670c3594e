"""How much of the machine other programs take, while something is measured."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import TracebackType

_STAT = Path("/proc/stat")
_IDLE = slice(3, 5)  # idle, and waiting for a disk
_COUNTED = slice(0, 8)  # what comes after is part of the first two


class OtherWork:
    """Measures, from entering to leaving it, what else the processors do.

    Attributes:
        share: of all processors' time, what other programs took, and what a virtual machine did not
            get; 0 to 1. 0 where the system does not tell, as on macOS and Windows.
    """

    def __init__(self, stat: Path = _STAT) -> None:
        self._stat = stat
        self.share = 0.0

    def __enter__(self) -> OtherWork:
        self._before = self._now()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        now = self._now()
        if self._before is None or now is None:
            return
        busy, total, own = (b - a for a, b in zip(self._before, now, strict=True))
        if total > 0:
            self.share = min(1.0, max(0.0, (busy - own) / total))

    def _now(self) -> tuple[float, float, float] | None:
        """Return the seconds that all processors were busy, all of theirs, and our own."""
        try:
            first = self._stat.read_text().splitlines()[0].split()
            ticks = [int(word) for word in first[1:]][_COUNTED]
            each = os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError, LookupError):
            return None
        total = sum(ticks)
        return (total - sum(ticks[_IDLE])) / each, total / each, time.process_time()
