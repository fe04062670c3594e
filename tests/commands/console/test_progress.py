import io
import itertools
import re

import pytest
from rich.console import Console

from onecycle_cli.commands.console import progress
from onecycle_cli.commands.console.progress import Bars, Lines, Quiet, watching


@pytest.fixture
def clock(monkeypatch):
    """Let a call to the clock take so many seconds."""

    def set_speed(seconds):
        ticks = itertools.count(0, seconds)
        monkeypatch.setattr(progress.time, "monotonic", lambda: next(ticks))

    return set_speed


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


def test_lines_say_each_outcome(capsys):
    a_short_story(Lines(progress=True))
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "2 runs",
        "run 1 of 2: done at 0.1 after 3 steps",
        "warning: odd",
        "run 2 of 2: diverged after 1 step",
    ]


def test_lines_show_progress_now_and_then(capsys, clock):
    clock(6)
    lines = Lines(progress=True)
    lines.begin("run 1 of 2", 5)
    for step in range(5):
        lines.advance(loss=2 - step / 8, lr=0.1)
    assert capsys.readouterr().err.splitlines() == [
        "run 1 of 2: step 2 of 5, loss 1.875, lr 0.1",
        "run 1 of 2: step 4 of 5, loss 1.625, lr 0.1",
    ]


def test_lines_without_progress(capsys, clock):
    clock(60)
    lines = Lines(progress=False)
    a_short_story(lines)
    lines.download(1, 2)
    assert "step 1" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("total", "line"), [(170_500_000, "downloading: 12 of 170 MB"), (None, "downloading: 12 MB")]
)
def test_lines_of_a_download(capsys, clock, total, line):
    clock(60)
    Lines(progress=True).download(12_300_000, total)
    assert capsys.readouterr().err == f"{line}\n"


@pytest.mark.parametrize(
    ("total", "line"), [(500, "decoding images: 120 of 500"), (None, "decoding images: 120")]
)
def test_lines_of_images(capsys, clock, total, line):
    clock(60)
    Lines(progress=True).decode(120, total)
    Lines(progress=False).decode(120, total)
    assert capsys.readouterr().err == f"{line}\n"


def test_quiet_only_warns(capsys):
    Quiet().decode(1, 2)
    a_short_story(Quiet())
    assert capsys.readouterr().err == "warning: odd\n"


def test_the_observer_suits_where_stderr_goes(monkeypatch):
    with watching(quiet=True, progress=True) as observer:
        assert type(observer) is Quiet
    with watching(quiet=False, progress=True) as observer:
        assert type(observer) is Lines
    monkeypatch.setattr("sys.stderr", Terminal())
    with watching(quiet=False, progress=True) as observer:
        assert type(observer) is Bars
    with watching(quiet=False, progress=False) as observer:
        assert type(observer) is Lines


class Terminal(io.StringIO):
    def isatty(self):
        return True


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


def test_bars_leave_the_same_lines_as_a_pipe_would_get(terminal):
    bars = Bars(terminal)
    a_short_story(bars)
    bars.close()
    bars.close()

    assert screen(terminal) == [
        "2 runs",
        "run 1 of 2: done at 0.1 after 3 steps",
        "warning: odd",
        "run 2 of 2: diverged after 1 step",
    ]
    assert terminal.file.getvalue().count("\x1b[?25l") == terminal.file.getvalue().count(
        "\x1b[?25h"
    )


def test_a_bar_shows_title_position_values_and_time_left(terminal):
    bars = Bars(terminal)
    assert screen(terminal) == ["starting Keras, then loading the data and the model ..."]
    bars.begin("trial 3 of 14, weight decay 0.0001", 200)
    for _ in range(50):
        bars.advance(loss=2.30259, lr=3.174e-05)
    bars._bar.refresh()

    (line,) = screen(terminal)
    assert line.startswith("trial 3 of 14, weight decay 0.0001 ━━")
    assert re.search(r" 50/200 loss 2\.303, lr 3\.174e-05 .*left$", line)
    assert len(line) <= 100
    bars.close()
    assert screen(terminal) == []


def test_a_download_has_a_bar_of_its_own(terminal):
    bars = Bars(terminal)
    bars.download(0, 170_500_000)
    bars.download(85_000_000, 170_500_000)
    bars._bar.refresh()
    assert "85.0/170.5 MB" in drawn(terminal)
    bars.begin("run 1 of 1", 3)
    bars.advance(loss=1.0, lr=1.0)
    bars._bar.refresh()
    assert "downloading" not in " ".join(screen(terminal))
    bars.close()


def test_an_unknown_length_is_no_obstacle(terminal):
    bars = Bars(terminal)
    bars.download(5_000_000, None)
    bars.close()


def test_images_have_a_bar_that_ends_with_them(terminal):
    """And again one when the test set is decoded, after the training."""
    bars = Bars(terminal)
    bars.decode(120, 500)
    bars._bar.refresh()
    assert "decoding images" in drawn(terminal)
    assert "120/500" in drawn(terminal)
    bars.decode(500, 500)
    assert screen(terminal) == []
    bars.begin("cycle 1", 1)
    bars.end("done")
    bars.decode(7, 9)
    bars._bar.refresh()
    assert "7/9" in screen(terminal)[-1]
    bars.close()
    assert screen(terminal) == ["cycle 1: done after 0 steps"]
