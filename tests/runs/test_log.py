import math

import numpy as np
import pytest

from onecycle_cli.runs.log import Epoch, Logbook


@pytest.fixture
def log():
    log = Logbook()
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


def test_a_step_belongs_to_the_epoch_that_has_not_ended(log):
    assert len(log) == 3
    assert log.tables()["steps"] == STEPS
    assert (log.lrs, log.losses) == (STEPS["lr"], STEPS["loss"])
    assert (len(Logbook()), Logbook().losses) == (0, [])


def test_an_epochs_loss_is_the_mean_of_its_own_steps(log):
    assert log.epochs[0] == Epoch(1, 1, 1.75, 0.7, 0.5)
    assert math.isnan(log.epochs[1].loss)
    assert log.tables()["history"]["val_accuracy"] == [0.5, None]


def test_a_step_that_is_broken_off_leaves_no_trace(log, tmp_path):
    class Breaking(list):
        def append(self, _):
            raise KeyboardInterrupt

    log.steps["clipnorm"] = Breaking(log.steps["clipnorm"])
    with pytest.raises(KeyboardInterrupt):
        log.enter({"lr": 0.3, "clipnorm": 0.1, "loss": 1.0}, cycle=2)
    assert len(log) == 3
    assert log.tables()["steps"] == STEPS
    assert {len(values) for values in log.as_arrays().values()} == {3}
    log.write(tmp_path)
    assert len((tmp_path / "steps.csv").read_text().splitlines()) == 1 + 3


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
    assert list(steps) == ["step", "lr", "loss", "epoch", "cycle", "clipnorm"]
    np.testing.assert_array_equal(steps["loss"], [2.5, 1.0, math.nan])
    assert list(history) == ["epoch", "cycle", "loss", "val_loss", "val_accuracy"]


def test_merit_is_accuracy_or_else_the_least_loss():
    assert Epoch(1, 1, 1.0, 0.2, 0.9).merit > Epoch(2, 1, 1.0, 0.1, 0.8).merit
    assert Epoch(1, 1, 1.0, 0.1, None).merit > Epoch(2, 1, 1.0, 0.2, None).merit
    assert Epoch(1, 1, 1.0, math.nan, None).merit == -math.inf


def test_what_was_taken_of_it_before_stays_as_it_goes_on(log):
    arrays, epochs = log.as_arrays(), log.epochs_as_lists()
    log.enter({"lr": 0.4, "clipnorm": 0.2, "loss": 3.0}, cycle=2)
    log.end_epoch(cycle=2, val_loss=0.1)
    assert {len(values) for values in arrays.values()} == {3}
    assert len(epochs) == 2
    for _ in range(2):
        later = log.as_arrays()
        assert later["lr"].tolist() == [*arrays["lr"].tolist(), 0.4]
        assert (later["epoch"].tolist(), later["epoch"].dtype) == ([1, 1, 2, 3], np.int64)
        assert [epoch["val_loss"] for epoch in log.epochs_as_lists()] == [0.7, 0.9, 0.1]
    assert Logbook.restored(later, log.epochs_as_lists()).losses[-1] == 3.0
