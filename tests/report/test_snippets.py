import pytest
import yaml

from onecycle_cli.report.document import Code
from onecycle_cli.report.snippets import snippets


def yaml_of(record):
    (code,) = [p for p in snippets(record) if isinstance(p, Code) and p.title == "YAML"]
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


def test_cycles_of_several_rates_have_no_rate_in_common(made):
    assert "max_lr" not in yaml_of(made["train"](max_lr=[0.1, 0.01]))["train"]


@pytest.mark.parametrize("verdict", ["never_descended", "non_finite"])
def test_a_refusal_has_nothing_to_paste(made, verdict):
    refused = {"value": None, "interval": None, "verdict": verdict, "reason": ""}
    assert snippets(made["find-lr"](found=refused)) == []
