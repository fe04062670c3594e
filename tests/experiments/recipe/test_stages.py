import json

import pytest

from onecycle_cli.config import load_config
from onecycle_cli.errors import ResultError
from onecycle_cli.experiments.recipe.planning import plan
from onecycle_cli.experiments.recipe.stages import Recipe, Stage, total
from onecycle_cli.runs import files


@pytest.fixture
def config(small):
    return load_config(small(train={"max_lr": "auto"}))


def test_a_recipe_is_read_as_it_was_written(config, listener, tmp_path):
    recipe = plan(config, None, listener, ["find-wd"])
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
def test_a_damaged_recipe_is_refused(config, listener, tmp_path, change, sentence):
    data = plan(config, None, listener).as_dict()
    change(data)
    (tmp_path / "recipe.json").write_text(json.dumps(data))
    with pytest.raises(ResultError) as error:
        Recipe.read(tmp_path)
    assert sentence in str(error.value)


def test_sums():
    assert total([]) == {"steps": 0, "epochs": 0, "training_runs": 0, "seconds": 0}
    cost = {"steps": 2, "epochs": 0.5, "training_runs": 0.25, "seconds": 1.5}
    assert total([cost, {}, cost])["seconds"] == 3.0
