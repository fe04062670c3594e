import io
import logging
import sys

import pytest

from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.asked import watching
from onecycle_cli.experiments.asked.watching import ProgressLine, Unwatched
from onecycle_cli.observer import Observer


@pytest.fixture
def stream():
    return io.StringIO()


@pytest.fixture
def line(stream, clock):
    return ProgressLine(stream, clock)


def screen(stream):
    """What a terminal or a notebook shows: a line that begins anew covers the one before."""
    shown = []
    for text in stream.getvalue().split("\n"):
        cells = ""
        for part in text.split("\r"):
            cells = part + cells[len(part) :]
        shown.append(cells.rstrip())
    return shown


def test_a_stretch_is_one_line_until_its_outcome_takes_its_place(line, stream, clock):
    line.note("short trainings from 0.01 to 0.1")
    line.begin("probe 0.1", 100)
    assert screen(stream) == ["short trainings from 0.01 to 0.1", "probe 0.1 ..."]
    for _ in range(25):
        clock.now += 0.25
        line.advance(loss=1.23456)
    assert screen(stream)[1] == "probe 0.1: step 25 of 100, loss 1.235, 19 s left"
    line.warn("the loss is high")
    line.end("loss 1.2")
    line.begin("next", 3)
    line.end()
    assert screen(stream) == [
        "short trainings from 0.01 to 0.1",
        "warning: the loss is high",
        "probe 0.1: loss 1.2 after 25 steps",
        "",
    ]


def test_the_line_is_written_no_more_than_five_times_a_second(line, stream, clock):
    line.begin("probe", 10_000)
    for _ in range(10_000):
        clock.now += 0.001
        line.advance()
    assert 45 <= stream.getvalue().count("\r") <= 51


def test_downloads_and_images_are_counted(line, stream, clock):
    clock.now = 1.0
    line.download(3_000_000, 170_000_000)
    assert screen(stream) == ["downloading: 3 of 170 MB"]
    clock.now = 2.0
    line.decode(5, None)
    assert screen(stream) == ["decoding images: 5"]
    line.decode(7, 7)
    assert screen(stream) == [""]


def test_a_long_time_left_is_told_in_minutes_or_hours(line, stream, clock):
    line.begin("cycle 1", 40_000)
    for _ in range(5):
        clock.now += 0.25
        line.advance()
    assert screen(stream) == ["cycle 1: step 5 of 40000, 2.8 h left"]


class TestWhoWatches:
    def test_warnings_are_heard_in_a_pipe_and_progress_is_not(self, capsys, caplog):
        for progress in ("auto", False):
            caplog.clear()
            observer = watching.watching(None, progress)
            observer.note("a fact")
            observer.begin("cycle 1", 3)
            observer.warn("x gives other batches each time.")
            assert [(r.levelno, r.message) for r in caplog.records] == [
                (logging.WARNING, "onecycle: x gives other batches each time.")
            ]
            assert capsys.readouterr().out == ""

    def test_a_line_where_it_is_wanted(self):
        assert isinstance(watching.watching(None, True), ProgressLine)

    def test_a_line_on_a_terminal(self, monkeypatch):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
        assert isinstance(watching.watching(None, "auto"), ProgressLine)
        assert isinstance(watching.watching(None, False), Unwatched)

    def test_a_line_in_a_notebook(self, monkeypatch):
        class IPython:
            def get_ipython():
                return type("Shell", (), {"kernel": True})()

        monkeypatch.setitem(sys.modules, "IPython", IPython)
        assert isinstance(watching.watching(None, "auto"), ProgressLine)

    def test_one_s_own_observer_goes_before(self):
        own = Observer()
        assert watching.watching(own, True) is own

    def test_what_is_none_of_the_values(self):
        with pytest.raises(ConfigError, match=r"progress must be True, False or 'auto'; got 'yes'"):
            watching.watching(None, "yes")
