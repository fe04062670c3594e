import math

import numpy as np
import pytest

from onecycle_cli.runs.log import Epoch, Logbook


@pytest.fixture
def log():
    log = Logbook()
    log.enter({"lr": [0.1, 0.2], "loss": [2.5, math.nan]}, epoch=1, cycle=1)
    log.enter({"lr": [1 / 3], "loss": [0.5]}, epoch=2, cycle=2)
    log.epochs += [Epoch(1, 1, 2.5, 0.7, 0.5), Epoch(2, 2, 0.5, 0.9, 0.5)]
    return log


def test_steps_are_counted_on(log):
    assert len(log) == 3
    assert log.steps["step"] == [0, 1, 2]
    assert log.of_cycle(2) == {
        "step": [2],
        "lr": [1 / 3],
        "loss": [0.5],
        "epoch": [2],
        "cycle": [2],
    }
    assert Logbook().of_cycle(1) == {}


def test_it_comes_back_as_it_was(log, tmp_path):
    again = Logbook.restored(log.as_arrays(), log.epochs_as_lists())
    (tmp_path / "again").mkdir()
    for book, folder in ((log, tmp_path), (again, tmp_path / "again")):
        book.write(folder)
    for name in ("steps.csv", "history.csv"):
        assert (tmp_path / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert all(type(step) is int for step in again.steps["step"])


def test_the_tables(log, tmp_path, table):
    log.write(tmp_path)
    steps, history = (table(tmp_path / f"{name}.csv") for name in ("steps", "history"))
    assert list(steps) == ["step", "lr", "loss", "epoch", "cycle"]
    np.testing.assert_array_equal(steps["loss"], [2.5, math.nan, 0.5])
    assert list(history) == ["epoch", "cycle", "loss", "val_loss", "val_accuracy"]


def test_merit_is_accuracy_or_else_the_least_loss():
    assert Epoch(1, 1, 1.0, 0.2, 0.9).merit > Epoch(2, 1, 1.0, 0.1, 0.8).merit
    assert Epoch(1, 1, 1.0, 0.1, None).merit > Epoch(2, 1, 1.0, 0.2, None).merit
    assert Epoch(1, 1, 1.0, math.nan, None).merit == -math.inf
