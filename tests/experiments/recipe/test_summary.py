import pytest

from onecycle_cli.experiments.recipe.stages import Recipe, Stage
from onecycle_cli.experiments.recipe.summary import (
    BRIEF_COLUMNS,
    brief_rows,
    ending,
    forecast_rows,
)


def foreseen(others, seconds=20.0):
    def cost(seconds):
        return {"steps": 100, "epochs": 2.0, "training_runs": 0.5, "seconds": seconds}

    stages = [
        Stage("find-lr", predicted=cost(seconds)),
        Stage("find-wd", "skipped", note="left out"),
        Stage("train", predicted=cost(100.0)),
    ]
    return dict(forecast_rows(Recipe({stage.name: stage for stage in stages}, others=others)))


@pytest.mark.parametrize("others", [0.0, 0.1])
def test_times_on_a_machine_that_is_all_but_idle_are_numbers(others):
    rows = foreseen(others)
    assert rows["find-lr"].endswith("training, about 20 s")
    assert rows["in all"].endswith("training, about 2.0 min")
    assert rows["find-wd"] == "skipped: left out"


def test_times_on_a_busy_machine_are_ranges_down_to_what_an_idle_one_would_take():
    rows = foreseen(0.4)
    assert rows["find-lr"].endswith("training, about 12 s to 20 s")
    assert rows["train"].endswith("training, about 60 s to 1.7 min")
    assert rows["in all"].endswith(
        "about 72 s to 2.0 min (other programs take 40 % of the processors)"
    )
    assert rows["find-wd"] == "skipped: left out"


def test_a_range_whose_ends_look_alike_is_one_time():
    assert foreseen(0.4, seconds=1.2)["find-lr"].endswith("training, about 1 s")


def done(name, **more):
    cost = {"steps": 375, "epochs": 16.0, "training_runs": 0.815, "seconds": 100.0}
    return Stage(name, "done", cost=cost, predicted=cost, folder=f"digits/{name}/001", **more)


FOUND = [
    done("find-lr", value=0.000122, interval=[0.0000904, 0.000157], verdict="ok"),
    done("find-momentum", value={"max": 0.95, "min": 0.85}, interval=[0.75, 0.95],
         verdict="undecided"),
    done("train", scores={"test_accuracy": 0.977, "test_loss": 0.085, "best_epoch": None}),
]  # fmt: skip


def test_a_brief_row_has_a_value_with_its_interval_and_fits_into_a_window():
    lines = [BRIEF_COLUMNS, *brief_rows(Recipe({stage.name: stage for stage in FOUND}))]
    assert lines[1:3] == [
        ("find-lr", "0.000122 (9.04e-05 to 0.000157)", "ok", "1.7 min", "1.7 min"),
        ("find-momentum", "0.95 to 0.85", "undecided", "1.7 min", "1.7 min"),
    ]
    assert [line[:2] for line in lines[3:]] == [
        ("train", ""), ("in all", "244 % of the training"),
    ]  # fmt: skip
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    assert sum(widths) + 2 * len(widths[1:]) <= 80


def test_the_end_of_a_stage_is_said_in_a_line():
    assert list(map(ending, FOUND)) == [
        "find-lr: 0.000122 (9.04e-05 to 0.000157), ok, 1.7 min, digits/find-lr/001",
        "find-momentum: 0.95 to 0.85, undecided, 1.7 min, digits/find-momentum/001",
        "train: accuracy 97.70%, loss 0.085, 1.7 min, digits/train/001",
    ]
    assert ending(Stage("find-wd", "refused", verdict="non_finite")) == "find-wd: non_finite"


def test_numbers_that_were_predicted_are_judged_by_r2_first():
    scores = {"test_accuracy": None, "test_loss": 0.113, "best_epoch": None}
    scores |= {"test_scores": {"r2": 0.87897, "mae": 38782.3}}
    assert ending(done("train", scores=scores)).startswith("train: R2 0.879, loss 0.113, ")
