"""What the user sees while an experiment runs: a bar on a terminal, plain lines in a pipe."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

from onecycle_cli.commands.console import signals
from onecycle_cli.commands.console.ending import say
from onecycle_cli.engine.devices.processes import processes
from onecycle_cli.observer import Observer

LINE_EVERY = 10.0
"""Seconds between two lines of progress in a pipe."""


@contextlib.contextmanager
def watching(*, quiet: bool, progress: bool) -> Iterator[Observer]:
    """Give an observer that suits where stderr goes; of several processes, one shows something."""
    if not processes().is_chief:
        yield Silent()
    elif quiet:
        yield Quiet()
    elif progress and sys.stderr.isatty():
        with contextlib.closing(Bars(Console(stderr=True))) as bars:
            yield bars
    else:
        yield Lines(progress=progress)


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


class Lines(Quiet):
    """A line for each fact and each outcome, and one now and then for progress.

    Args:
        progress: whether to show progress within a stretch of training.
    """

    def __init__(self, *, progress: bool) -> None:
        self._progress = progress
        self._title, self._steps, self._done = "", 0, 0
        self._shown_at = time.monotonic()

    def note(self, text: str) -> None:
        """Write a line."""
        say(text)

    def begin(self, title: str, steps: int) -> None:
        """Start to count steps."""
        self._title, self._steps, self._done = title, steps, 0
        self._shown_at = time.monotonic()

    def advance(self, **shown: float) -> None:
        """Count a step, and write a line if the last one was long ago."""
        super().advance()
        self._done += 1
        if self._progress and self._is_time():
            say(f"{self._title}: step {self._done} of {self._steps}, {_values(shown)}")

    def end(self, outcome: str = "") -> None:
        """Write the outcome."""
        if outcome:
            say(_outcome(self._title, outcome, self._done))

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


class Bars(Observer):
    """A bar for what is running, and above it a line for each fact and each outcome.

    Args:
        console: where to draw.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._title, self._done = "", 0
        self._bar: Progress | None = None
        self._waiting = Live(
            "starting Keras, then loading the data and the model ...",
            console=console,
            auto_refresh=False,
            transient=True,
        )
        self._waiting.start(refresh=True)

    def note(self, text: str) -> None:
        """Write a line above the bar."""
        self._write(text)

    def warn(self, text: str) -> None:
        """Write a line in yellow above the bar."""
        self._write(f"warning: {text}", style="yellow")

    def begin(self, title: str, steps: int) -> None:
        """Start a bar."""
        self._title, self._done = title, 0
        self._start(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[shown]}"),
            TimeRemainingColumn(compact=True),
            TextColumn("left"),
        ).add_task(title, total=steps, shown="")

    def advance(self, **shown: float) -> None:
        """Move the bar by a step."""
        signals.check()
        self._done += 1
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], advance=1, shown=_values(shown))

    def end(self, outcome: str = "") -> None:
        """Put the outcome in the bar's place."""
        self._stop()
        if outcome:
            self._write(_outcome(self._title, outcome, self._done))

    def download(self, received: int, total: int | None) -> None:
        """Move the bar of a download, which starts by itself."""
        self._fill("downloading", DownloadColumn(), received, total)

    def decode(self, done: int, total: int | None) -> None:
        """Move the bar of the images, which starts by itself, and ends with the last of them."""
        self._fill("decoding images", MofNCompleteColumn(), done, total)
        if done == total:
            self._stop()

    def close(self) -> None:
        """Leave a clean line to whoever writes next."""
        self._stop()

    def _fill(self, title: str, counter: ProgressColumn, done: int, total: int | None) -> None:
        if self._bar is None:
            self._start(TextColumn(title), BarColumn(bar_width=20), counter).add_task("")
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], completed=done, total=total)

    def _start(self, *columns: Any) -> Progress:
        self._stop()
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._bar.start()
        return self._bar

    def _stop(self) -> None:
        self._waiting.stop()
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _write(self, text: str, style: str | None = None) -> None:
        self._console.print(text, style=style, highlight=False, markup=False)


def _outcome(title: str, outcome: str, steps: int) -> str:
    return f"{title}: {outcome} after {steps} step{'' if steps == 1 else 's'}"


def _values(shown: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in shown.items())
