from pathlib import Path

import pytest
from jsonschema import Draft7Validator

from onecycle_cli.config import load_config, yaml_source
from onecycle_cli.config.editors import json_schema
from onecycle_cli.config.sources import DATASETS
from onecycle_cli.config.template import template
from onecycle_cli.errors import ConfigError

ROOT = Path(__file__).parents[3]
CONFIGS = [*ROOT.glob("configs/*.yaml"), *ROOT.glob("examples/*/config.yaml")]
SMALL = "dataset: {name: digits}\nmodel: {name: mlp}\n"


@pytest.fixture(scope="module")
def schema():
    found = json_schema(["mlp", "resnet9"])
    Draft7Validator.check_schema(found)
    return found


@pytest.fixture(scope="module")
def faults(schema):
    """Return where a YAML text breaks the schema, as an editor would mark it."""
    validator = Draft7Validator(schema)

    def find(text):
        data, _ = yaml_source.parse(text)
        return list(places(validator.iter_errors(data)))

    return find


def places(errors):
    """Yield where errors are; where one of several ways must fit, where each of them does not."""
    for error in errors:
        yield ".".join(map(str, error.absolute_path))
        yield from places(error.context)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_config_here_goes_through(path):
    validator = Draft7Validator(json_schema())
    data, _ = yaml_source.parse(path.read_text())
    assert [error.message for error in validator.iter_errors(data)] == []


@pytest.mark.parametrize("dataset", DATASETS)
def test_what_init_writes_goes_through(faults, dataset):
    assert faults(template(dataset)) == []


def test_the_config_of_a_run_goes_through(schema):
    config = load_config(yaml_source.parse(SMALL)[0])
    assert [*Draft7Validator(schema).iter_errors(config.model_dump())] == []


MISTAKES = {
    "batchsize: 3": "",
    "batch_size: 0": "batch_size",
    "batch_size: many": "batch_size",
    "seed: -1": "seed",
    "precision: float16": "precision",
    "loss: hinge": "loss",
    "optimizer: sdg": "optimizer",
    "optimizer: {name: sdg}": "optimizer.name",
    "optimizer: {momentum: 1}": "optimizer.momentum",
    "train: {max_lr: yes}": "train.max_lr",
    "train: {max_lr: 0}": "train.max_lr",
    "train: {epochs: 10}": "train",
    "train: {shape: smooth}": "train.shape",
    "train: {cycles: []}": "train.cycles",
    "train: {cycles: [{epoch: 3}]}": "train.cycles.0",
    "train: {momentum: {max: 0.9}}": "train.momentum",
    "find_lr: {budget: -1}": "find_lr.budget",
    "find_lr: {rates: [0.1]}": "find_lr.rates",
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_marked_where_it_is(faults, mistake):
    assert MISTAKES[mistake] in faults(SMALL + mistake)
    with pytest.raises(ConfigError):
        load_config(yaml_source.parse(SMALL + mistake)[0])


@pytest.mark.parametrize(
    "value",
    [
        "loss: mse",
        "loss: {name: mse}",
        "loss: {name: binary_crossentropy, from_logits: true}",
        "train: {max_lr: 1e-4, momentum: {max: 0.9, min: 0.8}, weight_decay: auto}",
        "train: {also: {beta_2: [0.9, 0.99], epsilon: 1e-8}}",
        "find_lr: {budget: auto, stop_factor: null}",
        "find_lr: {budget: quick}",
        "find_lr: sweep",
        "optimizer: adam",
        "search: ray",
        "train: {shape: pytorch, shape_options: {pct_start: 0.2}}",
        "dataset: {name: digits, augment: {flip: alternate}}",
    ],
)
def test_what_a_config_may_say_is_not_marked(faults, value):
    text = value if value.startswith("dataset") else f"dataset: {{name: digits}}\n{value}"
    text += "\nmodel: {name: mlp}"
    assert faults(text) == []
    load_config(yaml_source.parse(text)[0])


def test_files_of_ones_own_may_be_named(faults):
    text = (
        "dataset: {name: data.py:load, augment: data.py:turn}\nmodel: {name: 'model.py:build'}\n"
        "optimizer: {name: mine.py}\ntrain: {shape: 'shapes.py:spike'}"
    )
    assert faults(text) == []
    assert "model.name" in faults(SMALL.replace("mlp", "no_such_model"))


def test_editors_have_something_to_show(schema):
    shown = schema["$defs"]["TrainConfig"]["properties"]
    assert shown["retries"]["description"].startswith("how often a training that diverges")
    assert "wsd" in shown["shape"]["anyOf"][0]["enum"]
    assert schema["properties"]["batch_size"]["description"]
    silent = [
        f"{name}.{key}"
        for name, part in [("Config", schema), *schema["$defs"].items()]
        for key, about in part["properties"].items()
        if "description" not in about
    ]
    assert silent == []


def test_what_stands_beside_a_reference_counts(schema):
    """In draft 7, which editors know, a reference hides its neighbours."""

    def look(part):
        if isinstance(part, list):
            return any(map(look, part))
        if not isinstance(part, dict):
            return False
        return ("$ref" in part and len(part) > 1) or any(map(look, part.values()))

    assert not look(schema)
    assert schema["properties"]["train"]["allOf"] == [{"$ref": "#/$defs/TrainConfig"}]
