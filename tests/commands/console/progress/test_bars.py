import io
import re

import pytest
from rich.console import Console

from onecycle_cli.commands.console.progress.bars import Bars

from .conftest import a_short_story, drawn, screen


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
    bars.begin("first probe 1", 25)
    for _ in range(25):
        bars.advance(loss=2.0, lr=0.1)
    bars.end("loss 1.5")
    bars.begin("first probe 2", 25)
    for _ in range(5):
        bars.advance(loss=2.0, lr=0.1)
    bars._bar.refresh()

    outcome, stretch, whole = screen(terminal)
    assert outcome == "first probe 1: loss 1.5 after 25 steps"
    assert re.search(r"^first probe 2 ━.* 5/25 +loss 2, lr 0\.1$", stretch)
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
