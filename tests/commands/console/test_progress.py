import io
import itertools
import re

import pytest
from rich.console import Console

from onecycle_cli.commands.console import progress
from onecycle_cli.commands.console.progress import Bars, Lines, Quiet, watching
from onecycle_cli.commands.console.time_left import TimeLeft


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


@pytest.fixture
def pace(monkeypatch):
    """Let a step take so many seconds."""

    def set_pace(seconds):
        ticks = itertools.count(0, seconds)
        monkeypatch.setattr(
            progress, "TimeLeft", lambda advice: TimeLeft(advice, lambda: float(next(ticks)))
        )

    return set_pace


def test_a_bar_shows_title_position_values_and_time_left(terminal, pace):
    pace(0.1)
    bars = Bars(terminal)
    assert screen(terminal) == ["starting Keras, then loading the data and the model ..."]
    bars.expect(200)
    bars.begin("trial 3 of 14, weight decay 0.0001", 200)
    for _ in range(50):
        bars.advance(loss=2.30259, lr=3.174e-05)
    bars._bar.refresh()

    (line,) = screen(terminal)
    assert line.startswith("trial 3 of 14, weight decay 0.0001 ━━")
    assert re.search(r" 50/200 loss 2\.303, lr 3\.174e-05, 15 s left$", line)
    assert len(line) <= 100
    bars.close()
    assert screen(terminal) == []


def test_a_stretch_and_the_whole_have_a_bar_each(terminal, pace):
    pace(0.1)
    bars = Bars(terminal)
    bars.expect(600)
    bars.begin("ladder probe 1", 25)
    for _ in range(25):
        bars.advance(loss=2.0, lr=0.1)
    bars.end("loss 1.5")
    bars.begin("ladder probe 2", 25)
    for _ in range(5):
        bars.advance(loss=2.0, lr=0.1)
    bars._bar.refresh()

    outcome, stretch, whole = screen(terminal)
    assert outcome == "ladder probe 1: loss 1.5 after 25 steps"
    assert re.search(r"^ladder probe 2 ━.* 5/25 +loss 2, lr 0\.1$", stretch)
    assert re.search(r"^in all +━.* 30/600 +57 s left$", whole)
    bars.close()


@pytest.mark.parametrize("width", [100, 80, 60])
def test_in_any_window_a_bar_is_a_line(width, pace):
    pace(0.2)
    console = Console(
        file=io.StringIO(), force_terminal=True, width=width, color_system=None,
        legacy_windows=False,
    )  # fmt: skip
    bars = Bars(console)
    bars.expect(1188)
    bars.begin("again probe 11, weight decay 0.000316", 1000)
    for _ in range(999):
        bars.advance(loss=2.30259, lr=3.174e-05)
    bars._bar.refresh()
    stretch, whole = screen(console)
    assert "999/1000" in stretch
    assert stretch.startswith("again probe 11, weight")
    assert "loss 2.303" in stretch
    assert "999/1188" in whole
    assert whole.endswith("38 s left")
    assert max(len(stretch), len(whole)) <= width
    bars.close()


def test_what_has_no_steps_is_named_while_it_lasts(terminal):
    bars = Bars(terminal)
    bars.begin("cycle 1", 1)
    bars.busy("drawing plot.png ...")
    assert screen(terminal) == ["drawing plot.png ..."]
    bars.close()
    assert screen(terminal) == []


def test_a_long_search_is_remarked_with_what_to_do_about_it(terminal, pace, capsys):
    pace(1)
    for observer in (Bars(terminal, "do less"), Lines(progress=True, advice="do less")):
        observer.expect(1000)
        observer.begin("probe 1", 1000)
        for _ in range(20):
            observer.advance(loss=1.0)
    said = "all of it may take 17 min on this machine; do less"
    assert said in screen(terminal)
    assert said in capsys.readouterr().err.splitlines()


def test_lines_of_progress_say_how_long_all_of_it_takes(capsys, clock, pace):
    clock(6)
    pace(1)
    lines = Lines(progress=True)
    lines.expect(100)
    lines.expect_after(60)
    lines.begin("run 1 of 2", 5)
    for _ in range(4):
        lines.advance(loss=1.0)
    assert capsys.readouterr().err.splitlines() == [
        "run 1 of 2: step 2 of 5, loss 1; 3 min left in all",
        "run 1 of 2: step 4 of 5, loss 1; 3 min left in all",
    ]


def test_words_stay_whole_where_a_window_ends():
    console = Console(
        file=io.StringIO(), force_terminal=True, width=40, color_system=None, legacy_windows=False
    )
    bars = Bars(console)
    bars.close()
    bars.note("writing to runs/an-experiment-with-a-long-name/find-lr/.001-running")
    assert "runs/an-experiment-with-a-long-name/find-lr/.001-running" in console.file.getvalue()


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
