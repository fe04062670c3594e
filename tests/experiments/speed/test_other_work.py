import time

import pytest

from onecycle_cli.experiments.speed import other_work
from onecycle_cli.experiments.speed.other_work import OtherWork


@pytest.fixture
def share(tmp_path, monkeypatch):
    """Return what is measured where the system's counts go from one to another, in ticks of 10 ms.

    This process itself takes `own` seconds.
    """

    def measured(before, after, own=0.0):
        times = iter([5.0, 5.0 + own])
        monkeypatch.setattr(time, "process_time", lambda: next(times))
        monkeypatch.setattr(other_work.os, "sysconf", lambda name: 100)
        stat = tmp_path / "stat"
        stat.write_text(f"cpu  {before}\ncpu0 1 1 1\n")
        with OtherWork(stat) as others:
            stat.write_text(f"cpu  {after}\n")
        return others.share

    return measured


def test_what_others_take_is_what_is_busy_without_our_own(share):
    assert share("0 0 0 0 0 0 0 0 0 0", "300 0 100 600 0 0 0 0 0 0", own=1.0) == pytest.approx(0.3)
    assert share("7 1 2 9 4 0 0 0 3 0", "7 101 2 59 54 0 0 100 9 0", own=0.0) == pytest.approx(
        2 / 3
    )


def test_it_lies_between_nothing_and_all(share):
    assert share("0 0 0 0 0 0 0 0 0 0", "100 0 0 100 0 0 0 0 0 0", own=1.1) == 0
    assert share("0 0 0 0 0 0 0 0 0 0", "100 0 0 0 0 0 0 0 0 0", own=0) == 1
    assert share("5 0 0 5 0 0 0 0 0 0", "5 0 0 5 0 0 0 0 0 0") == 0


@pytest.mark.parametrize("text", ["", "a b c d e"])
def test_counts_that_cannot_be_read_count_as_idle(share, text):
    assert share("5 0 0 5 0 0 0 0 0 0", text) == 0


def test_where_there_are_no_counts_there_is_nothing_else(tmp_path):
    with OtherWork(tmp_path / "none") as others:
        pass
    assert others.share == 0
