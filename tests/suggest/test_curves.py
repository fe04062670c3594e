import math

import numpy as np
import pytest

from onecycle_cli import suggest


class TestSmoothing:
    @pytest.mark.parametrize("n", [1, 2, 30, 1500])
    def test_the_kernel_is_the_formula(self, n):
        random = np.random.default_rng(n)
        lrs, losses = np.sort(random.lognormal(size=n)), random.normal(size=n)
        for i in range(0, n, max(1, n // 7)):
            weights = [math.exp(-0.5 * (math.log(lr / lrs[i]) / 0.35) ** 2) for lr in lrs]
            expected = sum(w * v for w, v in zip(weights, losses, strict=True)) / sum(weights)
            assert suggest.smooth(lrs, losses)[i] == pytest.approx(expected, rel=1e-9)

    def test_the_kernel_keeps_a_constant_and_does_not_lag(self):
        lrs = np.geomspace(1e-5, 10, 201)
        np.testing.assert_allclose(suggest.smooth(lrs, np.full(201, 2.3)), 2.3, rtol=1e-13)
        valley = np.abs(np.log(lrs / lrs[100]))
        assert np.argmin(suggest.smooth(lrs, valley)) == 100

    def test_the_kernel_is_symmetric_in_time(self, flat):
        lrs, losses = flat(0)
        turned = suggest.smooth(1 / lrs[::-1], losses[::-1])[::-1]
        np.testing.assert_allclose(suggest.smooth(lrs, losses), turned, rtol=1e-10)

    def test_a_long_sweep_needs_no_square_of_memory(self):
        n = 6000
        smoothed = suggest.smooth(np.geomspace(1e-5, 10, n), np.ones(n))
        np.testing.assert_allclose(smoothed, 1, rtol=1e-12)

    @pytest.mark.parametrize("beta", [0.0, 0.5, 0.98, 0.999])
    def test_the_moving_average_keeps_a_constant(self, beta):
        np.testing.assert_allclose(suggest.moving_average([2.3] * 500, beta), 2.3, rtol=1e-12)

    def test_the_moving_average_by_hand(self):
        """(0.5 x 1 + 0.5 x 0.5 x ...) / (1 - 0.5^t): 4, (2 + 2) / 0.75 ..."""
        assert suggest.moving_average([4, 4, 0], 0.5) == pytest.approx([4, 4, 1.5 / 0.875])

    def test_the_moving_average_of_a_broken_curve(self):
        averages = suggest.moving_average([1.0, math.inf, 1.0], 0.9)
        assert averages[0] == pytest.approx(1) and not np.isfinite(averages[1:]).any()
        assert not len(suggest.moving_average([]))

    @pytest.mark.parametrize("n", [12, 40, 400])
    def test_the_usual_width_follows_the_range_and_its_density(self, n):
        for decades in (8, 6, 3.1):
            assert suggest.usual_bandwidth(np.geomspace(10**-decades, 1, n)) == 0.35
        wide = np.log(10) / (n - 1)
        expected = min(0.35, max(np.log(10) / 20, 2.5 * wide))
        assert suggest.usual_bandwidth(np.geomspace(0.1, 1, n)) == pytest.approx(expected)


class TestFinitePart:
    @pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf, 1e39])
    def test_ends_before_the_first_broken_loss(self, broken):
        lrs, losses = suggest.finite_part([1, 2, 3, 4], [5, 6, broken, 7])
        assert (lrs.tolist(), losses.tolist()) == ([1, 2], [5, 6])

    def test_keeps_rising_rates_only(self):
        lrs, losses = suggest.finite_part([0, -1, 2, 2, math.nan, 1, 3], [1, 2, 3, 4, 5, 6, 7])
        assert (lrs.tolist(), losses.tolist()) == ([2, 3], [3, 7])
