import numpy as np
import pytest

from onecycle_cli.report.charts.thinning import evenly, kept_points


@pytest.mark.parametrize("count", [1, 3, 4, 99, 100, 101, 1_000_000])
def test_no_more_points_than_allowed_and_both_ends(count):
    kept = kept_points(np.random.default_rng(0).normal(size=count), 100)
    assert len(kept) <= 100 and len(set(kept)) == len(kept)
    assert list(kept) == sorted(kept)
    assert (kept[0], kept[-1]) == (0, count - 1)


def test_few_points_all_stay():
    assert kept_points(np.arange(100.0), 100).tolist() == list(range(100))


def test_no_spike_is_lost():
    values = np.zeros(1_000_000)
    values[[123_456, 777_777]] = 5, -5
    assert {123_456, 777_777} <= set(kept_points(values, 100).tolist())


def test_what_is_not_finite_is_left_out():
    values = np.array([np.nan, 1.0, np.inf, 2.0])
    assert kept_points(values, 10).tolist() == [1, 3]
    assert kept_points(np.array([np.nan]), 10).tolist() == []


def test_even_points_have_both_ends():
    assert evenly(1000, 3).tolist() == [0, 500, 999]
    assert evenly(2, 10).tolist() == [0, 1]
    assert evenly(0, 10).tolist() in ([], [0])
