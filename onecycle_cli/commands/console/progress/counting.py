"""What a bar and a line have in common: they count steps and judge the time that is left."""

from __future__ import annotations

from onecycle_cli.commands.console import signals
from onecycle_cli.commands.console.progress.time_left import TimeLeft
from onecycle_cli.observer import Observer


class Counting(Observer):
    """Counts the steps of a stretch of training and of all of them; shows a remark on long times.

    Args:
        advice: as of `watching`.
    """

    def __init__(self, advice: str = "") -> None:
        self._left = TimeLeft(advice)
        self._title, self._steps, self._done = "", 0, 0

    def expect(self, steps: int) -> None:
        """Start to count all steps."""
        self._left.expect(steps)

    def recall(self, steps: int) -> None:
        """Leave out what is done already."""
        self._left.recall(steps)

    def expect_after(self, seconds: float) -> None:
        """Remember what follows them."""
        self._left.later = seconds

    def begin(self, title: str, steps: int) -> None:
        """Start to count the steps of a stretch."""
        self._left.begin()
        self._title, self._steps, self._done = title, steps, 0

    def advance(self, **_shown: float) -> None:
        """Count a step; break off if a signal got lost."""
        signals.check()
        self._done += 1
        self._left.advance()
        if remark := self._left.remark():
            self.note(remark)

    def _with_steps(self, outcome: str) -> str:
        """Return how the stretch ended, and after how many steps."""
        return f"{self._title}: {outcome} after {self._done} step{'' if self._done == 1 else 's'}"


def values_in_words(shown: dict[str, float]) -> str:
    """Return values such as `loss 1.875, lr 0.1`."""
    return ", ".join(f"{name} {value:.4g}" for name, value in shown.items())
