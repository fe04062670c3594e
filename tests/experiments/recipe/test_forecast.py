from types import SimpleNamespace

import keras
import pytest

from onecycle_cli.config import load_config
from onecycle_cli.errors import DataError
from onecycle_cli.experiments.recipe.forecast import Work, forecast
from onecycle_cli.experiments.recipe.pace import Pace

STEPS_ONLY = Pace(step=1, start=0, replicate=0, validation=0, saving=0, drawing=0)


def bench(small, steps_per_epoch=200, *, validates=True, **sections):
    return SimpleNamespace(
        config=load_config(small(**sections)),
        steps_per_epoch=steps_per_epoch,
        model=SimpleNamespace(optimizer=keras.optimizers.SGD()),
        dataset=SimpleNamespace(validates=validates),
    )


def test_every_part_counts():
    work = Work(steps=10, starts=4, replicates=2, validations=3, savings=1)
    pace = Pace(step=1, start=10, replicate=100, validation=1e3, saving=1e4, drawing=1e5)
    assert work.seconds(pace) == 10 + 40 + 200 + 3e3 + 1e4 + 1e5


@pytest.mark.parametrize(
    ("stage", "sections", "steps"),
    [
        ("find-lr", {"find_lr": {"steps": "auto", "repeats": 3}}, 600),
        ("find-lr", {"find_lr": {"method": "probes"}}, 600),
        ("find-lr", {"find_lr": {"method": "probes", "budget": 2.5}}, 1000),
        ("find-wd", {"find_wd": {"steps": "auto", "refine": True}}, (2 + 2 + 2) * 80),
        ("find-wd", {"find_wd": {"steps": 12, "refine": False}}, (2 + 2) * 12),
        ("find-momentum", {"find_momentum": {"steps": 50}}, (2 + 2) * 50),
        ("train", {"train": {"cycles": [{"epochs": 3}, {"epochs": 2}]}}, 1000),
    ],
)
def test_the_steps_of_each_stage(small, stage, sections, steps):
    cost = forecast(bench(small, **sections), STEPS_ONLY, stage)
    assert (cost.steps, cost.seconds) == (steps, steps)


@pytest.mark.parametrize(("steps", "passes"), [(200, 0), (201, 4)])
def test_longer_trials_are_judged_on_the_validation_split(small, steps, passes):
    pace = Pace(step=0, start=0, replicate=0, validation=1, saving=0, drawing=0)
    config = {"find_wd": {"steps": steps, "refine": False}}
    assert forecast(bench(small, **config), pace, "find-wd").seconds == passes


def test_longer_trials_are_refused_beforehand_where_there_is_nothing_to_judge_them_by(small):
    config = {"find_wd": {"steps": 201, "refine": False}}
    with pytest.raises(DataError, match="judged on validation data, and there are none"):
        forecast(bench(small, validates=False, **config), STEPS_ONLY, "find-wd")


def test_training_validates_each_epoch_and_saves(small):
    pace = Pace(step=0, start=0, replicate=0, validation=1, saving=10, drawing=0)
    found = forecast(bench(small, train={"cycles": [{"epochs": 3}]}), pace, "train")
    assert found.seconds == (3 + 1) * (1 + 10)
