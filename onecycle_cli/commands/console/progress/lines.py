"""Progress in a pipe: plain lines, or only warnings, or nothing."""

from __future__ import annotations

import time

from onecycle_cli.commands.console import signals
from onecycle_cli.commands.console.ending import say
from onecycle_cli.commands.console.progress.counting import Counting, values_in_words
from onecycle_cli.observer import Observer

LINE_EVERY = 10.0
"""Seconds between two lines of progress in a pipe."""


class Silent(Observer):
    """Nothing."""

    def advance(self, **_shown: float) -> None:
        """Break off if a signal got lost."""
        signals.check()


class Quiet(Silent):
    """Only warnings."""

    def warn(self, text: str) -> None:
        """Write a line."""
        say(f"warning: {text}")


class Lines(Counting):
    """A line for each fact and each outcome, and one now and then for progress.

    Args:
        progress: whether to show progress within a stretch of training.
        advice: as of `watching`.
    """

    def __init__(self, *, progress: bool, advice: str = "") -> None:
        super().__init__(advice)
        self._progress = progress
        self._shown_at = time.monotonic()

    def note(self, text: str) -> None:
        """Write a line."""
        say(text)

    def warn(self, text: str) -> None:
        """Write a line that begins with `warning`."""
        say(f"warning: {text}")

    def begin(self, title: str, steps: int) -> None:
        """Start to count steps."""
        super().begin(title, steps)
        self._shown_at = time.monotonic()

    def advance(self, **shown: float) -> None:
        """Count a step, and write a line if the last one was long ago."""
        super().advance()
        if self._progress and self._is_time():
            values, left = values_in_words(shown), self._left.in_words()
            say(
                f"{self._title}: step {self._done} of {self._steps}, {values}"
                + (f"; {left} in all" if left else "")
            )

    def end(self, outcome: str = "") -> None:
        """Write the outcome."""
        if outcome:
            say(self._with_steps(outcome))

    def download(self, received: int, total: int | None) -> None:
        """Write a line if the last one was long ago."""
        if self._progress and self._is_time():
            of = f" of {total / 1e6:.0f}" if total else ""
            say(f"downloading: {received / 1e6:.0f}{of} MB")

    def decode(self, done: int, total: int | None) -> None:
        """Write a line if the last one was long ago."""
        if self._progress and self._is_time():
            of = f" of {total}" if total else ""
            say(f"decoding images: {done}{of}")

    def _is_time(self) -> bool:
        if time.monotonic() - self._shown_at < LINE_EVERY:
            return False
        self._shown_at = time.monotonic()
        return True
