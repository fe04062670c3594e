"""Who watches an experiment started from Python: a line of progress, or a log of warnings."""

from __future__ import annotations

import logging
import shutil
import sys
import time
from collections.abc import Callable
from typing import Any, Literal, TextIO

from onecycle_cli.engine.devices.processes import processes
from onecycle_cli.errors import ConfigError
from onecycle_cli.observer import Observer
from onecycle_cli.runs.reading.times import duration

Progress = bool | Literal["auto"]
"""Whether progress is shown; `"auto"`: in a notebook and on a terminal."""

_EVERY = 0.2
_TOO_EARLY = 5
_IN_A_NOTEBOOK = 100


def watching(observer: Observer | None, progress: Progress) -> Observer:
    """Return the observer that was given, or else one that shows the progress, or warnings alone.

    Of several processes that train together, the chief alone shows something.

    Raises:
        ConfigError: when `progress` is none of its values.
    """
    if progress not in (True, False, "auto"):
        raise ConfigError(f"progress must be True, False or 'auto'; got {progress!r}.")
    if observer is not None:
        return observer
    wanted = _somebody_looks() if progress == "auto" else progress
    if not processes().is_chief:
        return Observer()
    return ProgressLine(sys.stdout) if wanted else Unwatched()


class Unwatched(Observer):
    """Logs what a user should look into, where no progress is shown: by default, on stderr."""

    def warn(self, text: str) -> None:
        """Log it as a warning of `onecycle_cli`."""
        logging.getLogger("onecycle_cli").warning("onecycle: %s", text)


class ProgressLine(Observer):
    """One line that is written over and over, and above it a line for each fact and outcome.

    Args:
        stream: where to write to: a notebook's output or a terminal.
        clock: seconds that never run backwards.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._title, self._steps, self._done = "", 0, 0
        self._begun = self._shown_at = -_EVERY
        self._length = 0

    def note(self, text: str) -> None:
        """Write a line."""
        self._write(text)

    def warn(self, text: str) -> None:
        """Write a line."""
        self._write(f"warning: {text}")

    def begin(self, title: str, steps: int) -> None:
        """Start to count steps."""
        self._title, self._steps, self._done = title, steps, 0
        self._begun = self._clock()
        self._show(f"{title} ...")

    def advance(self, **shown: float) -> None:
        """Count a step, and write the line anew if it is time."""
        self._done += 1
        if self._is_time():
            values = "".join(f", {name} {value:.4g}" for name, value in shown.items())
            self._show(
                f"{self._title}: step {self._done} of {self._steps}{values}{self._time_left()}"
            )

    def end(self, outcome: str = "") -> None:
        """Put the outcome in the place of the line."""
        steps = f"{self._done} step{'' if self._done == 1 else 's'}"
        if outcome:
            self._write(f"{self._title}: {outcome} after {steps}")
        else:
            self._show("")

    def download(self, received: int, total: int | None) -> None:
        """Write the line anew if it is time."""
        of = f" of {total / 1e6:.0f}" if total else ""
        self._count(f"downloading: {received / 1e6:.0f}{of} MB", is_last=received == total)

    def decode(self, done: int, total: int | None) -> None:
        """Write the line anew if it is time."""
        of = f" of {total}" if total else ""
        self._count(f"decoding images: {done}{of}", is_last=done == total)

    def _count(self, text: str, *, is_last: bool) -> None:
        if is_last:
            self._show("")
        elif self._is_time():
            self._show(text)

    def _time_left(self) -> str:
        if not self._steps or self._done < _TOO_EARLY:
            return ""
        seconds = (self._clock() - self._begun) / self._done * (self._steps - self._done)
        return f", {duration(seconds)} left"

    def _is_time(self) -> bool:
        return self._clock() - self._shown_at >= _EVERY

    def _show(self, text: str) -> None:
        """Write over the line."""
        text = text[: _width() - 1]
        self._stream.write(f"\r{text.ljust(self._length)}")
        self._stream.flush()
        self._length, self._shown_at = len(text), self._clock()

    def _write(self, text: str) -> None:
        self._show("")
        self._stream.write(f"\r{text}\n")
        self._stream.flush()


def _width() -> int:
    return _IN_A_NOTEBOOK if _in_a_notebook() else shutil.get_terminal_size().columns


def _somebody_looks() -> bool:
    return _in_a_notebook() or sys.stdout.isatty()


def _in_a_notebook() -> bool:
    """Tell whether this is a cell of a notebook; IPython is there already if it is."""
    ipython: Any = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and hasattr(shell, "kernel")
