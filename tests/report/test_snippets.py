import pytest
import yaml

from onecycle_cli.export import keras_code, plan_of, pytorch_code
from onecycle_cli.report.document import Code
from onecycle_cli.report.snippets import snippets


def yaml_of(record):
    (code,) = [p for p in snippets(record, {}) if isinstance(p, Code) and p.title == "YAML"]
    return yaml.safe_load(code.text)


def test_a_finders_value_is_ready_to_be_pasted(made):
    assert yaml_of(made["find-lr"]()) == {"train": {"max_lr": 0.122}}
    assert yaml_of(made["find-wd"]()) == {"train": {"weight_decay": 0.0015}}


def test_a_trainings_values_are_too(made):
    assert yaml_of(made["train"]()) == {
        "train": {
            "max_lr": 0.122,
            "momentum": {"max": 0.95, "min": 0.85},
            "weight_decay": 0.0015,
        }
    }


def test_programs_are_those_that_export_writes(made):
    record, origins = made["train"](), {"train.max_lr": "suggestion of digits/find-lr/001"}
    found = {p.title: p.text for p in snippets(record, {"origins": origins}) if isinstance(p, Code)}
    plan = plan_of(record, origins)
    assert found["Keras"] == keras_code(plan).rstrip()
    assert found["PyTorch"] == pytorch_code(plan).rstrip()
    assert "suggestion of digits/find-lr/001" in found["Keras"]


def test_cycles_of_several_rates_have_no_rate_in_common(made):
    assert "max_lr" not in yaml_of(made["train"](max_lr=[0.1, 0.01]))["train"]


@pytest.mark.parametrize("verdict", ["never_descended", "non_finite"])
def test_a_refusal_has_nothing_to_paste(made, verdict):
    refused = {"value": None, "interval": None, "verdict": verdict, "reason": ""}
    assert snippets(made["find-lr"](found=refused), {}) == []
