import math

import pytest

from onecycle_cli.commands.console.result.sketches import sketch_of
from onecycle_cli.runs.records import Record

PROBES = {
    "trial": [0, 1, 2, 3, 4, 5],
    "max_lr": [0.1, 0.0237, 0.422, 0.0422, 0.1, 0.237],
    "stage": ["ladder"] * 3 + ["final"] * 3,
    "replicate": [0] * 6,
    "steps": [25.0] * 3 + [100.0] * 3,
    "score": [0.2, 0.38, math.inf, 0.07, 0.05, 0.06],
}


def suggestion(value):
    return {"suggestion": {"value": value}}


def test_probes_are_a_line_for_each_length_and_broken_ones_have_no_place():
    sketch = sketch_of(Record("find-lr", "d", suggestion(0.122), {"trials": PROBES}))
    assert sketch.lines == [
        [(0.0237, 0.38), (0.1, 0.2)], [(0.0422, 0.07), (0.1, 0.05), (0.237, 0.06)],
    ]  # fmt: skip
    assert sketch.names == ["25 steps", "100 steps"]
    assert (sketch.log_x, sketch.log_y, sketch.mark) == (True, True, 0.122)


def test_a_weight_decay_of_zero_has_no_place_on_a_logarithmic_axis():
    trials = {
        "weight_decay": [0.0, 1e-4, 1e-3], "score": [0.3, 0.2, 0.25], "steps": [92] * 3,
        "replicate": [0] * 3,
    }  # fmt: skip
    sketch = sketch_of(Record("find-wd", "d", suggestion(0.0), {"trials": trials}))
    assert sketch.lines == [[(1e-4, 0.2), (1e-3, 0.25)]]
    assert sketch.mark is None


def test_momentum_is_marked_at_the_middle_of_its_range():
    trials = {"momentum": [0.9, 0.8], "score": [0.3, 0.2], "steps": [9] * 2, "replicate": [0] * 2}
    found = suggestion({"max": 0.85, "min": 0.75})
    sketch = sketch_of(Record("find-momentum", "d", found, {"trials": trials}))
    assert sketch.lines == [[(0.8, 0.2), (0.9, 0.3)]]
    assert sketch.mark == pytest.approx(0.8)
    assert not sketch.log_x


def test_a_range_test_that_explodes_leaves_room_for_its_fall():
    curve = {"lr": [1e-3, 1e-2, 1e-1, 1.0], "loss": [2.0, 1.0, 0.5, 1e9]}
    sketch = sketch_of(Record("find-lr", "d", suggestion(0.05), {"curve": curve}))
    assert sketch.lines == [[(1e-3, 2.0), (1e-2, 1.0), (1e-1, 0.5), (1.0, 3.0)]]


def test_a_training_shows_both_losses_by_epoch():
    history = {"epoch": [1, 2, 3], "loss": [1.0, 0.5, 0.2], "val_loss": [0.8, "", 0.3]}
    sketch = sketch_of(Record("train", "d", {}, {"history": history}))
    assert sketch.lines == [[(1, 1.0), (2, 0.5), (3, 0.2)], [(1, 0.8), (3, 0.3)]]
    assert (sketch.name, sketch.names) == ("loss by epoch", ["training", "validation"])


def test_a_training_of_one_epoch_shows_its_steps_as_means():
    count = 1000
    steps = {"step": list(range(count)), "loss": [float(i) for i in range(count)]}
    history = {"epoch": [1], "loss": [1.0]}
    sketch = sketch_of(Record("train", "d", {}, {"history": history, "steps": steps}))
    (line,) = sketch.lines
    assert 100 < len(line) <= 120
    assert sum(y for _, y in line[:-1]) / (len(line) - 1) == pytest.approx(
        sum(range(999)) / 999, abs=5
    )


@pytest.mark.parametrize(
    "record",
    [
        Record("run", "d"),
        Record("find-lr", "d", {}, {"trials": {name: v[:1] for name, v in PROBES.items()}}),
        Record("find-lr", "d", {}, {"curve": {"lr": [0.1, 0.2], "loss": [math.nan, math.nan]}}),
    ],
)
def test_what_gives_no_line_is_not_drawn(record):
    assert sketch_of(record) is None
