import pytest
from matplotlib.figure import Figure

from onecycle_cli.plotting.paper.numbers import OneStyle, in_one_style, number, percent, rounded_to


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (1e-5, "1e-5"),
        (3e-7, "3e-7"),
        (0.0001, "0.0001"),
        (0.12345, "0.123"),
        (10, "10"),
        (0.30000000000000004, "0.3"),
        (-0.25, "-0.25"),
        (1.5e7, "1.5e7"),
        (7e25, "7e25"),
    ],
)
def test_numbers(value, text):
    assert number(value) == text


def test_shares():
    assert percent(0.91234) == "91.23 %"
    assert [rounded_to(width) for width in (0.037, 2.0, 0.0, float("inf"))] == [3, 1, 3, 3]


@pytest.mark.parametrize(
    ("values", "aligned", "expected"),
    [
        ([1e-5, 1e-4, 0.1, 1, 10], False, ["0.00001", "0.0001", "0.1", "1", "10"]),
        ([1e-7, 1e-6, 1e-5, 0.1, 1], False, ["1e-7", "1e-6", "1e-5", "1e-1", "1e0"]),
        ([0, 0.5, 1], True, ["0.0", "0.5", "1.0"]),
        ([-0.04, -0.0, 0.04], True, ["−0.04", "0.00", "0.04"]),
        ([0, 200_000, 400_000], True, ["0", "200,000", "400,000"]),
        ([0, 7e25, 1.4e26], True, ["0", "7e25", "1.4e26"]),
        ([0, 2.5e-7, 5e-7], True, ["0", "2.5e-7", "5e-7"]),
        ([0.1 + 0.2], True, ["0.3"]),
        ([], True, []),
    ],
)
def test_the_numbers_of_an_axis_have_one_style(values, aligned, expected):
    assert in_one_style(values, aligned=aligned) == expected


def test_ticks_out_of_sight_change_no_style():
    axes = Figure().add_subplot()
    axes.set_ylim(0.5, 30)
    axes.yaxis.set_major_formatter(OneStyle(aligned=False))
    assert axes.yaxis.get_major_formatter().format_ticks([1e-9, 1, 10, 1e12]) == ["", "1", "10", ""]
    assert axes.yaxis.get_major_formatter()(0.1234567) == "0.123457"
