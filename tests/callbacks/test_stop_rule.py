import math

import pytest

from onecycle_cli.callbacks.stop_rule import StopRule


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


def test_losses_that_may_be_negative_have_no_factor():
    assert set(reasons([-1.0] * 5 + [100.0] * 5)) == {None}
    assert set(reasons([0.0] * 5 + [100.0] * 5)) == {None}
