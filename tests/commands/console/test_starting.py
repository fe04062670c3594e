"""A config that is piped in."""

import json

import pytest
from typer.testing import CliRunner

from onecycle_cli.main import app
from onecycle_cli.runs.files import read_yaml

CONFIG = "dataset: {name: digits}\nmodel: {name: 'own.py:build', options: {width: 3}}\n"
MODEL = """
def build(input_shape, num_outputs, *, width=2):
    import keras

    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Flatten(),
            keras.layers.Dense(width, "relu"),
            keras.layers.Dense(num_outputs, "softmax"),
        ]
    )
"""


@pytest.fixture
def pipe(own_folders):
    """Run a command line in this process, with a text on its standard input."""
    (own_folders / "own.py").write_text(MODEL)

    def run(text, *arguments):
        return CliRunner().invoke(app, [str(a) for a in arguments], input=text)

    return run


@pytest.mark.harness
def test_the_run_keeps_what_was_piped_in(pipe, own_folders, small):
    options = [*small[:2], *small[4:]]
    outcome = pipe(CONFIG, "find-lr", "-", *options, "--set", "find_lr.repeats=1")
    assert outcome.exit_code in (0, 3), outcome.output

    (folder,) = (own_folders / "runs").glob("*/find-lr/001")
    kept = read_yaml(folder / "config.yaml")
    assert folder.parents[1].name == kept["name"] == "digits-own"
    assert kept["model"] == {"name": f"{own_folders / 'own.py'}:build", "options": {"width": 3}}
    assert json.loads((folder / "manifest.json").read_text())["origins"]["model.name"] == "file"


def test_a_mistake_is_named_by_its_line(pipe):
    outcome = pipe(CONFIG + "batch_sise: 3\n", "train", "-")
    assert outcome.exit_code == 2
    assert "stdin, line 3: unknown key batch_sise" in outcome.stderr
    assert "did you mean 'batch_size'" in outcome.stderr


@pytest.mark.parametrize("text", ["", "3\n"])
def test_what_is_no_config_is_refused(pipe, text):
    outcome = pipe(text, "check", "-")
    assert outcome.exit_code == 2
    assert "stdin: " in outcome.stderr
