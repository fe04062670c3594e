"""Each example runs, in a fresh copy of its folder, and the tables are those of the file."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

EXAMPLES = Path(__file__).parents[1] / "examples"
CONFIGS = sorted(path.parent.name for path in EXAMPLES.glob("*/config.yaml"))
PROGRAMS = sorted(path.parent.name for path in EXAMPLES.glob("*/example.py"))
ON_PYTORCH = {"torch_dataloader"}
WRITERS = {"image_folder": "write_images.py", "table": "write_table.py"}
DONE, REFUSED = 0, 3
COMMANDS = """
import contextlib, json, os, sys
from onecycle_cli.main import app

def run(*arguments):
    try:
        app([*arguments, "config.yaml", "--quiet"])
    except SystemExit as end:
        return end.code

def codes():
    found = run("find-lr", "--quick")
    more = ["--set", "train.max_lr=0.05"] if found else []
    few = ["--set", "find_wd.values=[1e-3, 1e-5]", "--set", "find_wd.refine=false"]
    shorter = ["--set", "train.cycles=[{epochs: 2}]"]
    return [found, run("find-wd", *few, *more), run("train", *shorter, *more)]

ended = {}
for name in sys.argv[1:]:
    with contextlib.chdir(name):
        ended[name] = codes()
print(json.dumps(ended))
"""
"""The commands of the examples' READMEs, in one process, so that Keras starts once."""

pytestmark = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="not part of the distribution")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Run Python beside fresh copies of the examples' folders, and return what it says."""
    copies = tmp_path_factory.mktemp("examples")
    leftovers = shutil.ignore_patterns("__pycache__", "runs", "images", "*.csv")
    for name in (*CONFIGS, *PROGRAMS):
        shutil.copytree(EXAMPLES / name, copies / name, ignore=leftovers)

    def run_python(*arguments, folder="."):
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=copies / folder,
            env=os.environ | {"MPLBACKEND": "agg"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == DONE, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert "Error occurred" not in done.stderr  # as TensorFlow says it of what is left open
        return done

    run_python.copies = copies
    return run_python


@pytest.fixture(scope="module")
def exit_codes(run):
    """Those of the commands, by the example's name."""
    for name, script in WRITERS.items():
        run(script, folder=name)
    return json.loads(run("-c", COMMANDS, *CONFIGS).stdout.splitlines()[-1])


@pytest.mark.harness
@pytest.mark.parametrize("name", CONFIGS)
def test_a_config(name, run, exit_codes):
    folder = run.copies / name / "runs" / name
    assert (folder / "find-lr/001/plot.png").is_file()
    assert exit_codes[name] in ([DONE, DONE, DONE], [REFUSED, DONE, DONE])
    suggested = yaml.safe_load((folder / "suggestions.yaml").read_text())
    assert ("max_lr" in suggested) == (exit_codes[name][0] == DONE)
    assert "weight_decay" in suggested
    assert len((folder / "train/001/history.csv").read_text().splitlines()) == 1 + 2
    assert (folder / "train/001/model.keras").is_file()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.torch if name in ON_PYTORCH else pytest.mark.harness)
        for name in PROGRAMS
    ],
)
def test_a_program(name, run):
    settings = {
        "find_lr": {"repeats": 1, "budget": "quick"},
        "find_wd": {"repeats": 1, "values": [1e-3, 1e-5], "refine": False},
    }
    shown = "example.print = lambda result: print(repr(result))"
    script = f"import example; {shown}; example.main(epochs=2, settings={settings})"
    done = run("-c", script, folder=name)
    assert "FindLRResult" in done.stdout
    decay = re.search(r"suggestion  (\S+) ", done.stdout)[1]
    assert f"weight decay {decay}\n" in done.stdout.partition("TrainResult")[2]
    assert "epochs      2" in done.stdout


@pytest.mark.parametrize("name", [*CONFIGS, *PROGRAMS])
def test_says_what_it_is_and_how_to_run_it(name):
    text = (EXAMPLES / name / "README.md").read_text()
    commands = [f"onecycle {verb} config.yaml" for verb in ("find-lr", "find-wd", "train")]
    for command in commands if name in CONFIGS else ["python example.py"]:
        assert command in text
    assert f"[{name}]({name}/README.md)" in (EXAMPLES / "README.md").read_text()


def test_the_tables_are_those_of_the_file():
    kept = json.loads((EXAMPLES / "suggestions.json").read_text())["results"]
    assert sorted(kept) == sorted([*CONFIGS, *PROGRAMS])
    code = "import sys, json, check_suggestions as c; print(c.tables(json.load(sys.stdin)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps(kept),
        cwd=EXAMPLES,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() in (EXAMPLES / "README.md").read_text()
