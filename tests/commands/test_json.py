"""What commands answer to `--json` is what docs/json.schema.json and docs/json.md say."""

import json
import re
from pathlib import Path

import jsonschema
import pytest
import typer.main

from onecycle_cli.main import app

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((DOCS / "json.schema.json").read_text())
COMMANDS = typer.main.get_command(app).commands
MODEL = """
import keras

def build(input_shape, num_classes):
    print("while building")
    layers = [keras.layers.Flatten(), keras.layers.Dense(num_classes, activation="softmax")]
    return keras.Sequential([keras.Input(input_shape), *layers])
"""
KINDS = ["find-lr", "find-wd", "find-momentum", "train"]


def test_the_schema_is_one_and_accepts_no_other_key():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    loose = [name for name, rule in SCHEMA["$defs"].items()
             if "properties" in rule and rule.get("additionalProperties") is not False]  # fmt: skip
    assert loose == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_can_answer_and_its_answer_is_described(command):
    assert any("--json" in parameter.opts for parameter in COMMANDS[command].params)
    rules = [rule["properties"]["command"] for name, rule in SCHEMA["$defs"].items()
             if name != "failure" and "command" in rule.get("properties", {})]  # fmt: skip
    assert any(command in rule.get("enum", [rule.get("const")]) for rule in rules)


def test_the_page_says_of_each_key_what_the_schema_says():
    page = (DOCS / "json.md").read_text()
    keys = list(described(SCHEMA["$defs"]))
    assert len(keys) > 100
    missing = [row for row in keys if row not in page]
    assert missing == []
    rows = re.findall(r"^\| `.*", page, re.MULTILINE)
    assert [row for row in rows if row not in keys] == []


def described(definitions):
    """Yield the row that the page has for each key."""
    for inner in definitions.values():
        for key, rule in walked(inner):
            if "description" in rule:
                yield f"| `{key}` | {rule['description']} |"


def walked(rule):
    for key, inner in rule.get("properties", {}).items():
        yield key, inner
        yield from walked(inner)
    inner_rules = [*rule.get("anyOf", []), *([rule["items"]] if "items" in rule else [])]
    for inner in inner_rules:
        yield from walked(inner)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_shown_as_it_was_recorded(invoke, chain, answer_of, kind):
    folder = chain[0] / "runs/digits" / kind / "001"
    found = answer_of(invoke("show", folder, "--json"))
    result = json.loads((folder / "result.json").read_text())
    assert found["suggestion"] == result.get("suggestion")
    assert found["cost"]["steps"] == result["cost"]["steps"]
    assert found["pictures"][0] == str(folder / "plot.png")
    assert set(found["files"]) == {p.name for p in folder.iterdir()}
    if kind == "train":
        assert found["scores"]["test_accuracy"] == result["test_accuracy"]
        assert [v["origin"] for v in found["values"]] == [
            "suggestion of digits/find-lr/001", "suggestion of digits/find-momentum/001",
            "suggestion of digits/find-wd/001",
        ]  # fmt: skip


def test_all_runs_are_listed_the_newest_first(invoke, chain, answer_of):
    found = answer_of(invoke("ls", chain[0] / "runs", "--json"))
    assert [run["kind"] for run in found["runs"]] == ["train", "find-momentum", "find-wd",
                                                      "find-lr"]  # fmt: skip
    assert found["damaged"] == []


def test_what_reads_runs_answers(invoke, chain, answer_of, own_folders):
    runs = chain[0] / "runs"
    for arguments in (["suggest", runs / "digits"], ["suggest", runs / "digits/find-wd"]):
        answer_of(invoke(*arguments, "--json"))
    picture = answer_of(invoke("plot", runs, "--json"))
    assert (own_folders / picture["picture"]).is_file()
    assert picture["runs"] == [str(runs / "digits/train/001")]
    preview = invoke("plot", chain[0] / "digits.yaml", "--runs", runs, "--json")
    schedule = answer_of(preview)["schedule"]
    assert (schedule["unit"], schedule["steps"]) == ("learning rate", 20 * 23)
    shares = answer_of(invoke("plot", chain[0] / "digits.yaml", "--json"))["schedule"]
    assert (shares["unit"], shares["highest_lr"]) == ("share of max_lr", 1)


