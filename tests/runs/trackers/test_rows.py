"""The numbers of a log in the order in which they came to be."""

import pytest

from onecycle_cli.runs.trackers.rows import Place, new_rows, rows


def places(found):
    return [(row.axis, row.at) for row in found]


def test_an_epoch_comes_between_its_last_step_and_the_next_one(trained):
    found = list(new_rows(trained(epochs=2, more=1), Place()))

    assert places(found) == [
        ("step", 0), ("step", 1), ("step", 2), ("epoch", 1),
        ("step", 3), ("step", 4), ("step", 5), ("epoch", 2), ("step", 6),
    ]  # fmt: skip
    assert found[1].values == {"step/lr": 0.05, "step/momentum": 0.9, "step/loss": 0.5}
    assert found[3].values == {
        "epoch/loss": pytest.approx((1 + 1 / 2 + 1 / 3) / 3),
        "epoch/val_loss": 0.25,
        "epoch/val_auc": 0.75,
    }


def test_what_is_missing_or_not_finite_is_left_out():
    steps = {"step": [0, 1], "epoch": [1, 1], "loss": [1.0, float("nan")], "lr": [0.1, 0.2]}
    epochs = {"epoch": [1], "val_loss": [float("inf")], "val_accuracy": [""], "val_r2": [None]}
    found = [row.values for row in rows(steps, epochs)]
    assert found == [{"step/loss": 1.0, "step/lr": 0.1}, {"step/lr": 0.2}, {}]


def test_taken_piece_by_piece_they_are_the_same(trained):
    log, pieces, place = trained(epochs=0), [], Place()
    for epochs, more in ((1, 0), (0, 2), (0, 0), (2, 1)):
        if more == 0 and epochs == 0:
            log.enter({"lr": 0.1, "momentum": 0.9, "loss": 0.5}, cycle=1)
            log.end_epoch(cycle=1, val_loss=0.5)  # an epoch of which two steps are known already
        trained(log, epochs=epochs, more=more)
        pieces += new_rows(log, place)
        place = Place.at_end_of(log)
    assert pieces == list(new_rows(log, Place()))


def test_after_a_log_went_back_there_is_what_came_instead(trained):
    log = trained(epochs=1)
    marks = {"steps": {"rows": 3}, "history": {"rows": 1}}
    trained(log, epochs=2, more=2)
    place = Place.at_end_of(log)
    log.go_back(marks)
    trained(log, epochs=1, more=1, scale=2.0)

    found = list(new_rows(log, place))
    assert places(found) == [
        ("step", 3), ("step", 4), ("step", 5), ("epoch", 2), ("step", 6)
    ]  # fmt: skip
    assert found[0].values["step/loss"] == 2.0 / 4
    assert list(new_rows(log, Place.at_end_of(log))) == []
