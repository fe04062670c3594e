import json
import sys

import pytest
import typer
from typer.testing import CliRunner

from onecycle_cli.commands.console.answering import Answering
from onecycle_cli.commands.console.as_json import print_json
from onecycle_cli.commands.console.ending import REFUSED, presented
from onecycle_cli.commands.console.options import AsJson
from onecycle_cli.errors import ConfigError, DataError

app = typer.Typer(cls=Answering, rich_markup_mode="markdown")


@app.command("do")
def do_command(what: str, *, number: int = 0, as_json: AsJson = False) -> None:
    with presented():
        print("for a person")
        if what == "fail":
            raise DataError("it is damaged.\nAnd more.")
        if what == "misuse":
            raise ConfigError("not so.")
        if what == "break":
            raise KeyboardInterrupt
        if what == "crash":
            raise ValueError("odd")
        if as_json:
            print_json("do", {"what": what})
            print("and more")
    if what == "refuse":
        raise typer.Exit(REFUSED)


@app.command("other")
def other_command() -> None:
    """Make the app one of several commands."""


def invoked(*arguments):
    outcome = CliRunner().invoke(app, [str(a) for a in arguments])
    return outcome.exit_code, outcome.stdout, outcome.stderr


@pytest.mark.parametrize(("what", "code"), [("well", 0), ("refuse", 3)])
def test_stdout_holds_the_answer_and_stderr_what_a_person_reads(what, code):
    exit_code, out, err = invoked("do", what, "--json")
    assert (exit_code, json.loads(out)["what"], out.count("\n")) == (code, what, 1)
    assert err == "for a person\nand more\n"
    assert invoked("do", what) == (code, "for a person\n", "")


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["fail"], 1, "it is damaged.\nAnd more."),
        (["misuse"], 2, "not so."),
        (["break"], 130, "interrupted."),
        (["crash"], 1, "ValueError: odd (--verbose shows where)"),
    ],
)
def test_a_failure_is_an_answer_too(arguments, code, message):
    exit_code, out, err = invoked("do", *arguments, "--json")
    assert exit_code == code
    assert json.loads(out) == {
        "schema_version": 1,
        "command": "do",
        "error": {"message": message, "exit_code": code},
    }
    plain_code, plain_out, plain_err = invoked("do", *arguments)
    assert (plain_code, plain_out) == (code, "for a person\n")
    assert err == "for a person\n" + plain_err


@pytest.mark.parametrize(
    ("arguments", "command", "words"),
    [
        (["do", "--json"], "do", "Missing argument"),
        (["do", "well", "--json", "--nope"], "do", "--nope"),
        (["do", "well", "--number", "many", "--json"], "do", "--number"),
        (["dew", "--json"], "dew", "dew"),
    ],
)
def test_bad_usage_is_an_answer_too(arguments, command, words):
    exit_code, out, err = invoked(*arguments)
    found = json.loads(out)
    assert (exit_code, found["error"]["exit_code"], found["command"]) == (2, 2, command)
    assert words in found["error"]["message"]
    assert "Usage" in err
    without = [a for a in arguments if a != "--json"]
    assert invoked(*without)[:2] == (2, "")


def test_stdout_is_given_back():
    before = sys.stdout
    invoked("do", "crash", "--json")
    assert sys.stdout is before
    assert invoked("do", "well")[1] == "for a person\n"


def test_of_several_processes_the_chief_answers(monkeypatch):
    for name, value in (("JOB_ADDRESSES", "127.0.0.1:1"), ("NUM_PROCESSES", "2")):
        monkeypatch.setenv(f"KERAS_DISTRIBUTION_{name}", value)
    answers = []
    for place in ("0", "1"):
        monkeypatch.setenv("KERAS_DISTRIBUTION_PROCESS_ID", place)
        answers += [invoked("do", what, "--json")[1] for what in ("well", "fail")]
    assert [bool(text) for text in answers] == [True, True, False, False]
