import platform
import re
from importlib.metadata import version
from itertools import pairwise

import pytest
from typer.testing import CliRunner

from onecycle_cli.main import app

pytestmark = pytest.mark.lowest

COMMANDS = [
    "find-lr", "find-momentum", "find-wd", "train", "run", "evaluate", "ls", "show", "suggest",
    "plot", "report", "init", "list",
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


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command):
    outcome = invoke(command, "--help", columns="60")
    assert outcome.exit_code == 0
    assert f"Usage: onecycle {command} " in outcome.stdout
    assert "Docs: docs/" in outcome.stdout


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
