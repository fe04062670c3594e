import re

import pytest

from onecycle_cli.commands.console.result.colours import by_verdict
from onecycle_cli.commands.console.result.layout import broken, columns, table, wrapped

ROWS = [
    ("max_lr", "0.122 (0.0904 to 0.157)"),
    ("reason", "the smoothed losses of 7 short trainings are lowest around 0.0966; raised by 1.26"),
    ("a very long name of a row", "x"),
]
STAGES = [
    ("stage", "value", "verdict", "time"),
    ("find-lr", "0.122 (0.0904 to 0.157)", "ok", "4 s"),
    ("train", "", "done", "12 s"),
]


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_in_a_pipe_each_row_is_a_line(capsys):
    table(ROWS)
    assert capsys.readouterr().out.splitlines() == [f"{name:<25}  {v}" for name, v in ROWS]


@pytest.mark.parametrize("width", [80, 60])
def test_in_a_window_values_stay_in_their_column_and_words_stay_whole(window, width):
    capsys = window(width)
    table(ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= width
    assert all(line.startswith(" " * 27) for line in lines[2:-1])
    assert " ".join(" ".join(lines).split()) == " ".join(
        " ".join(f"{n} {v}" for n, v in ROWS).split()
    )


def test_where_there_is_no_room_beside_the_names_values_stand_below(window):
    capsys = window(40)
    table(ROWS)
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == ["max_lr", "    0.122 (0.0904 to 0.157)"]
    assert max(map(len, lines)) <= 40


def test_of_columns_that_are_a_little_too_wide_the_widest_is_wrapped(window):
    capsys = window(60)
    rows = [
        ("run", "found", "age"),
        ("digits/find-momentum/002", "momentum 0.95 to 0.85, undecided", "32 min"),
        ("digits/find-lr/002", "max_lr 0.122, ok", "33 min"),
    ]
    columns(rows)
    assert capsys.readouterr().out.splitlines() == [
        "run                       found                       age",
        "digits/find-momentum/002  momentum 0.95 to 0.85,      32 min",
        "                          undecided",
        "digits/find-lr/002        max_lr 0.122, ok            33 min",
    ]


def test_columns_that_are_much_too_wide_become_small_tables(window):
    capsys = window(40)
    columns(STAGES)
    assert capsys.readouterr().out.splitlines() == [
        "find-lr",
        "  value    0.122 (0.0904 to 0.157)",
        "  verdict  ok",
        "  time     4 s",
        "train",
        "  verdict  done",
        "  time     12 s",
    ]


def test_colours_are_for_windows_and_cost_no_room(window, capsys):
    rows = [("stage", "verdict", "time"), ("find-lr", by_verdict("undecided", "undecided"), "4 s")]
    columns(rows)
    piped = capsys.readouterr().out
    window(80)
    columns(rows)
    shown = capsys.readouterr().out
    assert "\x1b[33mundecided" in shown
    assert plain(shown) == piped


def test_a_long_word_is_not_broken(window):
    window(40)
    import sys

    path = "/a/folder/whose/name/is/longer/than/the/window/is/wide"
    assert path in wrapped(f"it is saved in {path} by now", sys.stdout)


def test_a_number_stays_with_its_unit():
    text = "82 % of the training in 9.7 s or in 12 min"
    for room in range(12, len(text)):
        lines = broken(text, room)
        assert " ".join(lines) == text
        assert max(map(len, lines)) <= room
        assert not any(line.startswith(("s", "min", "%")) for line in lines)
