"""What the user sees while an experiment runs: bars on a terminal, plain lines in a pipe."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from onecycle_cli.commands.presenter import say

if TYPE_CHECKING:
    from onecycle_cli.experiments.observer import Observer

_LINE_EVERY = 10.0
"""Seconds between two lines of progress in a pipe."""


class _Closable(Protocol):
    def close(self) -> None: ...


@contextlib.contextmanager
def watching(*, quiet: bool, progress: bool) -> Iterator[Observer]:
    """Give an observer that suits where stderr goes."""
    observer = _observer(quiet=quiet, progress=progress)
    try:
        yield observer
    finally:
        if hasattr(observer, "close"):
            observer.close()


def _observer(*, quiet: bool, progress: bool) -> Any:
    if quiet:
        return _quiet()
    if progress and sys.stderr.isatty():
        return _bars()
    return _lines(progress)


def _quiet() -> Any:
    from onecycle_cli.experiments.observer import Observer

    class Quiet(Observer):
        def warn(self, text: str) -> None:
            say(f"warning: {text}")

    return Quiet()


def _lines(progress: bool) -> Any:
    from onecycle_cli.experiments.observer import Observer

    class Lines(Observer):
        """A line for each fact, and one now and then for progress."""

        def __init__(self) -> None:
            self.title, self.steps, self.done, self.shown_at = "", 0, 0, time.monotonic()

        def note(self, text: str) -> None:
            say(text)

        def warn(self, text: str) -> None:
            say(f"warning: {text}")

        def begin(self, title: str, steps: int) -> None:
            self.title, self.steps, self.done, self.shown_at = title, steps, 0, time.monotonic()
            say(f"{title}: {steps} steps")

        def advance(self, **shown: float) -> None:
            self.done += 1
            if progress and time.monotonic() - self.shown_at >= _LINE_EVERY:
                self.shown_at = time.monotonic()
                say(f"{self.title}: step {self.done} of {self.steps}, {_values(shown)}")

        def end(self, outcome: str = "") -> None:
            if outcome:
                say(f"{self.title}: {outcome} after {self.done} steps")

        def download(self, received: int, total: int | None) -> None:
            if time.monotonic() - self.shown_at >= _LINE_EVERY:
                self.shown_at = time.monotonic()
                say(f"downloading: {received / 1e6:.0f} MB{f' of {total / 1e6:.0f}' * bool(total)}")

    return Lines()


def _bars() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
    )

    from onecycle_cli.experiments.observer import Observer

    class Bars(Observer):
        """A bar for what is running, with its latest values and the time it still needs."""

        def __init__(self) -> None:
            console = Console(stderr=True)
            self.bars = Progress(
                TextColumn("{task.description}"),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TextColumn("{task.fields[shown]}"),
                TimeRemainingColumn(),
                console=console,
            )
            self.arriving = Progress(
                TextColumn("downloading"), BarColumn(), DownloadColumn(), console=console
            )
            self.task: TaskID | None = None
            self.arrival: TaskID | None = None

        def note(self, text: str) -> None:
            self.bars.console.print(text, highlight=False, markup=False)

        def warn(self, text: str) -> None:
            self.bars.console.print(f"warning: {text}", style="yellow", markup=False)

        def begin(self, title: str, steps: int) -> None:
            self.arriving.stop()
            self.bars.start()
            self.task = self.bars.add_task(title, total=steps, shown="")

        def advance(self, **shown: float) -> None:
            if self.task is not None:
                self.bars.update(self.task, advance=1, shown=_values(shown))

        def end(self, outcome: str = "") -> None:
            if self.task is not None:
                done = self.bars.tasks[self.task].completed
                self.bars.update(self.task, total=done, shown=outcome)

        def download(self, received: int, total: int | None) -> None:
            if self.arrival is None:
                self.arriving.start()
                self.arrival = self.arriving.add_task("", total=total)
            self.arriving.update(self.arrival, completed=received, total=total)

        def close(self) -> None:
            self.arriving.stop()
            self.bars.stop()

    return Bars()


def _values(shown: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in shown.items())
