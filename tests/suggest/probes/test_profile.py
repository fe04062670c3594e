import math

import numpy as np
import pytest

from onecycle_cli.suggest.probes.profile import Profile

VALLEY = [(-2.0, -1.0), (-1.0, -2.0), (0.0, -1.0)]


def profile(points, spread=0.25, below=0.5, above=2.0):
    return Profile.through(points, spread=spread, below=below, above=above)


def test_the_curve_runs_through_the_points_and_rises_beyond_them():
    found = profile(VALLEY)
    for x, height in VALLEY:
        assert np.interp(x, found.x, found.raw) == pytest.approx(height, abs=0.02)
    assert np.interp(-2.5, found.x, found.raw) == pytest.approx(-0.75, abs=0.02)
    assert np.interp(0.25, found.x, found.raw) == pytest.approx(-0.5, abs=0.02)
    assert found.raw.max() == 0.0  # nothing is worse than having learned nothing


def test_the_minimum_of_a_symmetric_valley_stays():
    assert profile(VALLEY, below=1.0, above=1.0).lowest == pytest.approx(-1.0, abs=0.02)


def test_a_steep_side_is_kept_away_from():
    cliff = [(-2.0, -1.8), (-1.0, -2.0), (-0.5, 0.0)]
    assert -1.9 < profile(cliff, below=0.0).lowest < -1.1


@pytest.mark.parametrize("spread", [0.1, 0.3])
def test_smoothing_is_a_gaussian_mean(spread):
    found = profile(VALLEY, spread=spread)
    x = found.x - found.x[len(found.x) // 2]
    weights = np.exp(-0.5 * (x / spread) ** 2)
    middle = (weights * found.raw).sum() / weights.sum()
    assert found.smoothed[len(found.x) // 2] == pytest.approx(middle, abs=2e-3)
    assert math.isfinite(found.lowest)


def test_its_room_is_where_it_stays_within_a_rise():
    found = profile(VALLEY, below=1.0, above=1.0)
    below, above = found.room(0.05)
    lowest = found.smoothed.min()
    for x, inside in ((-0.005, True), (0.015, False)):
        for edge, sign in ((found.lowest - below, -1), (found.lowest + above, 1)):
            height = np.interp(edge + sign * x, found.x, found.smoothed)
            assert (height <= lowest + 0.05) == inside
    assert below == pytest.approx(above, abs=0.02)


def test_it_has_more_room_where_it_rises_slowly():
    below, above = profile([(-2.0, -1.9), (-1.0, -2.0), (0.0, 0.0)]).room(0.05)
    assert below > 1.5 * above > 0


def test_its_room_ends_where_the_curve_does():
    found = profile([(-1.0, 0.0)])
    assert sum(found.room(0.05)) == pytest.approx(found.x[-1] - found.x[0])
    assert found.room(0.05)[1] == pytest.approx(found.x[-1] - found.lowest)
