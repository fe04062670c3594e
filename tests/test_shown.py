import base64
import html
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from onecycle_cli import (
    ComparisonResult,
    Curve,
    Evaluation,
    FindLRResult,
    RunResult,
    Suggestion,
    TrainResult,
)
from onecycle_cli.experiments.hyper_parameters.values import Values
from onecycle_cli.experiments.recipe.stages import Recipe, Stage
from onecycle_cli.experiments.searches.jobs import Candidate
from onecycle_cli.experiments.searches.trials import Trial
from onecycle_cli.kinds import STAGES
from onecycle_cli.runs.log import Epoch
from onecycle_cli.shown import Shown
from onecycle_cli.suggest import LRFindings
from onecycle_cli.workbench.cost import Cost
from onecycle_cli.workbench.scoring.examination import Examination

PICTURE = b"\x89PNG\r\n\x1a\n a picture"
SUGGESTION = Suggestion(0.1234, (0.06, 0.25), "ok", "the loss rises above 0.3.")
VALUES = Values(0.1, {"max": 0.95, "min": 0.85}, 1e-4, 0.9, {})
COST = Cost(steps=300, epochs=2.5, training_runs=0.1, seconds=12.0)
LRS = np.geomspace(1e-5, 10, 300).tolist()
LOSSES = [*np.linspace(2.3, 1.1, 299).tolist(), 9.0]
CANDIDATE = Candidate(0.1, 0.1, VALUES.momentum, 0.0, "first")
TRIAL = Trial(CANDIDATE, 0, 300, LRS, LRS, LOSSES, np.ones(300))


class Dataset:
    name = origin = "<script>alert(1)</script>"
    classes = ("cat & dog", "fish")


def find_lr_result(folder):
    curves = [Curve(LRS, LOSSES, f"repeat {i}") for i in range(3)]
    return FindLRResult(LRFindings(SUGGESTION, 0.0123), [], curves, VALUES, COST, folder)


def comparison_result(folder):
    return ComparisonResult(SUGGESTION, [TRIAL] * 8, 0.1, {}, VALUES, COST, folder)


def train_result(folder):
    history = [Epoch(i, 1, 1.0, 1.1, 0.5) for i in range(1, 41)]
    confusion = {"confusion": [[9] * 100] * 100}
    return TrainResult(
        0.31, 0.9123, history, 38, VALUES, [0.1], COST, 900.0, None, confusion, folder
    )


def run_result(folder):
    stages = {name: Stage(name, "done", value=0.1) for name in STAGES}
    stages["train"] = Stage("train", "done", folder="small/train/001")
    return RunResult(Recipe(stages, "done"), folder)


def evaluation(folder):
    examined = Examination(np.full(1000, 0.25), np.array([[400, 100], [50, 450]]))
    return Evaluation(Path("runs/<b>/model.keras"), Dataset(), "test", examined, 3)


EXPECTED = {
    find_lr_result: """\
FindLRResult
  max_lr  0.123 (0.06 to 0.25), ok: the loss rises above 0.3.
  values  max_lr 0.1, momentum 0.95 to 0.85, weight decay 0.0001
  cost    300 steps = 2.5 epochs = 10 % of the configured training""",
    comparison_result: """\
ComparisonResult
  suggestion  0.123 (0.06 to 0.25), ok: the loss rises above 0.3.
  best        0.1
  trials      8
  values      max_lr 0.1, momentum 0.95 to 0.85, weight decay 0.0001
  cost        300 steps = 2.5 epochs = 10 % of the configured training""",
    train_result: """\
TrainResult
  test accuracy  91.23%
  test loss      0.31
  epochs         40, the best is 38
  values         max_lr 0.1, momentum 0.95 to 0.85, weight decay 0.0001
  cost           300 steps = 2.5 epochs = 10 % of the configured training""",
    run_result: """\
RunResult
  status         done
  find-lr        0.1 done
  find-wd        0.1 done
  find-momentum  0.1 done
  train          done""",
    evaluation: """\
Evaluation
  model             runs/<b>/model.keras
  data              <script>alert(1)</script>, test, 1000 examples
  accuracy          85.00%
  loss              0.25
  seen in training  3""",
}


SENTENCES = {
    find_lr_result: "Suggested max_lr: 0.123 (0.06 to 0.25). The loss rises above 0.3.",
    comparison_result: "Suggested value: 0.123 (0.06 to 0.25). The loss rises above 0.3.",
    train_result: "Trained for 40 epochs; on the test set: accuracy 91.23%, loss 0.31.",
    run_result: "The recipe is done: find-lr 0.1, find-wd 0.1, find-momentum 0.1.",
    evaluation: "On 1000 examples (test): accuracy 85.00%, loss 0.25.",
}


def pictures_in(page):
    return [base64.b64decode(data) for data in re.findall(r"data:image/png;base64,([^\"]+)", page)]


