import io
import itertools
import re
import time

import pytest
from rich.console import Console

from onecycle_cli.commands.console.progress import counting
from onecycle_cli.commands.console.progress.time_left import TimeLeft


@pytest.fixture
def clock(monkeypatch):
    """Let a call to the clock take so many seconds."""

    def set_speed(seconds):
        ticks = itertools.count(0, seconds)
        monkeypatch.setattr(time, "monotonic", lambda: next(ticks))

    return set_speed


@pytest.fixture
def pace(monkeypatch):
    """Let a step take so many seconds."""

    def set_pace(seconds):
        ticks = itertools.count(0, seconds)
        monkeypatch.setattr(
            counting, "TimeLeft", lambda advice: TimeLeft(advice, lambda: float(next(ticks)))
        )

    return set_pace


@pytest.fixture
def terminal():
    return Console(
        file=io.StringIO(), force_terminal=True, width=100, color_system=None, legacy_windows=False
    )


def drawn(console):
    """Return all that was drawn, without control codes."""
    return re.sub(r"\x1b\[[0-9?]*[A-Za-z]", "", console.file.getvalue())


def screen(console):
    """Return the lines that remain: what follows the last erasure of each line."""
    lines, row = [""], 0
    for code, text in re.findall(
        r"(\x1b\[[0-9?]*[A-Za-z]|\r|\n)|([^\x1b\r\n]+)", console.file.getvalue()
    ):
        if text:
            lines[row] += text
        elif code == "\n":
            row += 1
            lines += [""] * (row == len(lines))
        elif code.endswith("A"):
            row -= int(code[2:-1])
        elif code in {"\x1b[2K", "\r"}:
            lines[row] = ""
    return [line.rstrip() for line in lines if line]


def a_short_story(observer):
    observer.note("2 runs")
    observer.begin("run 1 of 2", 3)
    for step in range(3):
        observer.advance(loss=2.0 - step / 3, lr=0.1)
    observer.end("done at 0.1")
    observer.warn("odd")
    observer.begin("run 2 of 2", 3)
    observer.advance(loss=0.5, lr=0.3)
    observer.end("diverged")
    observer.begin("cycle 1", 3)
    observer.end()
