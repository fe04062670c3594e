import math
from fractions import Fraction
from typing import ClassVar

import numpy as np
import pytest

from onecycle_cli import schedules

LENGTHS = [1, 2, 3, 4, 7, 10, 11, 20, 99, 100, 351]


def floor_of(num_steps, share):
    """Exact: the share is taken for the decimal number that it is written as."""
    return math.floor(num_steps * Fraction(share))


def corners_of(shape, num_steps, end):
    """Return where a cycle starts, peaks, leaves the peak, and ends."""
    if shape == "smith":
        middle = min(num_steps - 1, max(1, floor_of(num_steps, (1 - Fraction(end)) / 2)))
        return middle, middle, 2 * middle
    up, down = {"linear": ("1/4",) * 2, "cosine": ("3/10",) * 2, "wsd": ("1/10", "8/10")}[shape]
    return floor_of(num_steps, up), floor_of(num_steps, down), num_steps


def expected(shape, num_steps, start, end, floor=0.001):
    """Return the learning rates of `max_lr` 1 and the factors, drawn through the corners."""
    if num_steps == 1:
        return np.ones(1), np.ones(1)
    up, down, over = corners_of(shape, num_steps, end)
    steps = np.arange(num_steps)
    lowest = start if shape == "smith" else floor

    def drawn(first, last):
        rising = np.interp(steps, [0, max(up, 1)], [0, 1])
        falling = np.interp(steps, [down, over], [1, 0])
        if shape == "cosine":
            rising, falling = ((1 - np.cos(np.pi * f)) / 2 for f in (rising, falling))
        values = first + (1 - first) * rising
        values[up : down + 1] = 1
        values[down + 1 :] = (last + (1 - last) * falling)[down + 1 :]
        return values

    lrs, factors = drawn(start, lowest), drawn(0, 0)
    if shape == "smith" and over < num_steps:
        lrs[over:] = np.interp(steps[over:], [over, num_steps], [start, floor])
    return lrs, factors


@pytest.mark.parametrize("num_steps", LENGTHS)
@pytest.mark.parametrize("shape", ["smith", "linear", "cosine", "wsd"])
@pytest.mark.parametrize(
    ("end", "scale"),
    [("0.1", None), ("0.2", None), ("0.3", "0.04"), ("0", "0.1"), ("0.05", "1"), ("0.9", "0.25")],
)
def test_every_step_lies_where_the_formula_says(shape, num_steps, end, scale):
    lrs, factors = expected(shape, num_steps, float(scale or end), end)
    share = None if scale is None else float(scale)
    np.testing.assert_allclose(
        schedules.learning_rates(
            num_steps, 3.0, shape=shape, end_percentage=float(end), scale_percentage=share
        ),
        3.0 * lrs,
        rtol=1e-12,
    )
    np.testing.assert_allclose(
        schedules.momenta(num_steps, 0.95, 0.8, shape=shape, end_percentage=float(end)),
        0.95 - 0.15 * factors,
        rtol=1e-12,
    )


@pytest.mark.parametrize(
    ("shape", "lrs", "momenta"),
    [
        (
            "smith",
            [100, 325, 550, 775, 1000, 775, 550, 325, 100, 50.5],
            [0.95, 0.925, 0.9, 0.875, 0.85, 0.875, 0.9, 0.925, 0.95, 0.95],
        ),
        (
            "linear",
            [100, 550, 1000, 875.125, 750.25, 625.375, 500.5, 375.625, 250.75, 125.875],
            [0.95, 0.9, 0.85, 0.8625, 0.875, 0.8875, 0.9, 0.9125, 0.925, 0.9375],
        ),
        (
            "wsd",
            [100, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 500.5],
            [0.95, 0.85, 0.85, 0.85, 0.85, 0.85, 0.85, 0.85, 0.85, 0.9],
        ),
    ],
)
def test_ten_steps_by_hand(shape, lrs, momenta):
    assert schedules.learning_rates(10, 1000, shape=shape) == pytest.approx(lrs, rel=1e-12)
    assert schedules.momenta(10, 0.95, 0.85, shape=shape) == pytest.approx(momenta, rel=1e-12)


def test_a_cosine_by_hand():
    """Quarters of half a cosine: 0, 0.146, 0.5, 0.854, 1."""
    quarters = [0, 0.5 - math.sqrt(2) / 4, 0.5, 0.5 + math.sqrt(2) / 4, 1]
    lrs = schedules.learning_rates(40, 1000, shape="cosine")
    assert [lrs[i] for i in (0, 3, 6, 9, 12)] == pytest.approx([100 + 900 * q for q in quarters])
    assert [lrs[i] for i in (12, 19, 26, 33)] == pytest.approx(
        [1 + 999 * q for q in quarters[:0:-1]]
    )


