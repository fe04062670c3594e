"""What is known of a recipe before Keras starts."""

import json

import pytest

from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError, ResultError
from onecycle_cli.experiments.recipe.stages import (
    Recipe,
    Stage,
    find_recipe,
    plan,
    total,
    warn_of_what_is_on_file,
)
from onecycle_cli.runs import files, run_folder


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


def test_a_recipe_is_read_as_it_was_written(small, listener, tmp_path):
    recipe = planned(small, listener, "find-wd")
    recipe.stages["find-lr"] = Stage("find-lr", "done", value=0.1, interval=[0.05, 1 / 3])
    files.write_json(tmp_path / "recipe.json", recipe.as_dict())
    assert Recipe.read(tmp_path) == recipe


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda data: data.pop("stages"), "is damaged"),
        (lambda data: data["stages"].pop("train"), "is damaged"),
        (lambda data: data.update(schema_version=99), "another version of onecycle (schema 99"),
    ],
)
def test_a_damaged_recipe_is_refused(small, listener, tmp_path, change, sentence):
    data = planned(small, listener).as_dict()
    change(data)
    (tmp_path / "recipe.json").write_text(json.dumps(data))
    with pytest.raises(ResultError) as error:
        Recipe.read(tmp_path)
    assert sentence in str(error.value)


def test_the_newest_unfinished_recipe_is_found(small, listener, tmp_path):
    config = load_config(small(train={"max_lr": "auto"}))
    for number, status in enumerate(["interrupted", "running", "done", "refused"], start=1):
        folder = run_folder.new_folder(tmp_path, "small", "run")
        assert folder.name == f"00{number}"
        recipe = plan(config, None, listener)
        recipe.status = status
        files.write_json(folder / "recipe.json", recipe.as_dict())
        files.write_yaml(folder / "config.yaml", config.model_dump())
    run_folder.new_folder(tmp_path, "small", "run")  # nothing in it yet

    for above in ("small", "small/run"):
        assert find_recipe(tmp_path / above).name == "002"
    assert find_recipe(tmp_path / "small/run/003").name == "003"
    with pytest.raises(ConfigError, match="holds no unfinished recipe; give the folder of one"):
        find_recipe(tmp_path / "elsewhere")


@pytest.mark.parametrize("kind", ["find-lr", "find-wd", "find-momentum", "train"])
def test_a_run_of_a_stage_is_no_recipe(tmp_path, kind):
    folder = run_folder.new_folder(tmp_path, "small", kind)
    files.write_json(folder / "manifest.json", {})
    with pytest.raises(
        ConfigError, match=rf"is a run of {kind} and no recipe; use 'onecycle {kind} --"
    ):
        find_recipe(folder)


def test_the_newest_recipe_has_the_highest_number(small, listener, tmp_path):
    recipe = plan(load_config(small(train={"max_lr": "auto"})), None, listener).as_dict()
    for number in (999, 1000):
        files.write_json(tmp_path / f"small/run/{number}/recipe.json", recipe)
    assert find_recipe(tmp_path / "small").name == "1000"


def test_sums():
    assert total([]) == {"steps": 0, "epochs": 0, "training_runs": 0, "seconds": 0}
    cost = {"steps": 2, "epochs": 0.5, "training_runs": 0.25, "seconds": 1.5}
    assert total([cost, {}, cost])["seconds"] == 3.0
