"""`onecycle run`: what the user sees, and that a kill costs one stage only."""

import json
import re
import signal
import time

import pytest

from onecycle_cli.config.editors import SCHEMA_FILE

STAGES = ["find-lr", "find-wd", "find-momentum", "train"]
FILES = [
    "find-lr/001/curve.csv", "find-wd/001/curves.csv", "find-momentum/001/curves.csv",
    "train/001/steps.csv", "train/001/history.csv",
]  # fmt: skip


def stages_of(folder):
    path = folder / "recipe.json"
    return json.loads(path.read_text())["stages"] if path.exists() else {}


def wait_for(process, folder, stage):
    deadline = time.monotonic() + 180
    while stages_of(folder).get(stage, {}).get("status") != "running":
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.harness
def test_a_recipe_ended_in_any_way_is_taken_up_to_the_same_bytes(
    config, small, start, invoke, own_folders
):
    """Whole in this process; the others killed, and asked to end, within their second stage."""
    ends = {"killed": signal.SIGKILL, "ctrl-c": signal.SIGINT, "sigterm": signal.SIGTERM}
    started = {name: start("run", config, *small, "--out", name) for name in ends}
    for name, process in started.items():
        wait_for(process, own_folders / name / "digits/run/001", "find-wd")
        process.send_signal(ends[name])
    ended = {name: process.communicate(timeout=120) for name, process in started.items()}

    assert [p.returncode for p in started.values()] == [-9, 130, 143], ended
    for name, word in (("ctrl-c", "interrupted"), ("sigterm", "terminated")):
        assert ended[name][1].splitlines()[-1] == (
            f"onecycle: {word}; what is finished is kept; 'onecycle run --resume "
            f"{own_folders}/{name}/digits/run/001' goes on."
        )
    whole = invoke("run", config, *small, "--out", "whole")
    assert whole.exit_code == 0, whole.output
    for name in ends:
        resumed = invoke("run", "--resume", f"{name}/digits")
        assert resumed.exit_code == 0, resumed.output
        stages = stages_of(own_folders / name / "digits/run/001")
        assert [stage["status"] for stage in stages.values()] == ["done"] * 4
        assert stages["find-lr"]["folder"] == "digits/find-lr/001"
        assert values(resumed) == values(whole)
        for file in FILES:
            stage = file.partition("/")[0]
            ours = own_folders / name / stages[stage]["folder"] / file.rpartition("/")[2]
            assert ours.read_bytes() == (own_folders / "whole/digits" / file).read_bytes()


def values(outcome):
    """Return the first cells of each stage's row, without the run's number and the times."""
    lines = outcome.stdout.splitlines()[1:5]
    assert [line.split()[0] for line in lines] == STAGES
    return [re.sub(r" +[\d.]+ (s|min) .*", "", line) for line in lines]


def test_a_dry_run_predicts_and_writes_nothing(config, small, invoke, own_folders, rows):
    outcome = invoke("run", config, *small, "--dry-run", "--skip", "find-momentum")

    assert outcome.exit_code == 0, outcome.output
    shown = rows(outcome.stdout)
    assert list(shown) == [*STAGES, "in all"]
    assert shown["find-momentum"] == "skipped: left out; the default 0.95 to 0.85 is used"
    assert shown["train"].startswith("at most 12 steps = 2 epochs = 100 % of the configured trai")
    assert re.search(r", about \d+ s( |$)", shown["in all"])
    assert {p.name for p in own_folders.iterdir()} == {"digits.yaml", SCHEMA_FILE}


def test_the_summary_shows_values_runs_costs_and_the_forecast(
    config, small, invoke, own_folders, rows
):
    fixed = ["--set", "train.max_lr=0.1", "--skip", "find-momentum"]
    outcome = invoke("run", config, *small, *fixed)

    assert outcome.exit_code == 0, outcome.output
    lines = outcome.stdout.splitlines()
    assert lines[0].split() == [
        "stage", "value", "verdict", "time", "predicted",
    ]  # fmt: skip
    assert max(map(len, lines[:6])) <= 80
    assert lines[1].split() == ["find-lr", "0.1", "skipped"]
    assert lines[5].startswith("in all")
    shown = rows(outcome.stdout)
    result = json.loads((own_folders / "runs/digits/run/001/result.json").read_text())
    assert shown["test"].startswith(f"accuracy {result['test_accuracy']:.2%}, loss ")
    assert shown["saved in"] == "runs/digits/run/001"
    ended = [line for line in outcome.stderr.splitlines() if line.startswith("train: accuracy ")]
    assert ended == [line for line in ended if line.endswith(" s, digits/train/001")]
    assert outcome.stderr.splitlines()[-1] == "next: onecycle evaluate runs/digits/train/001"
    assert invoke("plot", "runs/digits/run/001").exit_code == 0
    again = invoke("run", config, *small, "--resume", "runs/digits/run/001",
                   "--set", "train.max_lr=0.1")  # fmt: skip
    assert (again.exit_code, again.stdout.splitlines()[:6]) == (0, lines[:6])


def test_a_refusal_ends_with_code_3_and_says_what_to_do(config, small, invoke):
    flat = ["--set", "find_lr={min_lr: 1e-9, max_lr: 1e-8, steps: 40, repeats: 1}"]
    outcome = invoke("run", config, *small, *flat)

    assert outcome.exit_code == 3
    assert outcome.stderr.splitlines()[-1] == (
        "no learning rate was found, so nothing was trained; change what the reason says and run "
        "again, or set train.max_lr to a number."
    )
    assert "never_" in outcome.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--skip", "find-it"], "--skip find-it: must be one of find-lr, find-wd, find-momentum"),
        (["--skip", "find-lr"], "digits: train.max_lr is auto and there is no suggestion yet"),
        (["--resume", "runs/digits"], "runs/digits: holds no unfinished recipe"),
    ],
)
def test_bad_usage(config, invoke, own_folders, arguments, sentence):
    outcome = invoke("run", config, *arguments)
    assert outcome.exit_code == 2
    assert outcome.stderr.startswith(f"onecycle: {sentence}")
    assert {p.name for p in own_folders.iterdir()} == {"digits.yaml", SCHEMA_FILE}