@pytest.mark.parametrize("num_steps", [10, 11, 100, 351, 3910])
def test_at_ten_percent_it_is_the_schedule_of_keras_one_cycle(num_steps):
    """Its arithmetic, from its source: exact only where scale and end are both 0.1."""
    scale, middle = 0.1, int(num_steps * (1.0 - 0.1) / 2.0)
    lrs, momenta = [], []
    for i in range(num_steps):
        part = i / middle if i <= middle else 1.0 - (i - middle) / middle
        lr = (1.0 + part * (scale * 100 - 1.0)) * scale
        momentum = 0.95 - part * (0.95 - 0.85)
        if i > 2 * middle:
            part = (i - 2 * middle) / float(num_steps - 2 * middle)
            lr, momentum = (1.0 + part * (1.0 - 100.0) / 100.0) * scale, 0.95
        lrs.append(0.02 * lr)
        momenta.append(momentum)
    np.testing.assert_allclose(schedules.learning_rates(num_steps, 0.02), lrs, rtol=1e-12)
    np.testing.assert_allclose(schedules.momenta(num_steps, 0.95, 0.85), momenta, rtol=1e-12)


@pytest.mark.parametrize("shape", ["smith", "linear", "cosine", "wsd", "smith_caffe"])
@pytest.mark.parametrize("num_steps", LENGTHS)
@pytest.mark.parametrize("end", [0.05, 0.1, 0.25, 0.5])
def test_the_peak_is_max_lr_itself(shape, num_steps, end):
    assert max(schedules.learning_rates(num_steps, 0.7, shape=shape, end_percentage=end)) == 0.7
    momenta = schedules.momenta(num_steps, 0.9, 0.7, shape=shape, end_percentage=end)
    assert min(momenta) == pytest.approx(0.7, rel=1e-15)


def test_a_momentum_range_of_one_value_stays_there():
    assert set(schedules.momenta(50, 0.9, 0.9)) == {0.9}


@pytest.mark.parametrize("num_steps", [2, 3, 10, 391])
@pytest.mark.parametrize(("low", "high"), [(1e-5, 10.0), (0.002, 0.02), (1e-7, 0.1)])
def test_sweeps_are_even_and_exact_at_both_ends(num_steps, low, high):
    exponential = schedules.sweep(num_steps, low, high)
    linear = schedules.sweep(num_steps, low, high, "linear")
    for values in (exponential, linear):
        assert (values[0], values[-1], len(values)) == (low, high, num_steps)
    np.testing.assert_allclose(exponential, np.geomspace(low, high, num_steps), rtol=1e-12)
    np.testing.assert_allclose(linear, np.linspace(low, high, num_steps), rtol=1e-12)


@pytest.mark.parametrize(("last", "final"), [(0.5, 0.002), (0.002, 0.002), (1e-6, 1e-6)])
def test_where_a_rate_goes_never_lies_above_where_it_would_have_gone(last, final):
    assert schedules.final_rate([1.0, 2.0, last], 2.0) == final


@pytest.mark.parametrize(
    ("values", "table"),
    [
        (0.5, [0.5] * 5),
        (1, [1.0] * 5),
        (np.float32(0.5), [0.5] * 5),
        ((1.0, 3.0), [1.0, 1.5, 2.0, 2.5, 3.0]),
        (np.array([3.0, 1.0]), [3.0, 2.5, 2.0, 1.5, 1.0]),
        ([5, 4, 3, 2, 1], [5.0, 4.0, 3.0, 2.0, 1.0]),
        (np.arange(5), [0.0, 1.0, 2.0, 3.0, 4.0]),
        (lambda n: [1 / n] * n, [0.2] * 5),
    ],
)
def test_what_a_table_can_be_made_of(values, table):
    assert schedules.table_of(values, 5, "epsilon") == table


def test_the_first_and_last_of_one_and_of_two_steps():
    assert schedules.table_of((1.0, 3.0), 1, "epsilon") == [1.0]
    assert schedules.table_of((1.0, 3.0), 2, "epsilon") == [1.0, 3.0]


