import math

import numpy as np
import pytest

from onecycle_cli.callbacks.range_test.stop_rule import StopRule


def reasons(losses, factor=4.0):
    rule = StopRule(factor)
    return [rule.reason(losses[: i + 1]) for i in range(len(losses))]


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("factor", [4.0, None])
def test_a_loss_that_is_not_finite_stops_at_once(loss, factor):
    assert reasons([1.0, loss], factor) == [None, "non_finite"]


def test_the_mean_of_five_must_exceed_the_factor_times_the_lowest_such_mean():
    """Means: 1, then 1 + k * 15.01 / 5, of which the first that exceeds 4 is the one of k = 1."""
    assert reasons([1.0] * 5 + [16.0]) == [None] * 6
    assert reasons([1.0] * 5 + [16.01]) == [None] * 5 + ["diverged"]


def test_one_bad_batch_does_not_stop_it():
    assert set(reasons([1.0] * 5 + [15.0] + [1.0] * 5)) == {None}


def test_the_lowest_mean_counts_however_long_ago():
    assert reasons([8.0] * 5 + [1.0] * 5 + [4.1] * 5)[-2:] == [None, "diverged"]


def test_the_first_four_are_never_judged():
    assert reasons([1.0, 1e9, 1e9, 1e9]) == [None] * 4


def test_without_a_factor_only_finiteness_counts():
    assert set(reasons([1.0] * 5 + [1e30] * 5, factor=None)) == {None}


# --- losses that can be negative ----------------------------------------------------------------


def test_negative_losses_may_rise_by_a_multiple_of_their_size():
    """The lowest mean is -1, so 4 - 1 times its size above it is a mean of 2."""
    assert reasons([-1.0] * 5 + [14.0])[-1] is None
    assert reasons([-1.0] * 5 + [14.01])[-1] == "diverged"


def test_losses_that_fell_through_zero_may_rise_by_a_multiple_of_their_fall():
    """They fell by 3 to -0.1, so three times that above it is 8.9."""
    falling = [2.9] * 5 + [-0.1] * 5
    assert set(reasons(falling + [8.8] * 5)) == {None}
    assert reasons(falling + [9.0] * 5)[-1] == "diverged"


def test_a_rise_does_not_raise_the_limit():
    """The first mean is -0.6 and the lowest, so the limit is 1.2, passed by a mean of 1.4."""
    rising = [-1.0 + 0.2 * k for k in range(40)]
    first = reasons(rising).index("diverged")
    assert np.mean(rising[first - 4 : first + 1]) == pytest.approx(1.4)


def test_losses_that_come_down_to_exactly_zero_may_bounce():
    assert set(reasons([1.0] * 5 + [0.0] * 5 + [2.9] * 5)) == {None}
    assert reasons([1.0] * 5 + [0.0] * 5 + [3.1] * 5)[-1] == "diverged"


def test_nothing_but_zeros_has_no_scale():
    assert set(reasons([0.0] * 5 + [100.0] * 5)) == {None}


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("start", [2.0, -2.0])
def test_the_unit_of_the_losses_does_not_matter(unit, start):
    losses = [unit * (start - min(k, 10) + 0.3 * max(0, k - 20) ** 2) for k in range(40)]
    assert reasons(losses) == reasons([loss / unit for loss in losses])
    assert "diverged" in reasons(losses)


@pytest.mark.parametrize("seed", range(20))
def test_noise_about_zero_is_no_divergence(seed):
    noise = np.random.default_rng(seed).normal(size=500).tolist()
    assert set(reasons(noise)) == {None}
