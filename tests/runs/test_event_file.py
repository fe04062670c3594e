"""Event files, read back by TensorFlow's own reader."""

import sys

import pytest

from onecycle_cli.errors import ConfigError, ResultError
from onecycle_cli.runs import event_file
from onecycle_cli.runs.event_file import NAME, EventFile, write_events
from onecycle_cli.runs.log import Logbook

STARTED = 1.75e9


def steps(count):
    return {
        "step": [float(i) for i in range(count)],
        "loss": [2.0 / (i + 1) for i in range(count)],
        "lr": [0.1] * count,
        "epoch": [float(1 + i // 3) for i in range(count)],
    }


def epochs(count):
    return {
        "epoch": [float(1 + i) for i in range(count)],
        "val_loss": [1.5 - 0.25 * i for i in range(count)],
        "val_accuracy": [""] * count,
    }


def read(folder):
    """Return (step, tag, value) of everything in the file, and the times of its events."""
    from tensorflow.compat.v1.train import summary_iterator

    events = list(summary_iterator(str(folder / NAME)))
    values = [(e.step, v.tag, v.simple_value) for e in events for v in e.summary.value]
    return values, {e.wall_time for e in events}


def test_each_value_stands_at_its_step(tmp_path):
    write_events(tmp_path, steps(7), epochs(2), started=STARTED)

    values, times = read(tmp_path)
    assert times == {STARTED}
    assert [v for v in values if v[1] == "step/loss"] == [
        (i, "step/loss", pytest.approx(2 / (i + 1))) for i in range(7)
    ]
    assert [v for v in values if v[1].startswith("epoch/")] == [
        (1, "epoch/val_loss", 1.5),
        (2, "epoch/val_loss", 1.25),
    ]


def test_written_at_every_epoch_it_is_the_file_written_once(tmp_path):
    """Also when an epoch that broke off is gone through again."""
    grown, once = tmp_path / "grown", tmp_path / "once"
    inodes = set()
    for count, ended in ((3, 1), (5, 1), (6, 2), (9, 3)):
        write_events(grown, steps(count), epochs(ended), started=STARTED)
        inodes.add((grown / NAME).stat().st_ino)
    write_events(once, steps(9), epochs(3), started=STARTED)

    assert (grown / NAME).read_bytes() == (once / NAME).read_bytes()
    assert len(inodes) == 1  # a reader that has it open sees it grow
    assert [p.name for p in grown.iterdir()] == [NAME]


def test_with_a_log_it_grows_to_the_file_written_once(tmp_path, monkeypatch):
    """Only new steps are put into events, unless the log went back or the file is another one."""
    log, file, counts = Logbook(), EventFile(tmp_path / "grown", started=STARTED), []
    stock = event_file._event

    def counted(*args):
        counts[-1] += 1
        return stock(*args)

    def write(steps, *, ends):
        for number in range(steps):
            log.enter({"lr": 0.1, "loss": 1 / (1 + number)}, cycle=1)
        if ends:
            log.end_epoch(cycle=1, val_loss=0.5)
        counts.append(0)
        with monkeypatch.context() as patch:
            patch.setattr(event_file, "_event", counted)
            file.write(log)
        tables = log.tables()
        write_events(tmp_path / "once", tables["steps"], tables["history"], started=STARTED)
        once = (tmp_path / "once" / NAME).read_bytes()
        assert (tmp_path / "grown" / NAME).read_bytes() == once

    write(3, ends=True)
    marks = {"steps": {"rows": 3}, "history": {"rows": 1}}
    write(4, ends=True)
    write(2, ends=False)
    write(0, ends=True)
    write(1, ends=True)
    assert counts == [3 + 1, 4 + 1, 2, 9 + 3, 1 + 1]
    log.go_back(marks)
    write(8, ends=True)
    (tmp_path / "grown" / NAME).write_bytes(b"")
    write(1, ends=True)
    assert counts[5:] == [11 + 2, 12 + 3]


def test_a_file_of_other_tables_is_replaced_as_a_whole(tmp_path):
    write_events(tmp_path, steps(9), epochs(3), started=STARTED)
    write_events(tmp_path, steps(4), epochs(1), started=STARTED)
    assert len([v for v in read(tmp_path)[0] if v[1] == "step/lr"]) == 4


def test_a_record_that_broke_off_is_completed(tmp_path):
    write_events(tmp_path, steps(3), epochs(1), started=STARTED)
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole[:-7])
    write_events(tmp_path, steps(3), epochs(1), started=STARTED)
    assert (tmp_path / NAME).read_bytes() == whole


def test_what_is_not_finite_is_left_out(tmp_path):
    table = steps(2) | {"loss": [1.0, float("nan")]}
    write_events(tmp_path, table, epochs(0), started=STARTED)
    assert [v[:2] for v in read(tmp_path)[0]] == [(0, "step/loss"), (0, "step/lr"), (1, "step/lr")]


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "tensorboard").write_text("a file")
    with pytest.raises(ResultError, match=r"tensorboard.*cannot be written"):
        write_events(tmp_path / "tensorboard", steps(1), epochs(0), started=STARTED)


def test_without_tensorflow_it_is_said_before_anything_starts(monkeypatch):
    monkeypatch.setattr(event_file, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="needs TensorFlow, which is not installed"):
        event_file.check_event_files_can_be_written()
    monkeypatch.undo()
    event_file.check_event_files_can_be_written()
    assert "onecycle_cli.runs.event_file" in sys.modules
