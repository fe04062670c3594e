import math
import time

import pytest
import yaml

from onecycle_cli.config.yaml_source import parse, parse_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1e4", 1e4),
        ("3E-4", 3e-4),
        ("3.E+4", 3e4),
        ("-1.5e-05", -1.5e-05),
        (".5", 0.5),
        ("-.5", -0.5),
        ("+.5e3", 500.0),
        ("1.", 1.0),
        ("1_000.5", 1000.5),
        (".inf", math.inf),
        ("-.inf", -math.inf),
        ("1e999", math.inf),
        ("0.1", 0.1),
    ],
)
def test_floats(text, value):
    assert isinstance(parse_value(text), float)
    assert parse_value(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("7", 7),
        ("-7", -7),
        ("+7", 7),
        ("1_000", 1000),
        ("007", 7),  # 1.1: octal
        ("010", 10),  # 1.1: 8
        ("09", 9),
        ("0o17", 15),
        ("0x1F", 31),
        ("-0x1f", -31),
    ],
)
def test_whole_numbers(text, value):
    assert type(parse_value(text)) is int
    assert parse_value(text) == value


@pytest.mark.parametrize(
    "text",
    [
        *("no", "yes", "on", "off", "y", "n", "No", "ON"),  # 1.1: booleans
        *("1:30", "190:20:30"),  # 1.1: base 60
        *("2020-01-01", "2001-12-14 21:59:43"),  # 1.1: dates
        *("0b11", "0o18", "0x", "1e", "e5", ".", "--", "1.2.3", "1e-4x", "_1", "=", "nan", "inf"),
    ],
)
def test_text_stays_text(text):
    assert parse_value(text) == text


@pytest.mark.parametrize("text", ['"1e-4"', "'1'", '"true"', "'~'"])
def test_quoted_is_text(text):
    assert parse_value(text) == text[1:-1]


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("False", False), ("TRUE", True), ("null", None), ("~", None), ("", None)],
)
def test_words(text, value):
    assert parse_value(text) is value


def test_not_a_number():
    assert math.isnan(parse_value(".nan"))


def test_flow_style():
    assert parse_value(" {a: [1e-3, {b: 2}], c: no} ") == {"a": [1e-3, {"b": 2}], "c": "no"}


def test_every_key_and_entry_knows_its_line():
    text = "# comment\na: 1\nb:\n  c: [1,\n    2]\n  d:\n  - e: 3\n"
    _, lines = parse(text)
    assert lines == {
        ("a",): 2,
        ("b",): 3,
        ("b", "c"): 4,
        ("b", "c", 0): 4,
        ("b", "c", 1): 5,
        ("b", "d"): 6,
        ("b", "d", 0): 7,
        ("b", "d", 0, "e"): 7,
    }


@pytest.mark.parametrize("text", ["", "# nothing", "---", "\n\n"])
def test_nothing(text):
    assert parse(text)[0] is None


def test_anchors_and_merge_keys():
    text = "a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}\n"
    assert parse_value(text) == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 2},
        "c": {"x": 1, "y": 3},
    }


def test_a_byte_order_mark_is_no_content():
    assert parse_value("\ufeffa: 1") == {"a": 1}


@pytest.mark.parametrize(
    "text",
    [
        "a: [",
        "a: b: c",
        "a: 1\na: 2",
        "a: {b: 1, c: 2, b: 3}",
        "1: a\n'1': b",
        "a: *b",
        "[a]: 1",
        "a: 1\n--- \nb: 2",
        "\0",
        "@a",
        "<<: 3",
        "a: !!int ''",
        "a: !!float x",
        "a: !!bool maybe",
        "a: !!timestamp x",
        "a: !!python/object/apply:os.system [ls]",
        "1" * 5000,
        "a: [" + "x," * 10_001 + "]",
    ],
)
def test_what_is_not_yaml(text):
    with pytest.raises(yaml.YAMLError):
        parse(text)


def test_aliases_that_unfold_without_end():
    """Ten lines that stand for a billion entries."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    for i in range(1, 10):
        lines.append(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]")
    with pytest.raises(yaml.YAMLError, match="more than 10,000 entries"):
        parse("\n".join(lines))


@pytest.mark.samples(1)
@pytest.mark.parametrize("text", ["[" * 10_000, "a: &a [*a]", "{a: " * 5000])
def test_nested_without_end(text):
    with pytest.raises(RecursionError):
        parse(text)


def test_a_key_that_unfolds_without_end():
    """A key of aliases stands for a billion entries, too; the loader would spell it out."""
    levels = ["&a0 [x, x, x, x, x, x, x, x]"]
    levels += [f"&a{i} [{', '.join([f'*a{i - 1}'] * 8)}]" for i in range(1, 12)]
    with pytest.raises(yaml.YAMLError, match="a key must be a single word"):
        parse(f"? [{', '.join(levels)}]\n: 1")


@pytest.mark.parametrize("number", ["0x" + "f" * 1000, "0o" + "7" * 1000, "-" + "9" * 1000])
def test_a_number_that_nobody_means(number):
    with pytest.raises(yaml.YAMLError, match="more than 1,000 digits"):
        parse(number)


def test_a_long_row_of_digits_is_looked_at_once():
    """A pattern that could split it at every digit would take minutes."""
    text = "9" * 500_000
    started = time.process_time()
    with pytest.raises(yaml.YAMLError):
        parse(text)
    assert parse(f"{text}.x")[0] == f"{text}.x"
    assert time.process_time() - started < 10
