import pytest

from onecycle_cli.experiments.recipe.stages import Recipe, Stage
from onecycle_cli.experiments.recipe.summary import forecast_rows


def foreseen(others):
    def cost(seconds):
        return {"steps": 100, "epochs": 2.0, "training_runs": 0.5, "seconds": seconds}

    stages = [
        Stage("find-lr", predicted=cost(20.0)),
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
