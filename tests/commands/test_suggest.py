import json
import shutil

import numpy as np
import pytest
import yaml

from onecycle_cli.registry import rules
from onecycle_cli.runs.records import read_record
from onecycle_cli.suggest import BANDWIDTH, RULES


@pytest.fixture
def runs(chain, own_folders):
    """A copy of the folder that find-lr, find-wd, find-momentum and train have written to."""
    return shutil.copytree(chain[0] / "runs", own_folders / "runs")


def files(folder):
    return {p: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_shows_what_find_lr_found_and_every_rule(invoke, runs, rows):
    before = files(runs)

    outcome = invoke("suggest", "runs/digits")

    shown = rows(outcome.stdout)
    saved = json.loads((runs / "digits/find-lr/001/result.json").read_text())
    assert outcome.exit_code == 0, outcome.output
    assert shown["run"] == "runs/digits/find-lr/001"
    assert shown["max_lr"].startswith(f"{saved['suggestion']['value']:g} (")
    assert shown["saved"] == f"{shown['max_lr']}, {shown['verdict']}"
    assert shown["min_lr"] == f"{saved['min_lr']:g}"
    assert shown["reason"] == saved["suggestion"]["reason"]
    for name, value in saved["rules"].items():
        assert shown[name].split()[0] == f"{value:.3g}"
    for i, marks in enumerate(saved["landmarks"]):
        assert shown[f"repeat {i}"].split() == [f"{v:.3g}" for v in marks.values()]
    assert files(runs) == before


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_chosen_by_name(invoke, runs, rule, rows):
    shown = rows(invoke("suggest", "runs/digits", "--rule", rule).stdout)
    assert shown["max_lr"].split()[0] == shown[rule].split()[0]
    assert RULES[rule].about in shown["reason"]


OWN_RULE = """
import numpy as np

def third(lrs, losses):
    assert isinstance(lrs, np.ndarray) and lrs.shape == losses.shape
    return lrs[len(lrs) // 3]
"""


def test_a_rule_of_ones_own_reads_the_raw_losses(invoke, runs, rows, own_folders):
    (own_folders / "mine.py").write_text(OWN_RULE)
    outcome = invoke("suggest", "runs/digits", "--rule", "mine.py:third", "--write")
    assert outcome.exit_code == 0, outcome.output
    record = read_record(runs / "digits/find-lr/001")
    thirds = [curve.lrs[len(curve.lrs) // 3] for curve in record.curves()]
    value = float(np.median(thirds))
    shown = rows(outcome.stdout)
    assert float(shown["max_lr"].split()[0]) == pytest.approx(value, rel=5e-3)
    assert shown["reason"].startswith("mine.py:third, a rule of your own (")
    entry = yaml.safe_load((runs / "digits/suggestions.yaml").read_text())["max_lr"]
    digest = rules.digest("mine.py:third")
    written = f"by the rule mine.py:third (of a file with the digest {digest}), smoothing"
    assert written in entry["reason"]
    (own_folders / "mine.py").write_text(OWN_RULE + "# another")
    outcome = invoke("suggest", "runs/digits", "--rule", "mine.py:third", "--json")
    found = json.loads(outcome.stdout)
    assert (found["schema_version"], found["command"]) == (1, "suggest")
    assert found["suggestion"]["value"] == entry["value"]
    assert found["rule_file"] != digest


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        ("return lrs[-1] * 2", 1, "rule mine.py:third must give a learning rate from "),
        ("return float('nan')", 1, "between which the losses are known; it gives nan."),
        ("return None", 1, "between which the losses are known; it gives None."),
        ("return 1 / 0", 1, "failed to suggest a learning rate: ZeroDivisionError: "),
        ("import os; os._exit(0)", 1, "os._exit(0) would end the program (mine.py, line 2)"),
        ("pass\n  def", 2, "mine.py is not valid Python: line 3: "),
    ],
)
def test_a_rule_of_ones_own_that_wont_do(invoke, runs, own_folders, body, code, message):
    (own_folders / "mine.py").write_text(f"def third(lrs, losses):\n    {body}\n")
    before = files(runs)
    outcome = invoke("suggest", "runs/digits", "--rule", "mine.py:third", "--write")
    assert (outcome.exit_code, outcome.stdout) == (code, "")
    assert message in " ".join(outcome.stderr.split())
    assert files(runs) == before


@pytest.mark.samples(1)
@pytest.mark.parametrize("asked", [["--confirm"], ["--method", "probes"]])
def test_find_lr_by_probes_is_computed_again(invoke, config, small, rows, own_folders, asked):
    outcome = invoke("find-lr", config, *small, *asked)

    shown = rows(outcome.stdout)
    folder = own_folders / "runs/digits/find-lr/001"
    saved = json.loads((folder / "result.json").read_text())
    assert outcome.exit_code == 0, outcome.output
    assert shown["max_lr"].startswith(f"{saved['suggestion']['value']:g} (")
    assert shown["first tries"] == "of 12 steps, mean loss of the last fifth"

    again = rows(invoke("suggest", "runs/digits").stdout)
    assert again["max_lr"] == shown["max_lr"]
    refused = invoke("suggest", "runs/digits", "--rule", "basin")
    assert refused.exit_code == 1
    assert "for the curves of range tests only" in " ".join(refused.stderr.split())


@pytest.mark.parametrize(
    "asked",
    [
        ["--confirm"],
        ["--set", "find_lr.rates=[0.1, 0.2]"],
        ["--set", "find_lr.confirm=true"],
    ],
)
def test_what_is_for_probes_and_sweep_exclude_each_other(invoke, config, small, asked):
    outcome = invoke("find-lr", config, *small, *asked, "--method", "sweep")
    assert outcome.exit_code == 2
    assert "leave one of them out" in " ".join(outcome.stderr.split())


def test_damaged_probes(invoke, config, small, own_folders):
    assert invoke("find-lr", config, *small, "--method", "probes").exit_code == 0
    path = own_folders / "runs/digits/find-lr/001/result.json"
    data = json.loads(path.read_text())
    for damaged in ({}, {"budget": "much"}, {"x": 1}, [1], "yes"):
        path.write_text(json.dumps(data | {"plan": damaged}))
        outcome = invoke("suggest", "runs/digits")
        assert (outcome.exit_code, outcome.stdout) == (1, "")
        assert "'plan'" in outcome.stderr


def test_json_is_a_line_for_each_run(invoke, runs):
    folders = [f"runs/digits/{kind}/001" for kind in ("find-lr", "find-wd", "find-momentum")]

    outcome = invoke("suggest", *folders, "--json")

    found = [json.loads(line) for line in outcome.stdout.splitlines()]
    assert [entry["folder"] for entry in found] == folders
    assert [entry["suggestion"] == entry["saved"] for entry in found] == [True] * 3
    assert found[0]["rules"].keys() == RULES.keys()
    assert (found[0]["smoothing"], found[0]["recomputed"]) == (BANDWIDTH, True)


def test_a_comparison_judged_on_validation_says_so(invoke, runs, rows):
    shown = rows(invoke("suggest", "runs/digits/find-wd").stdout)
    assert shown["as saved"].startswith("it can't be computed again: the trials were judged on the")
    assert "weight_decay" in shown


def test_written_only_when_asked_to(invoke, runs, rows):
    outcome = invoke("suggest", "runs/digits", "--rule", "steep", "--smooth", "0.5", "--write")

    shown = rows(outcome.stdout)
    entry = yaml.safe_load((runs / "digits/suggestions.yaml").read_text())["max_lr"]
    assert shown["written to"].endswith("runs/digits/suggestions.yaml")
    assert f"{entry['value']:g}" == shown["max_lr"].split()[0]
    assert "rule steep, smoothing 0.5" in entry["reason"]


def test_points_are_left_out_on_request(invoke, runs, rows):
    shown = rows(invoke("suggest", "runs/digits", "--skip-begin", "20", "--skip-end", "2").stdout)
    usual = rows(invoke("suggest", "runs/digits").stdout)
    assert shown["left out"] == "the first 20 and the last 2 points"
    assert "left out" not in usual
    assert shown["repeat 0"] != usual["repeat 0"]


def test_a_refusal_exits_3_and_writes_nothing(invoke, runs, rows):
    before = files(runs)

    outcome = invoke("suggest", "runs/digits", "--smooth", "1000", "--write")

    shown = rows(outcome.stdout)
    assert outcome.exit_code == 3
    assert shown["verdict"] == "never_descended"
    assert "max_lr" not in shown and "written to" not in shown
    assert files(runs) == before


def test_a_folder_of_the_seed(invoke, own_folders, rows):
    seed = own_folders / "weights"
    seed.mkdir()
    x = np.linspace(-5, 1, 60)
    np.save(seed / "lrs.npy", x)
    np.save(seed / "losses.npy", (1 + (x + 1.5) ** 2) / (1 - 0.98 ** np.arange(1, 61)))

    outcome = invoke("suggest", "weights")

    shown = rows(outcome.stdout)
    assert outcome.exit_code == 0
    assert float(shown["minimum"].split()[0]) == pytest.approx(10**-1.5, rel=0.1)
    assert "saved" not in shown


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["runs/digits", "--rule", "vally"], 2, "there is no rule 'vally'; did you mean 'valley'?"),
        (
            ["runs/digits", "--rule", "xyz"],
            2,
            "'xyz'; the known ones are middle, rebound/2, steep,",
        ),
        (["runs/digits", "--smooth", "0"], 2, "--smooth: must be a number above 0"),
        (["runs/digits", "--smooth", "nan"], 2, "--smooth: must be a number above 0"),
        (["runs/digits/find-wd", "--skip-end", "1"], 1, "for the curves of range tests only"),
        (["runs/digits", "runs/digits", "--write"], 2, "--write takes one run"),
        (["runs/digits/find-wd", "--smooth", "1"], 1, "for the curves of range tests only"),
        (["runs/digits/train"], 1, "is a run of 'train', which suggests nothing"),
        (["runs/nothing"], 1, "there is nothing at this path"),
    ],
)
def test_what_it_refuses(invoke, runs, options, code, message):
    outcome = invoke("suggest", *options)
    assert (outcome.exit_code, outcome.stdout) == (code, "")
    assert message in outcome.stderr


def test_the_help_names_every_rule_and_the_usual_width(invoke):
    text = " ".join(invoke("suggest", "--help").stdout.replace("│", " ").split())
    assert all(rule in text for rule in RULES)
    assert f"default {BANDWIDTH:g}" in text
