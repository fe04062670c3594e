import math

import pytest

from onecycle_cli.commands.console.result.curve import Sketch, drawn

WIDTH, HEIGHT = 60, 8


def dots(lines):
    """Return the set of (column, row) of all dots, read from the letters by Unicode's own names.

    In a cell of Braille, dots 1, 2, 3, 7 are the left column from above, 4, 5, 6, 8 the right one.
    """
    import unicodedata

    places = {
        1: (0, 0),
        2: (0, 1),
        3: (0, 2),
        7: (0, 3),
        4: (1, 0),
        5: (1, 1),
        6: (1, 2),
        8: (1, 3),
    }
    found = set()
    for row, line in enumerate(lines):
        for column, letter in enumerate(line):
            name = unicodedata.name(letter)
            for number in name.partition("DOTS-")[2]:
                x, y = places[int(number)]
                found.add((2 * column + x, 4 * row + y))
    return found


def curve_of(sketch):
    """Return the dots of the curve alone, without name and labels, and the number of columns."""
    _, *lines, _ = drawn(sketch, WIDTH, HEIGHT)
    margin = 1 + max(len(line.split()[0]) for line in (lines[0], lines[-1]))
    return dots([line[margin:] for line in lines]), 2 * (WIDTH - margin)


def test_a_straight_line_goes_from_corner_to_corner():
    found, wide = curve_of(Sketch([[(0.0, 0.0), (10.0, 5.0)]], "loss"))
    assert (0, 4 * HEIGHT - 1) in found
    assert (wide - 1, 0) in found
    for x, y in found:
        assert abs((4 * HEIGHT - 1 - y) - x * (4 * HEIGHT - 1) / (wide - 1)) <= 1.5
    assert {x for x, _ in found} == set(range(wide))


def test_on_logarithmic_axes_a_power_law_is_straight():
    points = [(10.0**k, 10.0 ** (-2 * k)) for k in range(-4, 1)]
    found, wide = curve_of(Sketch([points], "loss", log_x=True, log_y=True))
    for x, y in found:
        assert abs(y - x * (4 * HEIGHT - 1) / (wide - 1)) <= 1.5


def test_the_ends_and_the_mark_are_named():
    lines = drawn(Sketch([[(0.01, 2.5), (1.0, 0.5)]], "loss", log_x=True, mark=0.1), WIDTH, HEIGHT)
    assert len(lines) == HEIGHT + 2
    assert lines[0] == "loss"
    assert lines[1].split()[0] == "2.5"
    assert lines[HEIGHT].split()[0] == "0.5"
    assert lines[-1].split() == ["0.01", "^0.1", "1"]
    inner = WIDTH - 4
    assert lines[-1].index("^") == pytest.approx(4 + inner / 2, abs=1)
    assert max(map(len, lines)) <= WIDTH


@pytest.mark.parametrize(("mark", "text"), [(0.01, "^0.01"), (1.0, "1^"), (0.9, "0.9^")])
def test_a_mark_at_an_end_takes_its_place(mark, text):
    lines = drawn(Sketch([[(0.01, 2.5), (1.0, 0.5)]], "loss", log_x=True, mark=mark), WIDTH, HEIGHT)
    assert text in lines[-1].split()
    assert len(lines[-1].split()) == 2
    assert len(lines[-1]) <= WIDTH


@pytest.mark.parametrize("line", [[(1.0, 1.0)], [(1.0, 1.0), (1.0, 1.0)], [(1.0, 2.0), (2.0, 2.0)]])
def test_what_has_no_extent_is_drawn_all_the_same(line):
    assert curve_of(Sketch([line], "loss"))[0]


def test_several_lines_share_the_axes():
    both, wide = curve_of(Sketch([[(0, 0), (10, 0)], [(0, 10), (10, 10)]], "loss"))
    assert both == {(x, y) for x in range(wide) for y in (0, 4 * HEIGHT - 1)}


def test_a_line_reaches_as_far_as_its_points():
    """A part of the window stays empty where another line goes on."""
    found, wide = curve_of(Sketch([[(0, 1), (10, 1)], [(5, 0), (10, 0)]], "loss"))
    low = sorted(x for x, y in found if y == 4 * HEIGHT - 1)
    assert low[0] == round((wide - 1) / 2)
    assert math.isclose(low[-1], wide - 1)


def test_each_line_has_its_name_where_it_ends():
    lines = [[(0, 0), (10, 10)], [(0, 10), (10, 0)], [(0, 1), (10, 10)]]
    shown = drawn(Sketch(lines, "loss", ["up", "down", "up too"]), WIDTH, HEIGHT)
    assert shown[1].endswith(" up")
    assert shown[2].endswith(" up too")
    assert shown[HEIGHT].endswith(" down")
    assert max(map(len, shown)) <= WIDTH
