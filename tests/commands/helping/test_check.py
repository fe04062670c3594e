from types import SimpleNamespace

from onecycle_cli.commands.console.result import layout
from onecycle_cli.commands.helping.check import show


def test_a_config_is_checked_and_nothing_written(
    invoke, answer_of, config, own_folders, small, rows
):
    before = sorted(own_folders.rglob("*"))
    outcome = invoke("check", config, *small)
    assert outcome.exit_code == 0, outcome.output
    first = outcome.stdout.splitlines()[0]
    assert first == ("360 x 8 x 8 x 1 bytes, 10 classes, cross-entropy; scored by accuracy")
    assert rows(outcome.stdout)["training"] == "2 epochs of 6 steps"
    assert rows(outcome.stdout)["warnings"] == "none"

    answer = answer_of(invoke("check", config, *small, "--json"))
    assert (answer["command"], answer["preamble"]) == ("check", first)
    assert sorted(own_folders.rglob("*")) == before


def test_a_mistake_is_told_before_anything_is_built(invoke, config):
    outcome = invoke("check", config, "--set", "model.name=mlq")
    assert outcome.exit_code == 2
    assert "did you mean 'mlp'" in outcome.stderr


def test_no_line_is_broken_within_a_word(monkeypatch, capsys):
    monkeypatch.setattr(layout, "width_of", lambda stream: 40)
    preamble = "972 x 2 floats, 1 number, mean squared error; scored by R2 and mean absolute error"
    found = {"preamble": preamble, "train": 972, "validation": 108, "test": 120}
    found |= {"task": "regression", "why": "task: regression", "model": "mlp", "weights": 17_025}
    found |= {"trainable_weights": 17_025, "training_steps": 620, "steps_per_epoch": 31}
    found |= {"first_loss": 9.9, "chance_loss": 1.0, "warnings": ()}
    show(SimpleNamespace(**found))
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 40
    assert " ".join(lines).startswith(preamble)
