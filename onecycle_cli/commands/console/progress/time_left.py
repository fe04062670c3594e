"""How long a whole search or training will still take, judged by the steps that it has done."""

from __future__ import annotations

import time
from collections.abc import Callable

_LONG = 5 * 60.0
"""Seconds that a user would have liked to know of before."""

_TOGETHER = 0.05
"""Seconds within which steps are heard of that were executed together."""

_SURE_AFTER = 5.0
"""Seconds of steps, after the first, from which on a long time is worth a remark."""


class TimeLeft:
    """The time until the end, from the pace of what is done.

    What is done first takes longer, as it is compiled, or as workers of a cluster start. So the
    pace is that of all that follows, and nothing is known before.

    Args:
        advice: what to do where it takes long, as the end of a sentence; "" for nothing.
        clock: returns the time in seconds.

    Attributes:
        steps: of the whole search or training, at most; 0: nobody knows.
        done: how many of them are done.
        later: seconds that other work is going to take after them.
    """

    def __init__(self, advice: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._advice, self._clock = advice, clock
        self._has_remarked, self.later = False, 0.0
        self.expect(0)

    def expect(self, steps: int) -> None:
        """Begin to count steps, of so many at most."""
        self.steps, self.done = steps, 0
        self.begin()

    def recall(self, steps: int) -> None:
        """Hear of steps that are done already."""
        self.steps = max(0, self.steps - steps)

    def begin(self) -> None:
        """Hear that a stretch of training begins."""
        if self.done == 0:
            self._came = self._first = self._last = self._clock()
            self._done_first = 0

    def advance(self) -> None:
        """Hear of a step."""
        self._last = self._clock()
        if self.done == 0:
            self._came = self._last
        self.done += 1
        if self._last - self._came < _TOGETHER:
            self._first, self._done_first = self._last, self.done

    @property
    def seconds(self) -> float | None:
        """How long it will take, at most; `None` while that is not known."""
        pace = self._pace()
        if pace is None or not self.steps:
            return None
        return pace * max(0, self.steps - self.done) + self.later

    def in_words(self) -> str:
        """Return the time left, such as `3 min left`; "" while it is not known."""
        seconds = self.seconds
        return "" if seconds is None else f"{duration(seconds)} left"

    def remark(self) -> str | None:
        """Return once, as soon as it is known, that it will take long and what to do about it."""
        seconds = self.seconds
        if self._has_remarked or seconds is None:
            return None
        if self._last - self._first < _SURE_AFTER:
            return None
        self._has_remarked = True
        if seconds < _LONG:
            return None
        advice = f"; {self._advice}" if self._advice else ""
        return f"all of it may take {duration(seconds)} on this machine{advice}"

    def _pace(self) -> float | None:
        """Return the seconds that a step takes, with all that happens between steps."""
        if self.done > self._done_first:
            return (self._last - self._first) / (self.done - self._done_first)
        return None


def duration(seconds: float) -> str:
    """Return a time as a person says it, such as `40 s`, `3 min` or `2 h 10 min`."""
    if seconds < 59.5:
        return f"{max(1, round(seconds))} s"
    if seconds < 59.5 * 60:
        return f"{round(seconds / 60)} min"
    hours, rest = divmod(10 * round(seconds / 600), 60)
    return f"{hours} h {rest} min" if hours < 10 and rest else f"{hours} h"
