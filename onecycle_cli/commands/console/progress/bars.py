"""Progress on a terminal: a bar for what is running, one for all of it, and lines above them."""

from __future__ import annotations

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

from onecycle_cli.commands.console.progress.counting import Counting, values_in_words
from onecycle_cli.commands.console.result.layout import broken

_WIDE, _NARROW = 100, 72
"""Letters in a line that has room for all values and a long bar, and for a bar at all."""


class Bars(Counting):
    """A bar for what is running and one for all of it; above them a line for each fact.

    Args:
        console: where to draw.
        advice: as of `watching`.
    """

    def __init__(self, console: Console, advice: str = "") -> None:
        super().__init__(advice)
        self._console = console
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

    def busy(self, text: str) -> None:
        """Show what is being done instead of a bar."""
        self._stop()
        self._waiting = Live(text, console=self._console, auto_refresh=False, transient=True)
        self._waiting.start(refresh=True)

    def begin(self, title: str, steps: int) -> None:
        """Start a bar, and one for the whole if that is more."""
        super().begin(title, steps)
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
        super().advance()
        if self._bar is None:
            return
        left, values = self._left.in_words(), values_in_words(self._chosen(shown))
        if self._whole is not None:
            self._bar.update(self._whole, completed=self._left.done, shown=left)
        elif left:
            values = f"{values}, {left}"
        self._bar.update(self._bar.task_ids[0], advance=1, shown=values)

    def end(self, outcome: str = "") -> None:
        """Put the outcome in the bar's place."""
        self._stop()
        if outcome:
            self._write(self._with_steps(outcome))

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
