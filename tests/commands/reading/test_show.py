import json

import pytest

from onecycle_cli.runs.folders.lock import locked


def test_a_finder(invoke, chain, rows):
    folder = chain[0] / "runs/digits/find-wd/001"
    outcome = invoke("show", folder)
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    shown, printed = rows(outcome.stdout), rows(chain[1]["find-wd"].stdout)
    assert shown["run"].startswith("digits/find-wd/001, done, ")
    assert shown["weight_decay"].split()[0] == printed["weight_decay, l2"]
    for name in ("verdict", "reason", "max_lr", "momentum"):
        assert shown[name] == printed[name]
    assert shown["cost"].partition(" in ")[0] == printed["cost"].partition(" in ")[0]
    assert shown["asked"] == "model mlp, data digits, optimizer sgd, batch size 64, 2 epochs"
    assert shown["picture"] == str(folder / "plot.png")
    assert "trials.csv" in shown["files"]
    assert "to continue" not in shown


def test_the_newest_run_is_the_default(invoke, chain, rows, monkeypatch):
    monkeypatch.chdir(chain[0])
    shown, printed = rows(invoke("show").stdout), rows(chain[1]["train"].stdout)
    assert shown["run"].startswith("digits/train/001, done, ")
    assert shown["saved in"] == "runs/digits/train/001"
    assert shown["test"].startswith(f"accuracy {printed['test accuracy']}, loss ")
    assert shown["max_lr"] == printed["max_lr"]
    assert shown["weight decay"] == printed["weight decay, l2"]
    latest = rows(invoke("show", "runs/digits/find-lr/latest").stdout)
    assert latest["saved in"] == "runs/digits/find-lr/001"


def test_what_is_at_work_and_what_was_killed(invoke, runs, rows):
    folder = runs / "digits/train/.002-running"
    (folder / "plot.png").write_bytes(b"live")
    with locked(folder):
        shown = rows(invoke("show", "runs/digits/train/002").stdout)
        assert shown["run"] == "digits/train/002, running, 1 min ago"
        assert shown["picture"] == "runs/digits/train/.002-running/plot.png"
    shown = rows(invoke("show").stdout)
    assert shown["run"] == "digits/train/002, interrupted, 1 min ago"
    assert shown["to continue"] == "onecycle train --resume runs/digits/train/002"


def test_a_recipe_shows_its_stages(invoke, runs, rows, answer_of):
    folder = runs / "digits/run/001"
    folder.mkdir(parents=True)
    about = {"note": "", "value": None, "is_default": False, "interval": None, "verdict": None,
             "reason": None, "folder": None, "predicted": {}, "cost": {}, "scores": {}}  # fmt: skip
    stages = {
        "find-lr": about | {"status": "done", "value": 0.1, "interval": [0.05, 0.2],
                            "verdict": "ok", "folder": "digits/find-lr/001"},
        "find-wd": about | {"status": "skipped", "value": 0.01, "note": "left out"},
        "train": about | {"status": "interrupted"},
    }  # fmt: skip
    manifest = {"status": "interrupted", "start": "2026-05-01", "end": "2026-05-01"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    recipe = {"status": "interrupted", "stages": stages}
    (folder / "recipe.json").write_text(json.dumps(recipe))
    shown = rows(invoke("show", "runs/digits/run/001").stdout)
    assert shown["find-lr"] == "done, 0.1 (0.05 to 0.2), ok, digits/find-lr/001"
    assert shown["find-wd"] == "skipped, 0.01, left out"
    assert shown["train"] == "interrupted"
    assert shown["to continue"] == "onecycle run --resume runs/digits/run/001"
    answer_of(invoke("show", "runs/digits/run/001", "--json"))


def test_a_refusal_is_shown_with_its_reason(invoke, runs, rows):
    outcome = invoke("show", "runs/digits/find-wd")
    shown = rows(outcome.stdout)
    assert (outcome.exit_code, shown["verdict"]) == (0, "never_descended")
    assert shown["reason"] == "it is flat."


@pytest.mark.parametrize(
    ("run", "sentence"),
    [("nowhere", "nowhere: there is nothing at this path"), ("runs/empty", "holds no run; ")],
)
def test_nothing_to_show(invoke, runs, run, sentence):
    (runs / "empty").mkdir()
    outcome = invoke("show", run)
    assert (outcome.exit_code, outcome.stdout) == (1, "")
    assert sentence in outcome.stderr
    assert "Traceback" not in outcome.output
