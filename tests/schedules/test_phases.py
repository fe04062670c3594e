import math

import numpy as np
import pytest

from onecycle_cli.schedules.phases import Phase, trace


@pytest.mark.parametrize("anneal", ["linear", "cosine", "exp"])
@pytest.mark.parametrize(("first", "last"), [(0.1, 1.0), (1.0, 0.1), (0.3, 0.3)])
def test_both_ends_are_exact_and_hold_beyond(anneal, first, last):
    phase = Phase(2, 9, first, last, anneal)
    assert [phase.at(step) for step in (-1, 0, 2)] == [first] * 3
    assert [phase.at(step) for step in (9, 10, 99)] == [last] * 3


@pytest.mark.parametrize(
    ("anneal", "quarters"),
    [
        ("linear", [2, 3.5, 5, 6.5, 8]),
        ("cosine", [2, 5 - 1.5 * math.sqrt(2), 5, 5 + 1.5 * math.sqrt(2), 8]),
        ("exp", [2, 2 * math.sqrt(2), 4, 4 * math.sqrt(2), 8]),
    ],
)
def test_quarters_by_hand(anneal, quarters):
    up, down = Phase(0, 8, 2, 8, anneal), Phase(0, 8, 8, 2, anneal)
    assert [up.at(step) for step in (0, 2, 4, 6, 8)] == pytest.approx(quarters, rel=1e-15)
    assert [down.at(step) for step in (0, 2, 4, 6, 8)] == pytest.approx(quarters[::-1], rel=1e-15)


def test_small_values_keep_their_digits_on_the_way_down():
    """A thousandth of a step before its end a cosine is (pi p / 2) ** 2 above it."""
    end = Phase(0, 1, 1, 1e-12, "cosine").at(1 - 1e-6)
    assert end == pytest.approx(1e-12 + (math.pi / 2 * 1e-6) ** 2, rel=1e-9)


def test_a_step_belongs_to_the_phase_that_begins_there():
    phases = [Phase(0, 2, 1, 0), Phase(2, 4, 1, 0)]
    assert trace(phases, 5) == [1, 0.5, 1, 0.5, 0]


def test_phases_may_begin_between_steps_and_before_the_first():
    phases = [Phase(-1, 1.5, 0, 5), Phase(1.5, 3, 5, 2)]
    np.testing.assert_allclose(trace(phases, 4), [2, 4, 4, 2], rtol=1e-15)


@pytest.mark.parametrize("length", [0, -0.5, -3])
def test_a_phase_without_length_is_passed_over(length):
    ends = [Phase(0, length, 5, 6), Phase(0, 2, 1, 2), Phase(2, 2 + length, 7, 8)]
    assert trace(ends, 4) == [1, 1.5, 2, 2]
