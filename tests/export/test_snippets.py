import ast

import pytest

from onecycle_cli.export.snippets import Code, call, comment, literal


@pytest.mark.parametrize(
    "value", [1, 0.1, 1e-5, True, None, 'text "quoted"\n', [1, "a"], (1,), {"a": (0.5, None)}]
)
def test_a_literal_is_read_back(value):
    assert ast.literal_eval(literal(value)) == value


def test_a_call_has_a_line_for_each_argument_where_it_is_long():
    assert call("f", Code("x"), name="y") == 'f(x, name="y")'
    long = call("function", Code("argument"), first="x" * 40, second="y" * 40)
    assert long == f'function(\n    argument,\n    first="{"x" * 40}",\n    second="{"y" * 40}",\n)'


def test_a_comment_stays_one_and_is_not_too_long():
    lines = comment("one\ntwo " + "word " * 40, "- ").splitlines()
    assert lines[0].startswith("# - one two word")
    assert all(line.startswith("#   ") and len(line) <= 88 for line in lines[1:])
