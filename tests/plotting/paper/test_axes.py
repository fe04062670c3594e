import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from onecycle_cli.plotting.paper.axes import log_axis, loss_axis, padded, rate_axis, spread


@pytest.fixture
def axes():
    return Figure().add_subplot()


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (1e-7, 10.0, [f"1e{e}" for e in range(-7, 2)]),
        (1e-5, 10.0, ["0.00001", "0.0001", "0.001", "0.01", "0.1", "1", "10"]),
        (0.01, 1.0, ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"]),
        (0.1, 0.4, ["0.1", "0.2", "0.3", "0.4"]),
    ],
)
def test_ticks_suit_the_range(low, high, expected, axes, tick_labels):
    rate_axis(axes, low, high, "exp")
    assert [label for label in tick_labels(axes.xaxis) if label] == expected
    assert axes.get_xscale() == "log"


def test_a_linear_range_of_rates(axes, tick_labels):
    rate_axis(axes, 0.1, 1.0, "linear")
    assert axes.get_xscale() == "linear"
    assert {"0.15", "0.30", "0.45"} <= set(tick_labels(axes.xaxis))


def test_an_axis_of_many_decades_has_few_labels(axes, tick_labels):
    log_axis(axes, "y", 1e-3, 1e25)
    labels = [label for label in tick_labels(axes.yaxis) if label]
    assert 4 <= len(labels) <= 14
    assert all("e" in label for label in labels)


@pytest.mark.parametrize(
    ("low", "high", "scale"),
    [(0.02, 2.9, "log"), (0.5, 2.4, "linear"), (-1.0, 5.0, "linear"), (0.0, 9.0, "linear")],
)
def test_losses_are_on_a_logarithmic_axis_where_the_low_ones_would_be_squashed(
    low, high, scale, axes
):
    axes.set_ylabel("loss")
    loss_axis(axes, low, high, (low, high), below=0.08, above=0.12)
    bottom, top = axes.get_ylim()
    assert axes.get_yscale() == scale
    assert bottom < low < high < top
    assert ("logarithmic" in axes.get_ylabel()) == (scale == "log")


def test_noise_alone_makes_no_axis_logarithmic(axes):
    loss_axis(axes, 0.01, 2.5, (0.5, 2.4), below=0.08, above=0.12)
    assert axes.get_yscale() == "linear"


def test_margins():
    assert padded(0, 10, 0.1, 0.2) == (-1, 12)
    low, high = padded(3, 3, 0.1)
    assert low < 3 < high


@pytest.mark.parametrize("places", [[0.5] * 5, [0.9, 1.4, 1.0, 0.98], [-3.0, 0.0, 0.01], [0.2]])
def test_places_are_moved_apart_in_their_order(places):
    moved = spread(places, 0.1)
    assert min(moved) >= 0
    assert max(moved) <= 1
    assert np.all(np.diff(sorted(moved)) >= 0.1 - 1e-12)
    assert np.argsort(moved).tolist() == np.argsort(places, kind="stable").tolist()


def test_places_that_are_apart_stay_and_too_many_share_the_room():
    assert spread([0.1, 0.9, 0.5], 0.1) == [0.1, 0.9, 0.5]
    assert spread([], 0.1) == []
    moved = spread([0.5] * 40, 0.1)
    assert math.isclose(max(moved), 1.0)
    assert min(moved) >= 0
