"""What is known of a recipe before Keras starts."""

import pytest

from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.recipe.planning import plan, warn_of_what_is_on_file
from onecycle_cli.runs import files


def planned(small, listener, *skip, out=None, **train):
    config = load_config(small(train={"max_lr": "auto"} | train))
    return plan(config, out, listener, skip)


def pending(recipe):
    return [stage.name for stage in recipe.pending]


def test_all_is_searched_that_the_config_leaves_open(small, listener):
    assert pending(planned(small, listener)) == ["find-lr", "find-wd", "find-momentum", "train"]
    fixed = planned(small, listener, max_lr=0.1, momentum={"max": 0.9, "min": 0.8})
    assert pending(fixed) == ["find-wd", "train"]
    assert fixed.stages["find-momentum"].value == {"max": 0.9, "min": 0.8}
    assert fixed.stages["find-momentum"].note == "train.momentum, file"
    assert fixed.suggestions() == {"max_lr": {"value": 0.1, "conditions": {}}} | {
        "momentum": {"value": {"max": 0.9, "min": 0.8}, "conditions": {}}
    }


def test_a_rate_is_searched_only_if_a_stage_needs_it(small, listener):
    own = [{"epochs": 1, "max_lr": 0.1}]
    assert pending(planned(small, listener, cycles=own))[0] == "find-lr"
    alone = planned(small, listener, "find-wd", "find-momentum", cycles=own)
    assert pending(alone) == ["train"]
    assert alone.stages["find-lr"].note == "each cycle has a max_lr of its own"
    search = planned(small, listener, "find-wd", "find-momentum", "train", cycles=own)
    assert pending(search) == ["find-lr"]


def test_a_default_is_no_suggestion(small, listener):
    recipe = planned(small, listener, "find-wd", "find-momentum")
    stage = recipe.stages["find-momentum"]
    assert (stage.value, stage.is_default) == ({"max": 0.95, "min": 0.85}, True)
    assert stage.note == "left out; the default 0.95 to 0.85 is used"
    assert recipe.suggestions() == {}


@pytest.mark.parametrize(
    ("skip", "sentence"),
    [
        (["find-it"], "--skip find-it: must be one of find-lr, find-wd, find-momentum, train."),
        (["find-lr"], "train.max_lr is auto and there is no suggestion yet"),
        (["find-lr", "find-wd", "find-momentum", "train"], "nothing is left to do"),
    ],
)
def test_what_can_not_be_left_out(small, listener, skip, sentence):
    with pytest.raises(ConfigError) as error:
        planned(small, listener, *skip)
    assert sentence in str(error.value)


def test_what_is_left_out_may_be_on_file_and_other_conditions_are_named(small, listener, tmp_path):
    entry = {"value": 0.3, "run": "small/find-lr/004", "conditions": {"batch_size": 32}}
    files.write_yaml(tmp_path / "small/suggestions.yaml", {"max_lr": entry})
    recipe = planned(small, listener, "find-lr", out=tmp_path)
    recipe.conditions = {"batch_size": 64}
    warn_of_what_is_on_file(recipe, load_config(small(train={"max_lr": "auto"})), listener)

    assert recipe.suggestions()["max_lr"]["run"] == "small/find-lr/004"
    assert listener.warnings == [
        "the suggested max_lr was made under other conditions: batch_size 32, now 64; run "
        "'onecycle find-lr CONFIG' again to be sure."
    ]


def test_a_rate_of_another_optimizer_is_not_left_to_a_recipe(small, listener, tmp_path):
    entry = {"value": 0.3, "run": "small/find-lr/004", "conditions": {"optimizer": "adam"}}
    files.write_yaml(tmp_path / "small/suggestions.yaml", {"max_lr": entry})
    with pytest.raises(ConfigError, match="found with the optimizer adam, not sgd"):
        planned(small, listener, "find-lr", out=tmp_path)
    config = load_config(small(train={"max_lr": "auto"}))
    recipe = plan(config, tmp_path, listener, ["find-lr"], force=True)
    assert recipe.stages["find-lr"].value == 0.3
    assert planned(small, listener, out=tmp_path).stages["find-lr"].value is None