def test_after_the_end_of_a_table():
    table = [1.0, 2.0]
    assert [schedules.at(table, i, after=0.5) for i in range(4)] == [1.0, 2.0, 0.5, 0.5]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: schedules.sweep(1, 1e-5, 1), "num_steps must be at least 2"),
        (lambda: schedules.sweep(9, 0, 1), "0 < low < high"),
        (lambda: schedules.sweep(9, 1, 1), "0 < low < high"),
        (lambda: schedules.sweep(9, 2, 1), "0 < low < high"),
        (lambda: schedules.sweep(9, 1e-5, math.inf), "0 < low < high"),
        (lambda: schedules.sweep(9, math.nan, 1), "0 < low < high"),
        (lambda: schedules.sweep(9, 1e-5, 1, "log"), "scale must be 'exp' or 'linear'; got 'log'"),
        (lambda: schedules.learning_rates(0, 1), "num_steps must be at least 1; got 0"),
        (lambda: schedules.learning_rates(9, 0), "max_lr must be greater than 0; got 0"),
        (lambda: schedules.learning_rates(9, -1), "max_lr must be greater than 0; got -1"),
        (lambda: schedules.learning_rates(9, math.nan), "max_lr must be greater than 0; got nan"),
        (lambda: schedules.learning_rates(9, math.inf), "max_lr must be greater than 0; got inf"),
        (lambda: schedules.learning_rates(9, 1, shape="x"), "shape must be one of smith, .*'x'"),
        (lambda: schedules.learning_rates(9, 1, end_percentage=1), "end_percentage must be in"),
        (lambda: schedules.learning_rates(9, 1, end_percentage=-0.1), "end_percentage must be in"),
        (lambda: schedules.learning_rates(9, 1, end_percentage=0), r"end_percentage .* \(0, 1\]"),
        (lambda: schedules.learning_rates(9, 1, scale_percentage=0), "scale_percentage must be"),
        (lambda: schedules.learning_rates(9, 1, scale_percentage=1.1), "scale_percentage must be"),
        (lambda: schedules.momenta(9, 1.0, 0.5), "0 <= low <= high < 1"),
        (lambda: schedules.momenta(9, 0.8, 0.9), "0 <= low <= high < 1; got high=0.8, low=0.9"),
        (lambda: schedules.momenta(9, 0.8, -0.1), "0 <= low <= high < 1"),
        (lambda: schedules.momenta(9, math.nan, 0.1), "0 <= low <= high < 1"),
        (lambda: schedules.momenta(9, 0.9, 0.8, end_percentage=1), "end_percentage must be in"),
    ],
)
def test_arguments_out_of_range_are_refused(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call()


class TestChangedTables:
    TABLE: ClassVar = [0.1, 0.2, 0.4, 0.2, 0.1, 0.05]

    def test_a_cool_down_is_a_straight_way_to_the_end(self):
        cooled = schedules.cooled_down(self.TABLE, 3, 4, 0.0)
        assert cooled[:3] == self.TABLE[:3]
        np.testing.assert_allclose(cooled[3:], [0.3, 0.2, 0.1, 0.0], atol=1e-15)

    @pytest.mark.parametrize("done", [0, 1, 6, 99])
    def test_a_cool_down_from_either_end(self, done):
        cooled = schedules.cooled_down(self.TABLE, done, 1, 0.001)
        assert cooled == [*self.TABLE[:done], 0.001]

    def test_stretching_keeps_the_shape_of_what_remains(self):
        table = schedules.learning_rates(100, 0.4)
        longer = schedules.stretched(table, 40, 160)
        assert longer[:40] == table[:40]
        assert longer[40::2] == table[40:]
        assert max(longer) == max(table)
        np.testing.assert_allclose(schedules.stretched(longer, 40, 100), table, rtol=1e-12)

    @pytest.mark.parametrize(("done", "total"), [(0, 1), (5, 6), (5, 60), (0, 6), (3, 4)])
    def test_stretching_past_both_ends(self, done, total):
        stretched = schedules.stretched(self.TABLE, done, total)
        assert len(stretched) == total
        assert stretched[: done + 1] == self.TABLE[: done + 1]
        assert min(self.TABLE) <= min(stretched)
        assert max(stretched) <= max(self.TABLE)

    def test_extending_holds_the_present_value(self):
        extended = schedules.extended(self.TABLE, 3, 9)
        assert extended == [0.1, 0.2, 0.4, 0.2, 0.2, 0.2, 0.2, 0.1, 0.05]
        assert schedules.extended(self.TABLE, 3, 6) == self.TABLE