@pytest.mark.parametrize("make", EXPECTED)
def test_a_result_is_shown_in_a_few_lines(make):
    assert repr(make(None)) == EXPECTED[make]


@pytest.mark.parametrize("make", EXPECTED)
def test_every_text_is_escaped_in_a_notebook(make):
    page = make(None)._repr_html_()
    _, *facts = EXPECTED[make].splitlines()
    cells = [html.escape(cell) for fact in facts for cell in re.split("  +", fact.strip())]
    assert [cell for cell in cells if f">{cell}</t" not in page] == []
    assert f"<b>{html.escape(SENTENCES[make])}</b>" in page
    assert set(re.findall(r"<(\w+)", page)) <= {"p", "b", "table", "tr", "th", "td", "img"}


@pytest.mark.parametrize("make", SENTENCES)
def test_a_printed_result_is_a_sentence(make):
    assert str(make(None)) == SENTENCES[make]


@pytest.mark.parametrize("make", [find_lr_result, comparison_result, train_result])
def test_a_result_on_disk_shows_its_picture(make, tmp_path):
    result = make(tmp_path)
    assert pictures_in(result._repr_html_()) == []
    (tmp_path / "plot.png").write_bytes(PICTURE)
    assert pictures_in(result._repr_html_()) == [PICTURE]
    assert repr(result).splitlines()[-1].split() == ["folder", str(tmp_path)]


def test_a_recipe_shows_the_picture_of_its_training(tmp_path):
    for folder in ("run", "train"):
        (tmp_path / "small" / folder / "001").mkdir(parents=True)
    (tmp_path / "small" / "train" / "001" / "plot.png").write_bytes(PICTURE)
    page = run_result(tmp_path / "small" / "run" / "001")._repr_html_()
    assert pictures_in(page) == [PICTURE]


def test_what_is_not_on_disk_is_drawn_if_all_is_there():
    (drawn,) = pictures_in(evaluation(None)._repr_html_())
    assert drawn.startswith(b"\x89PNG") and len(drawn) > 10_000


def test_a_confusion_is_drawn_as_of_the_test_set_only_if_it_is():
    test = evaluation(None)
    validation = Evaluation(test.model, test.dataset, "validation", test.examined)
    assert pictures_in(validation._repr_html_()) == []


def test_a_curve_is_shown_by_its_ends():
    assert repr(Curve(LRS, LOSSES, "repeat 0")) == (
        "Curve\n  label           repeat 0\n  steps           300\n"
        "  learning rates  1e-05 to 10\n  losses          2.3 to 9, lowest 1.1"
    )
    assert repr(Curve([], [])) == "Curve\n  steps  0"


@pytest.mark.parametrize(
    ("suggestion", "text"),
    [
        (SUGGESTION, "0.123 (0.06 to 0.25), ok: the loss rises above 0.3."),
        (Suggestion(None, None, "never_diverged", "why."), "none, never_diverged: why."),
        (
            Suggestion({"max": 0.95, "min": 0.85}, (0.85, 0.95), "undecided", "why."),
            "0.95 to 0.85 (0.85 to 0.95), undecided: why.",
        ),
    ],
)
def test_a_suggestion_in_words(suggestion, text):
    assert str(suggestion) == text


@pytest.mark.parametrize(
    ("suggestion", "text"),
    [
        (
            Suggestion(None, None, "never_diverged", "the loss was flat."),
            "No max_lr is suggested (never_diverged). The loss was flat.",
        ),
        (
            Suggestion(0.1, None, "undecided", "the repeats disagree."),
            "Suggested max_lr: 0.1, but undecided. The repeats disagree.",
        ),
    ],
)
def test_a_suggestion_as_a_sentence(suggestion, text):
    assert suggestion.sentence("max_lr") == text


@pytest.mark.parametrize(
    ("epoch", "text"),
    [
        (
            Epoch(1, 1, 1.0, 1.1, 0.5),
            "Trained for 1 epoch; on the validation split: accuracy 50.00%, loss 1.1.",
        ),
        (
            Epoch(1, 1, 1.0, None, None),
            "Trained for 1 epoch, without any examples to judge it by.",
        ),
    ],
)
def test_a_training_without_a_test_set(epoch, text):
    values = {"test_loss": None, "test_accuracy": None, "history": [epoch]}
    assert str(replace(train_result(None), **values)) == text


def test_what_has_no_sentence_is_printed_by_its_facts():
    curve = Curve(LRS, LOSSES)
    assert str(curve) == repr(curve)
    assert "<b>Curve</b>" in curve._repr_html_()


def test_a_fact_is_one_line_and_what_is_unknown_is_left_out():
    class Thing(Shown):
        def _facts(self):
            return [("a", "x\n  y"), ("unknown", None), ("zero", 0)]

    assert repr(Thing()) == "Thing\n  a     x y\n  zero  0"