def test_init_and_list_answer(invoke, answer_of, own_folders):
    assert answer_of(invoke("init", "mnist", "--json"))["config"] == "mnist.yaml"
    assert (own_folders / "mnist.yaml").is_file()
    for what in ("models", "datasets", "optimizers", "shapes"):
        outcome = invoke("list", what, "--json")
        entries = answer_of(outcome)["entries"]
        names = [line.split()[0] for line in invoke("list", what).stdout.splitlines()]
        assert [entry["name"] for entry in entries] == [n for n in names if n != "options:"]
        assert outcome.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        *([[command, "nope.yaml"], 2] for command in [*KINDS, "run"]),
        [["suggest", "nowhere"], 1],
        [["evaluate", "nowhere"], 1],
        [["plot", "nowhere"], 1],
        [["show", "nowhere"], 1],
        [["ls", "nowhere"], 1],
        [["init", "digitz"], 2],
        [["list", "modles"], 2],
    ],
)
def test_every_command_answers_when_it_fails(invoke, answer_of, arguments, code):
    outcome = invoke(*arguments, "--json")
    error = answer_of(outcome)["error"]
    assert (outcome.exit_code, error["exit_code"]) == (code, code)
    assert error["message"].split()[0] in outcome.stderr


@pytest.mark.harness
def test_every_command_that_trains_answers_with_its_run(
    invoke, config, small, answer_of, own_folders
):
    for command in KINDS:
        outcome = invoke(command, config, *small, "--json")
        assert outcome.exit_code == 0, outcome.output
        found = answer_of(outcome)
        assert found["folder"] == str(own_folders / "runs/digits" / command / "001")
        assert "saved in" in outcome.stderr
        shown = answer_of(invoke("show", found["folder"], "--json"))
        assert shown == found | {"command": "show"}
    dry = answer_of(invoke("run", config, *small, "--dry-run", "--json"))
    assert [stage["stage"] for stage in dry["stages"]] == KINDS
    assert dry["predicted"]["steps"] > 100
    outcome = invoke("run", config, *small, "--json", "--skip", "find-wd", "--set",
                     "train={max_lr: 0.1, cycles: [{epochs: 1}]}")  # fmt: skip
    found = answer_of(outcome)
    assert [stage["status"] for stage in found["stages"]] == ["skipped", "skipped", "done", "done"]
    assert found["scores"]["test_accuracy"] > 0.1
    answer_of(invoke("evaluate", "runs", "--json"))


@pytest.mark.harness
def test_a_refusal_answers_with_verdict_and_reason(invoke, config, small, answer_of):
    flat = ["--set", "find_lr={min_lr: 1e-9, max_lr: 1e-8, steps: 40, repeats: 1}", "--json"]
    for command in ("find-lr", "run"):
        outcome = invoke(command, config, *small, *flat)
        found = answer_of(outcome)
        assert (outcome.exit_code, found["status"]) == (3, "refused")
        assert found["suggestion"]["value"] is None
        assert found["suggestion"]["verdict"].startswith("never_")
        assert found["suggestion"]["reason"]


def test_what_a_models_file_prints_goes_to_stderr(invoke, config, small, answer_of, own_folders):
    (own_folders / "mine.py").write_text(MODEL)
    options = [*small[:2], "--set", "model={name: mine.py:build}", "--set", "train.max_lr=0.1",
               "--set", "train.cycles=[{epochs: 1}]", "--json"]  # fmt: skip
    outcome = invoke("train", config, *options)
    assert answer_of(outcome)["status"] == "done"
    assert "while building" in outcome.stderr
