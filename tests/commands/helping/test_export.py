import ast

import pytest

from onecycle_cli.config import load_config

CONFIG = """\
batch_size: 64
dataset: {name: digits}
model: {name: mlp}
optimizer: {name: sgd, nesterov: true}
loss: {name: sparse_categorical_crossentropy, from_logits: false}
train:
  cycles: [{epochs: 20}]
  max_lr: 0.1
  momentum: {max: 0.95, min: 0.85}
  weight_decay: 0.001
"""


@pytest.fixture
def run(own_folders):
    folder = own_folders / "runs/digits/train/001"
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(CONFIG)
    (folder / "result.json").write_text('{"kind": "train", "label": "digits/train/001"}')
    return folder


@pytest.mark.parametrize(
    ("to", "line"),
    [
        ((), "import keras"),
        (("--to", "keras"), "import keras"),
        (("--to", "pytorch"), "import torch"),
    ],
)
def test_code_to_paste(invoke, run, to, line):
    outcome = invoke("export", "runs/digits", *to)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    ast.parse(outcome.stdout)
    assert line in outcome.stdout.splitlines()


def test_a_config_to_train_with(invoke, run, own_folders):
    outcome = invoke("export", run, "--to", "yaml", "--out", "found.yaml")
    assert outcome.stdout == "wrote found.yaml\n"
    config = load_config(own_folders / "found.yaml")
    assert (config.train.max_lr, config.train.weight_decay) == (0.1, 0.001)

    again = invoke("export", run, "--out", "found.yaml")
    assert again.exit_code == 2
    assert "found.yaml is there already" in again.stderr


def test_the_values_for_programs(invoke, answer_of, run):
    answer = answer_of(invoke("export", run, "--to", "pytorch", "--json"))
    assert answer.pop("text").startswith("# digits/train/001, exported by onecycle")
    assert answer == {
        "schema_version": 1,
        "command": "export",
        "run": "digits/train/001",
        "to": "pytorch",
        "max_lr": [0.1],
        "momentum": {"max": 0.95, "min": 0.85},
        "weight_decay": 0.001,
        "decay": "l2",
        "file": None,
    }


def test_a_run_that_is_not_there(invoke):
    outcome = invoke("export", "runs/nothing")
    assert outcome.exit_code == 1
    assert outcome.stderr.startswith("onecycle: runs/nothing: there is nothing at this path")
