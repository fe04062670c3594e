"""The command line, in this process; only what needs a process of its own gets one."""

import json
import os
import subprocess
import sys
from contextlib import chdir
from functools import cache
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner

from onecycle_cli.main import app

SMALL = [
    "--set", "dataset.limit=400",
    "--set", "model.options={hidden: 16, layers: 1}",
    "--set", "find_lr={steps: 40, repeats: 2}",
    "--set", "find_momentum={values: [0.8, 0.9], steps: 12, repeats: 1}",
    "--set", "find_wd={values: [1e-3, 1e-5], steps: 12, repeats: 1}",
    "--set", "train.cycles=[{epochs: 2}]",
]  # fmt: skip


@pytest.fixture(autouse=True)
def own_folders(tmp_path, monkeypatch):
    monkeypatch.delenv("ONECYCLE_DATA", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "caches/keras"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    monkeypatch.setenv("COLUMNS", "100")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


@pytest.fixture(scope="session")
def small():
    """Options that make digits a matter of a second."""
    return SMALL


@pytest.fixture(scope="session")
def invoke():
    """Run a command line in this process."""
    return run_here


def run_here(*arguments):
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def config(invoke):
    """Write the config that `init` writes, and return its path."""
    assert invoke("init").exit_code == 0
    return "digits.yaml"


@pytest.fixture(scope="session")
def chain(tmp_path_factory, with_pictures):
    """A user's usual way through: the folder, and each command's outcome by name."""
    folder = tmp_path_factory.mktemp("chain")
    outcomes = {}
    with chdir(folder), with_pictures():
        outcomes["init"] = run_here("init")
        outcomes["preview"] = run_here("plot", "digits.yaml", "--set", "dataset.limit=400")
        for command in ("find-lr", "find-wd", "find-momentum", "train"):
            outcomes[command] = run_here(command, "digits.yaml", *SMALL)
        outcomes["preview again"] = run_here("plot", "digits.yaml", "--set", "dataset.limit=400")
    return folder, outcomes


@pytest.fixture(scope="session")
def rows():
    """Read the two columns that a command prints."""
    return read_rows


def read_rows(stdout):
    lines = [line for line in stdout.splitlines() if "  " in line]
    return {name: value for name, _, value in (_split(line) for line in lines)}


def _split(line):
    name, gap, value = line.strip().partition("  ")
    return name, gap, value.strip()


@pytest.fixture(scope="session")
def answer_of():
    """Return what a command answered to `--json`: one line, as the documented schema has it."""
    return read_answer


def read_answer(outcome):
    (line,) = outcome.stdout.splitlines()
    found = json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    schema = json.loads(schema_text())
    answers = [name for name, answer in schema["$defs"].items() if describes(answer, found)]
    assert answers, f"nothing describes {line}"
    errors = [list(validator(name).iter_errors(found)) for name in answers]
    assert [] in errors, "\n".join(str(jsonschema.exceptions.best_match(e)) for e in errors)
    return found


def describes(definition, found):
    """Tell whether a definition is that of this command's answer, or of a failure."""
    command = definition.get("properties", {}).get("command")
    if command is None or ("error" in definition["properties"]) != ("error" in found):
        return False
    return found["command"] in command.get("enum", [command.get("const", found["command"])])


@cache
def schema_text():
    return (Path(__file__).parents[2] / "docs" / "json.schema.json").read_text()


@cache
def validator(name):
    schema = json.loads(schema_text())
    rule = {"$schema": schema["$schema"], "$ref": f"#/$defs/{name}", "$defs": schema["$defs"]}
    return jsonschema.Draft202012Validator(rule)


@pytest.fixture(scope="session")
def start():
    """Start a command line in a process of its own."""
    return start_process


def start_process(*arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "onecycle_cli", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONUNBUFFERED": "1"} | environment,
    )
