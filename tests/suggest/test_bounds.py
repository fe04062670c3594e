import math

import pytest

from onecycle_cli.suggest import Bounds


@pytest.mark.parametrize(
    ("floor", "guessing", "known"),
    [
        (0.0, 2.3, True),
        (-5.0, -1.0, True),
        (1000.0, 1001.0, True),
        (None, 2.3, False),
        (0.0, None, False),
        (None, None, False),
        (0.0, 0.0, False),
        (2.0, 1.0, False),
        (0.0, math.inf, False),
        (-math.inf, 1.0, False),
    ],
)
def test_they_are_known_if_both_are_and_leave_room_between_them(floor, guessing, known):
    assert Bounds(floor, guessing).are_known is known


def test_a_height_counts_from_the_floor():
    assert Bounds(1000.0, 1003.0).height(1002.0) == 2.0
    assert Bounds(-3.0, 0.0).height(-1.0) == 2.0
