import os
import re
import signal

import pytest
import typer

from onecycle_cli.commands.console.ending import columns, number, presented
from onecycle_cli.errors import ConfigError, DataError


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (DataError("it is damaged."), 1, "it is damaged."),
        (ConfigError("not so."), 2, "not so."),
        (KeyboardInterrupt(), 130, "interrupted."),
        (MemoryError(), 1, "out of memory; lower batch_size or dataset.limit."),
        (ValueError("first\nsecond"), 1, "ValueError: first (--verbose shows where)"),
        (ValueError(), 1, "ValueError: no message (--verbose shows where)"),
        (type("ResourceExhaustedError", (Exception,), {})("OOM"), 1, "out of memory; lower"),
    ],
)
def test_an_error_is_one_sentence_and_a_code(capsys, error, code, sentence):
    with pytest.raises(typer.Exit) as exit_, presented():
        raise error

    assert exit_.value.exit_code == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"onecycle: {sentence}")
    assert err.count("\n") == 1


def test_each_broken_rule_is_a_line(capsys):
    with pytest.raises(typer.Exit), presented():
        raise ConfigError("a: no.\nb: neither.")
    assert capsys.readouterr().err == "onecycle: a: no.\nonecycle: b: neither.\n"


def test_verbose_shows_where(capsys):
    with pytest.raises(typer.Exit), presented(verbose=True):
        raise ValueError("odd")
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "test_ending.py" in err


def test_sigterm_is_heard_inside_and_passes_through_what_catches_errors(capsys):
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(typer.Exit) as exit_, presented():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        except (Exception, SystemExit):
            pytest.fail("it was swallowed")

    assert exit_.value.exit_code == 143
    assert capsys.readouterr().err == "onecycle: terminated.\n"
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyboardInterrupt(), ["interrupted; do this to go on."]),
        (DataError("it is damaged."), ["it is damaged.", "do this to go on."]),
    ],
)
def test_what_was_added_to_an_error_on_its_way_is_said_too(capsys, error, words):
    error.add_note("do this to go on.")
    with pytest.raises(typer.Exit), presented():
        raise error
    assert capsys.readouterr().err.splitlines() == [f"onecycle: {text}" for text in words]


def test_columns_are_as_wide_as_they_need(capsys):
    columns([("stage", "value"), ("train", ""), ("find-momentum", "0.9")])
    assert capsys.readouterr().out.splitlines() == [
        "stage          value", "train", "find-momentum  0.9",
    ]  # fmt: skip


def test_an_exit_is_left_alone():
    with pytest.raises(typer.Exit) as exit_, presented():
        raise typer.Exit(3)
    assert exit_.value.exit_code == 3


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "none"), (0.0874, "0.0874"), (1e-5, "1e-05"), (0.0861364123, "0.0861364")],
)
def test_numbers(value, text):
    assert number(value) == text


def test_a_quoted_text_gives_the_terminal_no_orders(capsys):
    with pytest.raises(typer.Exit), presented():
        raise ConfigError("a\x1b[31m\x1b[2J\x00\u202e\ud800\x85 bcü: no.")
    text = capsys.readouterr().err
    assert text == "onecycle: a\\x1b[2J\\x00\\u202e\\ud800\\x85 bcü: no.\n"


def test_of_an_endless_line_both_ends_are_shown(capsys):
    with pytest.raises(typer.Exit), presented():
        raise ConfigError("begin " + "x" * 100_000 + " end.")
    text = capsys.readouterr().err
    assert re.fullmatch(r"onecycle: begin x+ \.\.\. x+ end\.\n", text)
    assert len(text) < 1_100


@pytest.mark.parametrize(
    ("number", "code", "word"),
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_that_became_another_error_is_still_a_signal(capsys, number, code, word):
    """As native code does with what is raised within its callbacks."""
    with pytest.raises(typer.Exit) as exit_, presented():
        try:
            signal.raise_signal(number)
        except KeyboardInterrupt:
            raise DataError("a callback failed") from None

    assert exit_.value.exit_code == code
    assert capsys.readouterr().err == f"onecycle: {word}.\n"


def test_an_earlier_command_s_signal_is_forgotten(capsys):
    with pytest.raises(typer.Exit), presented():
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(typer.Exit) as exit_, presented():
        raise DataError("it is damaged.")
    assert exit_.value.exit_code == 1


def test_a_signal_that_the_process_was_told_to_ignore_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with presented():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
