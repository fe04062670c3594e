import platform
import re
import shlex
import subprocess
import sys
from importlib.metadata import version
from itertools import pairwise

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from onecycle_cli.commands.console.usage.examples import EXAMPLES
from onecycle_cli.main import app

pytestmark = pytest.mark.lowest

COMMANDS = [
    "find-lr", "find-wd", "find-momentum", "train", "run", "evaluate", "ls", "show", "suggest",
    "plot", "report", "export", "check", "doctor", "init", "schema", "list",
]  # fmt: skip


def invoke(*arguments, columns="80"):
    return CliRunner(env={"COLUMNS": columns, "TERM": "dumb"}).invoke(app, arguments)


def test_help_names_every_command_and_the_exit_codes():
    outcome = invoke("--help")
    text = " ".join(outcome.stdout.split())

    assert outcome.exit_code == 0
    assert re.findall(r"^│ ([a-z][a-z-]*) +[A-Z]", outcome.stdout, re.M) == COMMANDS
    assert "130 after Ctrl-C; 143 after SIGTERM." in text
    assert invoke("-h").stdout == outcome.stdout
    assert invoke().exit_code == 2


def words(outcome):
    return set(re.sub("[│╭╮╰╯─]", " ", outcome.stdout).split())


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command):
    outcome = invoke(command, "--help", columns="60")
    assert outcome.exit_code == 0
    assert f"Usage: onecycle {command} " in outcome.stdout
    assert max(map(len, outcome.stdout.splitlines())) <= 60
    wide = invoke(command, "--help", columns="300")
    assert words(outcome) <= words(wide)  # none is broken
    assert "Examples:" in outcome.stdout
    assert "<bool>" not in outcome.stdout
    assert "docs/" not in outcome.stdout  # which nobody has who has installed a wheel


@pytest.mark.parametrize("name", ["onecycle", *COMMANDS])
def test_every_example_is_one_that_the_command_takes(name):
    for example in EXAMPLES[name]:
        assert len(f" * {example}") <= 78
        program, command, *words = shlex.split(example)
        assert (program, name) in {("onecycle", command), ("onecycle", "onecycle")}
        assert get_command(app).commands[command].make_context(command, words)
    shown = " ".join(invoke(*([] if name == "onecycle" else [name]), "--help").stdout.split())
    assert all(example in shown for example in EXAMPLES[name])


def test_completion_can_be_installed():
    assert "--install-completion" in invoke("--help").stdout


@pytest.mark.parametrize("command", ["find-lr", "find-momentum", "find-wd", "train", "run"])
def test_paragraphs_are_wrapped_where_the_window_ends(command):
    """A docstring's own line breaks would leave a ragged text."""
    text = invoke(command, "--help").stdout.partition("╭")[0]
    paragraph = [line.rstrip() for line in text.splitlines()][5:]
    lines = paragraph[: paragraph.index("")]
    for line, following in pairwise(lines):
        assert len(line) + 1 + len(following.split()[0]) > 79, text


def test_the_common_options():
    for command in ("find-lr", "find-momentum", "find-wd", "train", "run"):
        text = invoke(command, "--help").stdout
        for option in ("--set", "--out", "--seed", "--quiet", "--verbose", "--no-progress"):
            assert option in text


def test_version_names_all_that_decides_the_bits():
    outcome = invoke("--version")
    assert outcome.exit_code == 0
    assert outcome.stdout == (
        f"onecycle {version('onecycle-cli')}, Keras {version('keras')} on tensorflow "
        f"{version('tensorflow')}, Python {platform.python_version()}\n"
    )


def test_at_exit_nobody_waits_for_garbage_to_be_found():
    """It took two seconds of a processor, with all of Keras in memory."""
    script = (
        "import atexit, gc, sys; atexit.register(lambda: print(gc.get_freeze_count() > 1000)); "
        "from onecycle_cli.main import run; sys.argv = ['onecycle', '--version']; run()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "True"
