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
    TaskID,
    TextColumn,
)
from rich.table import Column

from onecycle_cli.commands.console import signals
from onecycle_cli.commands.console.ending import say
from onecycle_cli.commands.console.result.layout import broken
from onecycle_cli.commands.console.time_left import TimeLeft
from onecycle_cli.engine.devices.processes import processes
from onecycle_cli.observer import Observer

LINE_EVERY = 10.0
"""Seconds between two lines of progress in a pipe."""

_WIDE, _NARROW = 100, 72
"""Letters in a line that has room for all values and a long bar, and for a bar at all."""


@contextlib.contextmanager
def watching(*, quiet: bool, progress: bool, advice: str = "") -> Iterator[Observer]:
    """Give an observer that suits where stderr goes; of several processes, one shows something.

    Args:
        quiet: show nothing but warnings.
        progress: show how far the work is.
        advice: what to do where it takes long, as the end of a sentence; "" for nothing.
    """
    if not processes().is_chief:
        yield Silent()
    elif quiet:
        yield Quiet()
    elif progress and sys.stderr.isatty():
        with contextlib.closing(Bars(Console(stderr=True), advice)) as bars:
            yield bars
    else:
        yield Lines(progress=progress, advice=advice)


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
        advice: as of `watching`.
    """

    def __init__(self, *, progress: bool, advice: str = "") -> None:
        self._progress, self._left = progress, TimeLeft(advice)
        self._title, self._steps, self._done = "", 0, 0
        self._shown_at = time.monotonic()

    def note(self, text: str) -> None:
        """Write a line."""
        say(text)

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
        """Start to count steps."""
        self._left.begin()
        self._title, self._steps, self._done = title, steps, 0
        self._shown_at = time.monotonic()

    def advance(self, **shown: float) -> None:
        """Count a step, and write a line if the last one was long ago."""
        super().advance()
        self._done += 1
        self._left.advance()
        if remark := self._left.remark():
            say(remark)
        if self._progress and self._is_time():
            values, left = _values(shown), self._left.in_words()
            say(
                f"{self._title}: step {self._done} of {self._steps}, {values}"
                + (f"; {left} in all" if left else "")
            )

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
    """A bar for what is running and one for all of it; above them a line for each fact.

    Args:
        console: where to draw.
        advice: as of `watching`.
    """

    def __init__(self, console: Console, advice: str = "") -> None:
        self._console, self._left = console, TimeLeft(advice)
        self._title, self._done = "", 0
        self._bar: Progress | None = None
        self._whole: TaskID | None = None
        self._waiting: Live | None = None
        self.busy("starting Keras, then loading the data and the model ...")

    def note(self, text: str) -> None:
        """Write a line above the bar."""
        self._write(text)

    def warn(self, text: str) -> None:
        """Write a line in yellow above the bar."""
        self._write(f"warning: {text}", style="yellow")

    def expect(self, steps: int) -> None:
        """Start to count all steps."""
        self._left.expect(steps)

    def recall(self, steps: int) -> None:
        """Leave out what is done already."""
        self._left.recall(steps)

    def expect_after(self, seconds: float) -> None:
        """Remember what follows them."""
        self._left.later = seconds

    def busy(self, text: str) -> None:
        """Show what is being done instead of a bar."""
        self._stop()
        self._waiting = Live(text, console=self._console, auto_refresh=False, transient=True)
        self._waiting.start(refresh=True)

    def begin(self, title: str, steps: int) -> None:
        """Start a bar, and one for the whole if that is more."""
        self._left.begin()
        self._title, self._done = title, 0
        bar = self._start(*_columns_within(self._console.width))
        bar.add_task(title, total=steps, shown="")
        whole = self._left
        is_more = whole.steps > steps or whole.done > 0
        self._whole = (
            bar.add_task("in all", total=whole.steps, completed=whole.done, shown=whole.in_words())
            if is_more and whole.steps
            else None
        )

    def advance(self, **shown: float) -> None:
        """Move the bars by a step."""
        signals.check()
        self._done += 1
        self._left.advance()
        if remark := self._left.remark():
            self.note(remark)
        if self._bar is None:
            return
        left, values = self._left.in_words(), _values(self._chosen(shown))
        if self._whole is not None:
            self._bar.update(self._whole, completed=self._left.done, shown=left)
        elif left:
            values = f"{values}, {left}"
        self._bar.update(self._bar.task_ids[0], advance=1, shown=values)

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

    def _chosen(self, shown: dict[str, float]) -> dict[str, float]:
        """Return the values that there is room for."""
        return shown if self._console.width >= _WIDE else dict(list(shown.items())[:1])

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
        if self._waiting is not None:
            self._waiting.stop()
            self._waiting = None
        if self._bar is not None:
            self._bar.stop()
            self._bar = self._whole = None

    def _write(self, text: str, style: str | None = None) -> None:
        lines = "\n".join(broken(text, self._console.width, "  "))
        self._console.print(lines, style=style, highlight=False, markup=False, soft_wrap=True)


def _columns_within(width: int) -> list[ProgressColumn]:
    """Return what is shown of a stretch of training: one line, however narrow the window is."""
    title = TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis"))
    whole = Column(no_wrap=True, overflow="ignore")
    counted = MofNCompleteColumn(table_column=whole)
    values = TextColumn("{task.fields[shown]}", table_column=whole)
    if width < _NARROW:
        return [title, counted, values]
    return [title, BarColumn(bar_width=20 if width >= _WIDE else 10), counted, values]


def _outcome(title: str, outcome: str, steps: int) -> str:
    return f"{title}: {outcome} after {steps} step{'' if steps == 1 else 's'}"


def _values(shown: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in shown.items())
