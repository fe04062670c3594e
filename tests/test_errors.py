import re

import pytest

from onecycle_cli import errors

CLASSES = {
    name: found
    for name, found in vars(errors).items()
    if isinstance(found, type) and issubclass(found, Exception)
}


def test_the_tree_is_as_drawn():
    """The drawing at the top of the file: the root, and one line for each branch."""
    root, *branches = re.findall(r"^(?:[├└]── )?(\w+Error)\b", errors.__doc__, re.MULTILINE)
    assert [root, *branches] == list(CLASSES)
    assert all(CLASSES[name].__base__ is CLASSES[root] for name in branches)
    assert CLASSES[root].__base__ is Exception


@pytest.mark.parametrize("name", CLASSES)
def test_exit_codes(name):
    drawn = re.search(rf"{name} +.*", errors.__doc__)[0]
    code = re.search(r"exit code (\d)", drawn)
    assert CLASSES[name].exit_code == (int(code[1]) if code else 1)


def test_a_termination_passes_through_what_catches_errors():
    assert issubclass(errors.Terminated, KeyboardInterrupt)
    assert not issubclass(errors.Terminated, Exception)


def test_only_a_bad_config_is_bad_usage():
    assert {name for name, c in CLASSES.items() if c.exit_code == 2} == {"ConfigError"}


class MuteError(Exception):
    def __str__(self):
        raise ValueError


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (ValueError("two\n  lines"), "ValueError: two lines"),
        (ValueError("\x1b[1;31mred\x1b[0m"), "ValueError: red"),
        (KeyError(), "KeyError"),
        (MuteError(), "MuteError"),
    ],
)
def test_a_cause_is_one_plain_line(error, cause):
    assert errors.cause_of(error) == cause


KNOWN = ["float32", "mixed_bfloat16", "mixed_float16", "auto"]


@pytest.mark.parametrize(
    ("given", "known", "names"),
    [
        ("float16", KNOWN, ["mixed_float16"]),
        ("bfloat16", KNOWN, ["mixed_bfloat16"]),
        ("Mixed-Float16", KNOWN, ["mixed_float16"]),
        ("flaot32", KNOWN, ["float32"]),
        ("BatchSize", ["batch_size", "name"], ["batch_size"]),
        ("mixed", KNOWN, ["mixed_bfloat16", "mixed_float16"]),
        ("16", KNOWN, []),
        ("", KNOWN, []),
        (3, ["a", "b"], []),
    ],
)
def test_the_names_that_are_probably_meant(given, known, names):
    assert errors.nearest(given, known) == names


def test_several_names_are_joined():
    assert errors.did_you_mean("mixed", KNOWN) == (
        "; did you mean 'mixed_bfloat16' or 'mixed_float16'?"
    )


def test_a_notebook_shows_the_sentence_alone():
    error = errors.ConfigError("seed must be at least 0; got -1.")
    error.add_note("'onecycle train --resume runs/x' goes on.")
    assert error._render_traceback_() == [
        "ConfigError: seed must be at least 0; got -1.",
        "'onecycle train --resume runs/x' goes on.",
    ]


STACK = """Graph execution error:

Detected at node loss/GatherV2 defined at (most recent call last):
  File "/home/me/train.py", line 44, in <module>

Received a label value of 7 which is outside the valid range of [0, 3).
\t [[{{node loss/GatherV2}}]] [Op:__inference_step_1]"""


@pytest.mark.parametrize(
    ("message", "gist"),
    [
        (STACK, "Received a label value of 7 which is outside the valid range of [0, 3)."),
        ("Wrong shape.\n\nArguments received by Sequential.call():\n  • x=3", "Wrong shape."),
        ("Graph execution error:", "Graph execution error:"),
    ],
)
def test_a_cause_says_what_happened_and_not_where(message, gist):
    assert errors.cause_of(ValueError(message)) == f"ValueError: {gist}"
