import json
import math
from array import array

import numpy as np
import pytest

from onecycle_cli.runs import records
from onecycle_cli.runs.log import Epoch, Logbook


@pytest.fixture
def log(tmp_path):
    log = Logbook(tmp_path)
    log.enter({"lr": 0.1, "clipnorm": 1.0, "loss": 2.5}, cycle=1)
    log.enter({"lr": 0.2, "clipnorm": 0.5, "loss": 1.0}, cycle=1)
    log.end_epoch(cycle=1, val_loss=0.7, val_accuracy=0.5)
    log.enter({"lr": 1 / 3, "clipnorm": 0.1, "loss": math.nan}, cycle=2)
    log.end_epoch(cycle=2, val_loss=0.9, val_accuracy=None)
    return log


STEPS = {
    "step": [0, 1, 2],
    "lr": [0.1, 0.2, 1 / 3],
    "loss": [2.5, 1.0, pytest.approx(math.nan, nan_ok=True)],
    "epoch": [1, 1, 2],
    "cycle": [1, 1, 2],
    "clipnorm": [1.0, 0.5, 0.1],
}


def steps_of(log):
    return {name: list(values) for name, values in log.tables()["steps"].items()}


def test_a_step_belongs_to_the_epoch_that_has_not_ended(log):
    assert len(log) == 3
    assert steps_of(log) == STEPS
    assert (list(log.lrs), list(log.losses)) == (STEPS["lr"], STEPS["loss"])
    assert (len(Logbook()), len(Logbook().losses)) == (0, 0)


def test_an_epochs_loss_is_the_mean_of_its_own_steps(log):
    assert log.epochs[0] == Epoch(1, 1, 1.75, 0.7, 0.5)
    assert math.isnan(log.epochs[1].loss)
    assert log.tables()["history"]["val_accuracy"] == [0.5, None]


def test_a_step_that_is_broken_off_leaves_no_trace(log, tmp_path):
    class Breaking(array):
        def append(self, _):
            raise KeyboardInterrupt

    log.steps["clipnorm"] = Breaking("d", log.steps["clipnorm"])
    with pytest.raises(KeyboardInterrupt):
        log.enter({"lr": 0.3, "clipnorm": 0.1, "loss": 1.0}, cycle=2)
    assert len(log) == 3
    assert steps_of(log) == STEPS
    log.write()
    assert len((tmp_path / "steps.csv").read_text().splitlines()) == 1 + 3


def test_the_tables(log, tmp_path, table):
    log.write()
    steps, history = (table(tmp_path / f"{name}.csv") for name in ("steps", "history"))
    assert list(steps) == ["step", "lr", "loss", "epoch", "cycle", "clipnorm"]
    np.testing.assert_array_equal(steps["loss"], [2.5, 1.0, math.nan])
    assert list(history) == ["epoch", "cycle", "loss", "val_loss", "val_accuracy"]


def test_merit_is_accuracy_or_else_the_least_loss():
    assert Epoch(1, 1, 1.0, 0.2, 0.9).merit > Epoch(2, 1, 1.0, 0.1, 0.8).merit
    assert Epoch(1, 1, 1.0, 0.1, None).merit > Epoch(2, 1, 1.0, 0.2, None).merit
    assert Epoch(1, 1, 1.0, math.nan, None).merit == -math.inf


# --- on disk --------------------------------------------------------------------------------------


def contents(folder):
    return [(folder / name).read_bytes() for name in ("steps.csv", "history.csv")]


def written_at_once(log, folder):
    """Return what the tables would be if they were written as a whole."""
    folder.mkdir(exist_ok=True)
    records.write_tables(folder, log.tables())
    return contents(folder)


def test_it_comes_back_as_it_was(log, tmp_path):
    marks = json.loads(json.dumps(log.mark()))
    log.append()
    again = Logbook(tmp_path)
    again.take_up(marks)
    assert again.tables()["steps"] == log.tables()["steps"] or math.isnan(again.losses[2])
    assert repr(again.epochs) == repr(log.epochs)
    assert all(type(step) is int for step in again.steps["step"])
    for book in (log, again):
        book.enter({"lr": 1e-17, "clipnorm": 0.2, "loss": math.inf}, cycle=2)
        book.end_epoch(cycle=2, val_loss=0.1)
    assert again.mark() == log.mark()
    again.write()
    assert contents(tmp_path) == written_at_once(log, tmp_path / "whole")


def test_what_came_after_a_mark_is_forgotten(log, tmp_path):
    """In memory and on disk, whether it was written already or not."""
    marks, expected = log.mark(), written_at_once(log, tmp_path / "then")
    for is_written in (True, False):
        for number in range(3):
            log.enter({"lr": 0.4, "clipnorm": 0.2, "loss": number}, cycle=2)
            log.end_epoch(cycle=2, val_loss=0.1)
        if is_written:
            log.append()
        log.go_back(marks)
        assert (len(log), len(log.epochs)) == (3, 2)
        assert log.mark() == marks
        log.write()
        assert contents(tmp_path) == expected


def test_a_score_that_is_new_gets_a_column(log, tmp_path):
    """A checkpoint of the time before can still be gone on from, and gone back to."""
    before = log.mark()
    log.append()
    for _ in range(2):
        log.enter({"lr": 0.4, "clipnorm": 0.2, "loss": 1.0}, cycle=2)
        log.end_epoch(cycle=2, val_loss=0.1, scores={"f1": 0.5})
        log.append()
        assert contents(tmp_path) == written_at_once(log, tmp_path / "whole")
        again = Logbook(tmp_path)
        again.take_up(before)
        assert (len(again), len(again.epochs), again.mark()) == (3, 2, before)
        log.go_back(before)
        assert log.mark() == before
    again.write()
    assert contents(tmp_path) == written_at_once(again, tmp_path / "whole")


@pytest.mark.parametrize("name", ["steps.csv", "history.csv"])
def test_a_table_that_is_short_or_changed_is_not_taken_up(log, tmp_path, name):
    marks = log.mark()
    log.append()
    path = tmp_path / name
    whole = path.read_bytes()
    for data in (b"", whole[:-1], whole.replace(b"0.1", b"0.3"), b"\xff" + whole[1:]):
        path.write_bytes(data)
        if data == whole:
            continue
        again = Logbook(tmp_path)
        with pytest.raises(ValueError, match=name.replace(".", r"\.")):
            again.take_up(marks)
        assert (len(again), again.epochs) == (0, [])
    path.unlink()
    with pytest.raises(ValueError, match=r"does not begin any more with the . rows"):
        again.take_up(marks)
    path.write_bytes(whole + b"half a li")
    again.take_up(marks)
    assert again.mark() == marks


def test_tables_that_somebody_removes_are_written_anew(log, tmp_path):
    log.write()
    expected = contents(tmp_path)
    (tmp_path / "steps.csv").unlink()
    (tmp_path / "history.csv").write_bytes(expected[1][:20])
    log.append()
    assert contents(tmp_path) == expected


def test_before_the_first_epoch_there_is_a_header_at_most(tmp_path):
    log = Logbook(tmp_path)
    log.enter({"lr": 0.1, "loss": 1.0}, cycle=1)
    marks = log.mark()
    log.append()
    assert not (tmp_path / "history.csv").exists()
    log.write()
    assert contents(tmp_path) == written_at_once(log, tmp_path / "whole")
    again = Logbook(tmp_path)
    again.take_up(marks)
    again.end_epoch(cycle=1, scores={"f1": 1.0})
    again.append()
    assert contents(tmp_path) == written_at_once(again, tmp_path / "whole")
