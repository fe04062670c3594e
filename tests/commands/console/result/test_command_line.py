import shlex

import pytest

from onecycle_cli.commands.console.result import command_line
from onecycle_cli.commands.console.result.command_line import CommandLine, after, in_lines, program
from onecycle_cli.config import load_config

BASE = {"name": "d", "dataset": {"name": "digits"}, "model": {"name": "mlp"}}
TYPED = CommandLine("c d.yaml", ["train.max_lr=0.1", "find_wd.values=[0, 1]"], "s3://b/runs", 3)


@pytest.fixture(autouse=True)
def on_the_path(monkeypatch):
    monkeypatch.setattr(command_line.sys, "argv", ["/usr/bin/onecycle"])
    monkeypatch.setattr(command_line.shutil, "which", lambda name: f"/usr/bin/{name}")


def config(**train):
    return load_config(BASE | {"train": train})


@pytest.mark.parametrize(
    ("kind", "train", "following"),
    [
        ("find-lr", {}, "find-wd"),
        ("find-wd", {}, "find-momentum"),
        ("find-momentum", {}, "train"),
        ("find-lr", {"weight_decay": 0.0}, "find-momentum"),
        ("find-lr", {"weight_decay": 0.0, "momentum": {"max": 0.9, "min": 0.8}}, "train"),
        ("find-wd", {"momentum": {"max": 0.9, "min": 0.8}}, "train"),
    ],
)
def test_what_follows_is_the_next_that_the_config_leaves_open(kind, train, following):
    assert after(kind, config(**train), CommandLine("d.yaml")) == ["onecycle", following, "d.yaml"]


def test_the_next_command_has_all_that_was_typed():
    assert shlex.join(after("find-lr", config(), TYPED)) == (
        "onecycle find-wd 'c d.yaml' --set train.max_lr=0.1 --set 'find_wd.values=[0, 1]' "
        "--out s3://b/runs --seed 3"
    )
    assert after("find-lr", config(), CommandLine())[2:] == ["CONFIG"]


@pytest.mark.parametrize("room", [40, 60, 80, None])
def test_a_long_command_line_can_be_copied_from_any_window(room):
    words = after("find-lr", config(), TYPED)
    lines = in_lines(words, room)
    assert shlex.split("\n".join(lines).replace("\\\n", "")) == words
    assert not any(line.endswith(("--set \\", "--out \\", "--seed \\")) for line in lines)
    if room is None:
        assert len(lines) == 1
    else:
        assert max(map(len, lines)) <= room


@pytest.mark.parametrize(
    ("started", "found", "words"),
    [
        ("/usr/bin/onecycle", "/usr/bin/onecycle", ["onecycle"]),
        (".venv/bin/onecycle", None, [".venv/bin/onecycle"]),
        (".venv/bin/onecycle", "/usr/bin/onecycle", [".venv/bin/onecycle"]),
        ("/x/onecycle_cli/__main__.py", None, ["python", "-m", "onecycle_cli"]),
        ("/usr/bin/pytest", None, ["onecycle"]),
    ],
)
def test_the_program_is_called_as_it_was(monkeypatch, started, found, words):
    monkeypatch.setattr(command_line.sys, "argv", [started])
    monkeypatch.setattr(command_line.shutil, "which", lambda _: found)
    assert program() == words
