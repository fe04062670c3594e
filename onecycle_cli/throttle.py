"""Work that is put off as long as it would take more than a small share of the time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

LARGEST_SHARE = 0.01
"""Of the time that passes, what the work may take."""


class Throttle:
    """How often something may be done that takes time of its own.

    It is due again when so much time has passed that the longest of all times it took is no more
    than `LARGEST_SHARE` of that; the first time at once.

    Args:
        clock: seconds that never run backwards.

    Attributes:
        times: how often it was done.
        seconds: what that took in all.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self._longest = 0.0
        self.times = 0
        self.seconds = 0.0

    def is_due(self, *, after: float = 0.0) -> bool:
        """Tell whether it is time again, and so many seconds have passed as well."""
        return self._clock() - self._last >= max(after, self._longest / LARGEST_SHARE)

    @contextlib.contextmanager
    def work(self) -> Iterator[None]:
        """Take the time of what is done within; what fails does not count."""
        begun = self._clock()
        yield
        self._last = self._clock()
        self._longest = max(self._longest, self._last - begun)
        self.times += 1
        self.seconds += self._last - begun
