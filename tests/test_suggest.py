import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from onecycle_cli import suggest
from onecycle_cli.suggest import DEFAULT_MOMENTUM, suggest_lr, suggest_momentum

quickly = settings(derandomize=True, max_examples=150, deadline=None, database=None)


def drawn(
    seed, *, n=100, noise=0.1, drop=1e-2, blow_up=1.0, start=2.3, low=0.4, lrs=None, stop_factor=4.0
):
    """A range test: flat at `start`, falling at `drop`, growing by 35 % a step from `blow_up`."""
    lrs = np.geomspace(1e-5, 10, n) if lrs is None else lrs
    losses = low + (start - low) / (1 + (lrs / drop) ** 2)
    beyond = np.clip(np.arange(len(lrs)) - np.searchsorted(lrs, blow_up), 0, 100)
    losses = (losses + low * np.expm1(0.3 * beyond)) * np.exp(
        noise * np.random.default_rng(seed).normal(size=len(lrs))
    )
    if stop_factor is None:
        return lrs, losses
    means = np.convolve(losses, np.ones(5) / 5, "valid")
    over = np.flatnonzero(means > stop_factor * np.minimum.accumulate(means))
    end = over[0] + 5 if over.size else len(lrs)
    return lrs[:end], losses[:end]


LINEAR = [
    [4.51, 3.71, 3.07, 2.69, 2.05, 1.71, 1.23, 1.21, 1.20, 1.88, 1.69, 2.00, 1.81, 1.75, 1.26,
     2.49, 2.72, 1.43, 12.59, 18.57],
    [3.36, 3.31, 2.78, 2.08, 2.04, 2.40, 1.44, 0.99, 0.69, 0.73, 1.04, 1.86, 2.32, 5.58, 11.52],
    [3.64, 3.31, 2.83, 2.32, 1.97, 1.76, 1.50, 1.80, 2.64, 1.40, 1.73, 2.12, 1.80, 1.46, 1.61,
     1.57, 2.28, 5.90, 174.13],
]  # fmt: skip


def flat(seed, n=100, noise=0.15):
    return np.geomspace(1e-5, 10, n), 2.3 + noise * np.random.default_rng(seed).normal(size=n)


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

    def test_the_kernel_is_symmetric_in_time(self):
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


class TestFinitePart:
    @pytest.mark.parametrize("broken", [math.nan, math.inf, -math.inf, 1e39])
    def test_ends_before_the_first_broken_loss(self, broken):
        lrs, losses = suggest.finite_part([1, 2, 3, 4], [5, 6, broken, 7])
        assert (lrs.tolist(), losses.tolist()) == ([1, 2], [5, 6])

    def test_keeps_rising_rates_only(self):
        lrs, losses = suggest.finite_part([0, -1, 2, 2, math.nan, 1, 3], [1, 2, 3, 4, 5, 6, 7])
        assert (lrs.tolist(), losses.tolist()) == ([2, 3], [3, 7])


class TestSuggestLR:
    @pytest.mark.parametrize("blow_up", [0.05, 1.0, 4.0])
    @pytest.mark.parametrize(("n", "noise"), [(60, 0.1), (100, 0.05), (100, 0.2), (300, 0.2)])
    def test_finds_a_rate_somewhat_below_the_one_at_which_the_loss_blows_up(
        self, n, noise, blow_up
    ):
        for seed in range(10):
            sweeps = [
                drawn(10 * seed + i, n=n, noise=noise, blow_up=blow_up, drop=blow_up / 30)
                for i in range(3)
            ]
            suggestion = suggest_lr(sweeps).suggestion
            assert suggestion.verdict == "ok"
            assert blow_up / 6 < suggestion.value < blow_up / 1.5
            assert suggestion.interval[0] <= suggestion.value <= suggestion.interval[1]

    def test_repeats_make_it_steady(self):
        values = [
            suggest_lr([drawn(3 * seed + i, noise=0.2) for i in range(3)]).suggestion.value
            for seed in range(30)
        ]
        assert np.std(np.log10(values)) < 0.1

    def test_a_low_minimum_counts_as_left_when_the_loss_has_doubled(self):
        """The stop rule ends this sweep long before the loss is back at a tenth of its fall."""
        for seed in range(10):
            suggestion = suggest_lr([drawn(seed, low=0.001)]).suggestion
            assert suggestion.verdict == "ok"
            assert 0.15 < suggestion.value < 0.9

    def test_a_sudden_end_of_a_long_sweep_is_seen(self):
        """3,000 steps: the smoothed loss has no time to follow the five last ones."""
        suggestion = suggest_lr([drawn(0, n=3000)]).suggestion
        assert suggestion.verdict == "ok"
        assert suggestion.value == pytest.approx(0.148, rel=0.1)

    @pytest.mark.parametrize("end", [math.nan, math.inf])
    def test_ends_in_a_loss_that_is_not_finite(self, end):
        lrs, losses = drawn(1, stop_factor=None, blow_up=100)
        losses[80:] = end
        found = suggest_lr([(lrs, losses)])
        marks = found.landmarks[0]
        assert found.suggestion.verdict == "ok"
        assert lrs[79] / 2 < marks.diverge <= lrs[80]
        assert found.suggestion.value == pytest.approx(
            math.sqrt(marks.bottom * marks.diverge), rel=0.01
        )

    @pytest.mark.parametrize(
        ("low", "high", "n"), [(1e-3, 3, 300), (1e-2, 3, 100), (1e-4, 3, 300), (1e-5, 3, 300)]
    )
    def test_linear_sweeps(self, low, high, n):
        """Nearly all points lie in the last decade; the start is the first one alone."""
        lrs = np.linspace(low, high, n)
        for seed in range(10):
            sweep = drawn(seed, lrs=lrs, drop=0.1)
            suggestion = suggest_lr([sweep]).suggestion
            assert suggestion.verdict == "ok"
            assert 0.1 < suggestion.value < 0.9

    def test_a_linear_sweep_as_it_was_measured(self):
        """A perceptron on digits, 300 steps from 1e-5 to 10, of which 15 to 20 were taken."""
        lrs = np.linspace(1e-5, 10, 300)
        suggestion = suggest_lr([(lrs[: len(losses)], losses) for losses in LINEAR]).suggestion
        assert suggestion.verdict == "ok"
        assert 0.15 < suggestion.value < 0.3

    @pytest.mark.parametrize("low", [1e-5, 1e-3, 1e-2])
    def test_flat_noise_is_refused_in_linear_sweeps(self, low):
        lrs = np.linspace(low, 1, 100)
        accepted = [suggest_lr([(lrs, flat(seed)[1])]).suggestion.accepted for seed in range(200)]
        assert np.mean(accepted) <= 0.02

    @pytest.mark.parametrize("n", [40, 100, 400])
    @pytest.mark.parametrize("decades", [0.3, 1.0, 3.0, 6.0, 8.0])
    def test_the_same_curve_over_any_range(self, decades, n):
        """The same losses, their rates squeezed into a narrower range: the same place in it."""
        wide, losses = drawn(0, n=n, stop_factor=None, lrs=np.geomspace(1e-5, 10, n))
        lrs = 10 ** (np.log10(wide / 10) * decades / 6)
        place = math.log(suggest_lr([(lrs, losses)]).suggestion.value / lrs[0])
        expected = math.log(suggest_lr([(wide, losses)]).suggestion.value / wide[0])
        assert place / math.log(lrs[-1] / lrs[0]) == pytest.approx(
            expected / math.log(1e6), abs=0.05
        )

    @pytest.mark.parametrize("n", [12, 40, 400])
    def test_the_usual_width_follows_the_range_and_its_density(self, n):
        for decades in (8, 6, 3.1):
            assert suggest.usual_bandwidth(np.geomspace(10**-decades, 1, n)) == 0.35
        wide = np.log(10) / (n - 1)
        expected = min(0.35, max(np.log(10) / 20, 2.5 * wide))
        assert suggest.usual_bandwidth(np.geomspace(0.1, 1, n)) == pytest.approx(expected)

    @pytest.mark.parametrize("spike", [3.0, 50.0, 1e4, 1e20, 1e37])
    @pytest.mark.parametrize("position", [0, 1, 4, 9, 20, 70])
    def test_one_bad_batch_changes_little(self, position, spike):
        for seed in range(5):
            lrs, losses = drawn(seed)
            expected = suggest_lr([(lrs, losses)]).suggestion.value
            losses[position] += spike
            value = suggest_lr([(lrs, losses)]).suggestion.value
            assert value == pytest.approx(expected, rel=0.2)

    @pytest.mark.parametrize("position", [0, 1, 4, 9, 20, 70])
    def test_one_bad_batch_makes_no_descent(self, position):
        accepted = 0
        for seed in range(40):
            lrs, losses = flat(seed)
            losses[position] += 50
            accepted += suggest_lr([(lrs, losses)]).suggestion.accepted
        assert accepted <= 1

    @pytest.mark.parametrize(("n", "repeats"), [(20, 1), (100, 1), (300, 1), (100, 3)])
    def test_flat_noise_is_refused(self, n, repeats):
        accepted = [
            suggest_lr([flat(repeats * seed + i, n) for i in range(repeats)]).suggestion.accepted
            for seed in range(200)
        ]
        assert np.mean(accepted) <= 0.02

    def test_heavy_tails_are_refused(self):
        random = np.random.default_rng(0)
        lrs = np.geomspace(1e-5, 10, 100)
        sweeps = [(lrs, 2.3 + 0.1 * random.standard_t(3, size=100)) for _ in range(200)]
        assert np.mean([suggest_lr([sweep]).suggestion.accepted for sweep in sweeps]) <= 0.02

    @pytest.mark.parametrize("losses", [np.full(50, 2.3), np.linspace(2.3, 9, 50), np.zeros(50)])
    def test_a_loss_that_never_falls(self, losses):
        suggestion = suggest_lr([(np.geomspace(1e-5, 10, 50), losses)]).suggestion
        assert (suggestion.value, suggestion.interval) == (None, None)
        assert suggestion.verdict == "never_descended"
        assert "check the labels" in suggestion.reason

    def test_a_loss_that_still_falls_names_the_rate_to_try(self):
        lrs = np.geomspace(1e-6, 0.03, 100)
        for seed in range(20):
            suggestion = suggest_lr([drawn(seed, lrs=lrs)]).suggestion
            assert suggestion.verdict == "never_diverged"
            assert "at the highest learning rate 0.03; raise max_lr to 0.3 " in suggestion.reason

    @pytest.mark.parametrize("n", [0, 1, 2, 11])
    def test_a_sweep_that_is_too_short(self, n):
        lrs, losses = drawn(0, n=12)
        suggestion = suggest_lr([(lrs[:n], losses[:n])]).suggestion
        assert suggestion.verdict == "too_short"
        assert f"only {n} step" in suggestion.reason and "at least 12" in suggestion.reason

    def test_no_sweep_at_all(self):
        assert suggest_lr([]).suggestion.verdict == "too_short"

    def test_a_loss_that_is_never_finite(self):
        lrs, losses = np.geomspace(1e-5, 10, 100), np.full(100, np.nan)
        suggestion = suggest_lr([(lrs, losses)]).suggestion
        assert suggestion.verdict == "non_finite"
        assert "at step 1, at the learning rate 1e-05" in suggestion.reason

    def test_most_repeats_must_be_fit_to_be_judged(self):
        lrs = np.geomspace(1e-5, 10, 100)
        broken = (lrs, np.full(100, np.nan))
        assert suggest_lr([drawn(0), broken]).suggestion.verdict == "non_finite"
        assert suggest_lr([drawn(0), drawn(1), broken]).suggestion.verdict == "ok"
        assert suggest_lr([drawn(0), flat(1), flat(2)]).suggestion.verdict == "never_descended"

    def test_a_repeat_that_did_not_fall_has_no_say(self):
        """Its noise rebounds anywhere."""
        for seed in range(20):
            suggestion = suggest_lr([drawn(seed), drawn(seed + 1), flat(seed)]).suggestion
            assert suggestion.verdict == "ok"
            assert suggestion.interval[0] > 0.1

    def test_repeats_that_disagree_give_their_median_undecided(self):
        sweeps = [drawn(i, blow_up=b, drop=1e-3) for i, b in enumerate((0.1, 1.0, 3.0))]
        suggestion = suggest_lr(sweeps).suggestion
        assert suggestion.verdict == "undecided"
        assert suggestion.interval[0] < suggestion.value < suggestion.interval[1]
        assert suggestion.interval[0] < suggestion.interval[1] / 4

    def test_a_fall_to_the_level_of_chance_is_no_learning(self):
        """As with random labels: an overconfident start comes down to ln 10, and no further."""
        sweeps = [drawn(i, start=2.8, low=math.log(10), noise=0.02) for i in range(3)]
        assert suggest_lr(sweeps).suggestion.verdict == "ok"
        found = suggest_lr(sweeps, chance=math.log(10)).suggestion
        assert found.verdict == "never_descended"
        assert "what always giving the same answer costs" in found.reason

    def test_a_fall_below_chance_is_learning(self):
        sweeps = [drawn(i, start=2.8, low=2.0, noise=0.02) for i in range(3)]
        assert suggest_lr(sweeps, chance=math.log(10)) == suggest_lr(sweeps)

    def test_chance_says_nothing_of_a_start_far_above_it(self):
        sweeps = [drawn(i, start=9.0, low=2.5) for i in range(3)]
        assert suggest_lr(sweeps, chance=math.log(10)).suggestion.verdict == "ok"

    def test_the_basin_by_hand(self):
        """A parabola in log10 lr around 0.1, of depth 1: within a fifth of it at 0.1^.447 x 0.1."""
        lrs = np.geomspace(1e-3, 10, 401)
        losses = 1 + np.minimum(1.0, np.log10(lrs / 0.1) ** 2)
        marks = suggest.find_landmarks(lrs, losses, bandwidth=0.01)
        assert marks.bottom == pytest.approx(10 ** (-1 - math.sqrt(0.2)), rel=0.05)
        assert marks.diverge == pytest.approx(10 ** (-1 + math.sqrt(0.1)), rel=0.05)
        value = suggest_lr([(lrs, losses)], bandwidth=0.01).suggestion.value
        assert value == pytest.approx(math.sqrt(marks.bottom * marks.diverge), rel=0.01)

    def test_the_median_of_repeats(self):
        sweeps = [drawn(i, blow_up=b) for i, b in enumerate((0.8, 1.0, 1.3))]
        alone = [suggest_lr([sweep]).suggestion.value for sweep in sweeps]
        found = suggest_lr(sweeps)
        assert found.suggestion.value == sorted(alone)[1]
        assert found.suggestion.interval == (min(alone), max(alone))
        assert found.min_lr == pytest.approx(found.suggestion.value / 10)

    def test_one_sweep_has_an_interval_too(self):
        suggestion = suggest_lr([drawn(0)]).suggestion
        low, high = suggestion.interval
        assert low == pytest.approx(suggestion.value / 1.7, rel=0.01)
        assert high == pytest.approx(suggestion.value * 1.7, rel=0.01)

    @pytest.mark.parametrize("factor", [1e-3, 7.0, 1e5])
    def test_the_unit_of_the_loss_does_not_matter(self, factor):
        sweeps = [drawn(i) for i in range(3)]
        scaled = [(lrs, losses * factor) for lrs, losses in sweeps]
        assert suggest_lr(scaled).suggestion == suggest_lr(sweeps).suggestion

    def test_the_order_of_repeats_does_not_matter(self):
        sweeps = [drawn(i, noise=0.3) for i in range(4)]
        found, turned = suggest_lr(sweeps), suggest_lr(sweeps[::-1])
        assert turned.suggestion == found.suggestion
        assert turned.rules == found.rules
        assert turned.landmarks == found.landmarks[::-1]

    def test_landmarks_stand_in_order(self):
        marks = suggest_lr([drawn(0)]).landmarks[0]
        assert marks.first < marks.minimum < marks.diverge
        assert 2e-3 < marks.steep < 3e-2
        assert marks == suggest.find_landmarks(*drawn(0))

    def test_says_the_same_as_plain_data(self):
        accepted, refused = (suggest_lr([s]).suggestion for s in (drawn(0), flat(0)))
        assert accepted.as_dict()["interval"] == list(accepted.interval)
        assert (refused.as_dict()["value"], refused.as_dict()["interval"]) == (None, None)
        json.dumps([accepted.as_dict(), refused.as_dict()], allow_nan=False)

    @pytest.mark.parametrize("kind", [list, np.float32, np.float64])
    def test_takes_lists_and_arrays(self, kind):
        lrs, losses = drawn(0)
        sweep = (lrs.tolist(), losses.tolist())
        if kind is not list:
            sweep = (lrs.astype(kind), losses.astype(kind))
        assert suggest_lr([sweep]).suggestion.value == pytest.approx(0.15, rel=0.5)


PLANNED = (100, 10.0)


def falling(seed, n=100):
    """A range test whose loss falls, and does not rise again."""
    lrs = np.geomspace(1e-5, 10, 100)
    return lrs[:n], drawn(seed, lrs=lrs, blow_up=1e9, drop=1e-3)[1][:n]


class TestExplosions:
    """How far a loss has exploded says nothing more than that it has."""

    HUGE = (1e3, 1e6, 1e20, 1e37, 1e300, math.inf, math.nan, -math.inf)

    @quickly
    @given(st.integers(0, 20), st.floats(min_value=0, allow_nan=False))
    def test_any_last_loss_from_just_diverged_on(self, seed, more):
        lrs, losses = drawn(seed)
        expected = suggest_lr([(lrs, losses)]).suggestion.value
        losses[-1] += more
        suggestion = suggest_lr([(lrs, losses)]).suggestion
        assert suggestion.verdict == "ok"
        assert suggestion.value == pytest.approx(expected, rel=0.15)

    @pytest.mark.parametrize("seed", range(5))
    def test_no_rule_and_no_landmark_tells_them_apart(self, seed):
        found = []
        for last in self.HUGE:
            lrs, losses = drawn(seed)
            losses[-1] = last
            found.append(suggest_lr([(lrs, losses)]))
        assert all(other == found[0] for other in found)

    @pytest.mark.parametrize("rule", suggest.RULES)
    @pytest.mark.parametrize("last", HUGE)
    def test_every_rule_alone(self, rule, last):
        lrs, losses = drawn(0)
        before = suggest.RULES[rule](lrs, losses)
        losses[-1] = last
        near = 0.6 if rule == "slide" else 0.3  # which has the unit of the loss
        assert suggest.RULES[rule](lrs, losses) == pytest.approx(before, rel=near)

    @pytest.mark.parametrize("last", HUGE)
    def test_in_one_of_several_repeats(self, last):
        sweeps = [drawn(i) for i in range(3)]
        before = suggest_lr(sweeps).suggestion
        sweeps[1][1][-1] = last
        after = suggest_lr(sweeps).suggestion
        assert (after.verdict, after.value) == ("ok", pytest.approx(before.value, rel=0.15))

    @pytest.mark.parametrize("rate", [1.0, 3.0])
    def test_a_sweep_that_nobody_stopped(self, rate):
        """Its losses go on to 1e30: the suggestion is that of the part before."""
        for seed in range(5):
            lrs, losses = drawn(seed, stop_factor=None)
            beyond = np.clip(np.arange(100) - np.searchsorted(lrs, 1.0), 0, None)
            losses *= np.exp(rate * beyond)
            end = int(np.argmax(losses > 100)) + 1
            value = suggest_lr([(lrs, losses)]).suggestion.value
            stopped = suggest_lr([(lrs[:end], losses[:end])]).suggestion.value
            assert value == pytest.approx(stopped, rel=0.15)

    def test_an_explosion_is_no_fall(self):
        """Half of the losses have exploded, all alike once they are capped: noise is not zero."""
        for seed in range(40):
            lrs, losses = flat(seed)
            losses[40:] = 1e10
            assert suggest_lr([(lrs, losses)]).suggestion.verdict == "never_descended"

    @pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
    def test_most_of_a_sweep_may_have_exploded(self, share):
        """What grows without end is no noise, over which the ceiling would have to lie."""
        lrs, losses = drawn(0, n=400, stop_factor=None, blow_up=1.0)
        end = int(np.searchsorted(lrs, 1.0))
        wild = np.geomspace(10, 1e30, int(end * share / (1 - share)))
        rates = np.r_[lrs[:end], np.geomspace(1.05, 50, len(wild))]
        found = suggest_lr([(rates, np.r_[losses[:end], wild])]).suggestion
        few = suggest_lr([(rates[: end + 3], np.r_[losses[:end], wild[:3]])]).suggestion
        assert found.value == pytest.approx(few.value, rel=0.25)
        _, noisy = flat(0, n=400)
        found = suggest_lr([(rates, np.r_[noisy[:end], wild])]).suggestion
        assert found.verdict == "never_descended"

    def test_the_ceiling_by_hand(self):
        """Start 3, lowest 1: twice the fall of 2 above 3. Flat: five times the noise above it."""
        assert suggest.ceiling(np.r_[3.0, 3, 3, 2, 1, 1, 1, 1, 1e20]) == 7
        noisy = np.resize([1.0, 1.0, 1.954], 300)
        assert suggest.ceiling(noisy) == pytest.approx(1 + 5 * 1.0)


class TestRefusals:
    """What is refused names what was seen: how many points, the planned end, how it ended."""

    @pytest.mark.parametrize("sweep", [flat(0), falling(0)], ids=["flat", "falling"])
    @pytest.mark.parametrize("n", [1, 5, 20, 60, 99])
    def test_a_test_that_fit_cut_short(self, sweep, n):
        lrs, losses = sweep[0][:n], sweep[1][:n]
        found = suggest_lr([(lrs, losses)], planned=PLANNED).suggestion
        assert (found.value, found.verdict) == (None, "too_short")
        assert found.reason == (
            f"the test was cut short: fit ended after {n} of 100 planned steps, at the learning "
            f"rate {lrs[-1]:.3g} instead of 10; give fit more epochs, or plan fewer steps."
        )

    def test_a_test_that_went_to_its_end_was_not_cut_short(self):
        for stopped in (None, "completed"):
            found = suggest_lr([falling(0)], planned=PLANNED, stopped=stopped).suggestion
            assert found.verdict == "never_diverged"
            assert "raise max_lr to 100" in found.reason
            assert "all 100 steps up to 10 were taken" in found.reason
            found = suggest_lr([flat(0)], planned=PLANNED, stopped=stopped).suggestion
            assert found.verdict == "never_descended"
            assert "all 100 steps up to 10 were taken; check the labels" in found.reason

    def test_a_loss_that_diverged_before_it_fell(self):
        lrs, losses = np.geomspace(1e-5, 10, 100)[:15], np.linspace(2.3, 90, 15)
        found = suggest_lr([(lrs, losses)], planned=PLANNED, stopped="diverged").suggestion
        assert found.verdict == "never_descended"
        assert "the loss diverged at step 15 of 100, at the learning rate 7.05e-05 on the way to 10; lower min_lr" in found.reason  # fmt: skip # noqa: E501
        assert "labels" not in found.reason and "raise max_lr" not in found.reason

    @pytest.mark.parametrize("n", [1, 5, 11])
    def test_a_loss_that_diverged_before_there_was_a_curve(self, n):
        lrs, losses = np.geomspace(1e-5, 10, 100)[:n], np.geomspace(2.3, 90, n)
        found = suggest_lr([(lrs, losses)], planned=PLANNED, stopped="diverged").suggestion
        assert found.verdict == "too_short"
        assert f"the loss diverged at step {n} of 100" in found.reason
        assert "lower min_lr" in found.reason

    @pytest.mark.parametrize("n", [10, 20])
    def test_a_linear_test_whose_steps_come_after_the_divergence(self, n):
        lrs, losses = np.linspace(1e-5, 10, 100)[:n], np.geomspace(2.3, 90, n)
        found = suggest_lr([(lrs, losses)], planned=PLANNED, stopped="diverged").suggestion
        assert f"diverged at step {n} of 100" in found.reason
        assert "raise the number of steps, or lower max_lr" in found.reason

    def test_the_step_at_which_it_diverged_is_of_a_test_that_did(self):
        lrs = np.geomspace(1e-5, 10, 100)
        sweeps = [(lrs[:15], np.linspace(2.3, 90, 15))] * 2 + [(lrs, np.full(100, 2.3))]
        found = suggest_lr(sweeps, planned=PLANNED, stopped="diverged").suggestion
        assert "diverged at step 15 of 100" in found.reason

    def test_a_loss_that_is_not_finite_names_the_planned_steps(self):
        lrs, losses = np.geomspace(1e-5, 10, 100), np.r_[np.full(5, 2.3), math.nan]
        found = suggest_lr([(lrs[:6], losses)], planned=PLANNED, stopped="non_finite").suggestion
        assert found.verdict == "non_finite"
        assert "not finite at step 6 of 100, at the learning rate 2.01e-05" in found.reason

    def test_a_loss_that_is_not_finite_after_no_fall(self):
        lrs, losses = flat(0)
        losses[50:] = math.inf
        found = suggest_lr([(lrs, losses)], planned=PLANNED, stopped="non_finite").suggestion
        assert found.verdict == "never_descended"
        assert "after step 50 of 100" in found.reason and "not finite" in found.reason
        assert "check the labels" in found.reason and "raise max_lr" not in found.reason

    def test_few_steps_over_many_decades(self):
        """20 steps over 6 decades: whether anything is learned can't be seen."""
        found = suggest_lr([flat(0, 20)], planned=(20, 10.0), stopped="completed").suggestion
        assert found.verdict == "never_descended"
        assert "all 20 steps up to 10 were taken; that is few for so wide" in found.reason
        assert "raise the number of steps first" in found.reason

    def test_where_nothing_is_known_of_the_plan(self):
        found = suggest_lr([flat(0, 60)]).suggestion
        assert "60 steps were recorded, the last at the learning rate 10" in found.reason

    @pytest.mark.parametrize("planned", [None, PLANNED])
    def test_what_is_accepted_needs_no_plan(self, planned):
        for stopped in (None, *suggest.STOPPED):
            assert suggest_lr([drawn(0)], planned=planned, stopped=stopped) == suggest_lr(
                [drawn(0)]
            )

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"stopped": "done"}, r"`stopped` must be one of completed, .* got 'done'"),
            ({"skip_begin": -1}, "`skip_begin` must be at least 0; got -1"),
            ({"skip_end": -5}, "`skip_end` must be at least 0; got -5"),
        ],
    )
    def test_arguments_that_mean_nothing(self, wrong, message):
        with pytest.raises(ValueError, match=message):
            suggest_lr([drawn(0)], **wrong)


class TestSkipping:
    @pytest.mark.parametrize("rule", suggest.RULES)
    @pytest.mark.parametrize("skip", [(7, 0), (20, 3), (10, 4)])
    def test_the_rules_see_the_rest(self, rule, skip):
        begin, end = skip
        sweeps = [drawn(i, stop_factor=None) for i in range(3)]
        rest = [(lrs[begin : 100 - end], losses[begin : 100 - end]) for lrs, losses in sweeps]
        skipped = suggest_lr(sweeps, rule=rule, skip_begin=begin, skip_end=end)
        assert skipped == suggest_lr(rest, rule=rule)
        assert skipped.rules != suggest_lr(sweeps, rule=rule).rules

    def test_an_explosion_that_is_left_out_is_still_known(self):
        lrs, losses = drawn(0, blow_up=1e9)
        end = np.r_[losses[:90], np.full(10, 1e3)]
        assert suggest_lr([(lrs, losses)]).suggestion.verdict == "never_diverged"
        found = suggest_lr([(lrs, end)], skip_end=10)
        assert (found.suggestion.verdict, found.landmarks[0].diverge) == ("ok", lrs[89])

    def test_too_much_at_the_end_is_no_reason_to_go_further(self):
        found = suggest_lr([falling(0)], skip_end=20, planned=PLANNED, stopped="completed")
        assert found.suggestion.verdict == "never_diverged"
        assert "leave out fewer than 20 points at the end" in found.suggestion.reason
        assert "raise max_lr" not in found.suggestion.reason

    @pytest.mark.parametrize("skip", [(95, 0), (0, 95), (50, 50), (1000, 1000)])
    def test_too_much(self, skip):
        found = suggest_lr([drawn(0, stop_factor=None)], skip_begin=skip[0], skip_end=skip[1])
        left = max(0, 100 - sum(skip))
        assert found.suggestion.verdict == "too_short"
        assert f"only {left} steps of 100 are left" in found.suggestion.reason


def fastai_valley(lrs, losses):
    """Its formula, number by number: `a = e - lds[e]`, though the points need not be adjacent."""
    lds = [1] * len(losses)
    for i in range(1, len(losses)):
        for j in range(i):
            if losses[i] < losses[j] and lds[i] < lds[j] + 1:
                lds[i] = lds[j] + 1
    e = lds.index(max(lds))
    a = e - lds[e]
    q = (e - a) / 3
    return lrs[a + int(q) + int(q / 2)]


def test_the_valley_is_half_way_along_a_fall_as_it_says():
    lrs = np.geomspace(1e-4, 1, 101)
    assert suggest.valley(lrs, np.linspace(2, 1, 101)) == pytest.approx(lrs[49], rel=0.1)
    assert "half way" in suggest.RULES["valley"].about and "half way" in suggest.valley.__doc__


class TestValley:
    @pytest.mark.parametrize("seed", range(20))
    def test_is_the_formula_of_fastai(self, seed):
        lrs, losses = drawn(seed, n=40 + seed, noise=0.02 * seed)
        losses = np.median(
            [np.r_[losses[2], losses[:-1]], losses, np.r_[losses[1:], losses[-1]]], 0
        )
        expected = fastai_valley(lrs, suggest.smooth(lrs, losses))
        assert suggest.valley(*drawn(seed, n=40 + seed, noise=0.02 * seed)) == expected

    @pytest.mark.parametrize("n", [12, 13, 50])
    def test_falling_all_the_way(self, n):
        lrs, losses = np.geomspace(1e-3, 1, n), np.linspace(2, 1, n)
        assert suggest.valley(lrs, losses) == fastai_valley(lrs, losses)

    def test_never_falling(self):
        lrs = np.geomspace(1e-3, 1, 20)
        assert suggest.valley(lrs, np.linspace(1, 2, 20)) == lrs[0]

    def test_too_short(self):
        assert suggest.valley(np.geomspace(1e-3, 1, 11), np.linspace(2, 1, 11)) is None


def fastai_slide(lrs, losses):
    """Its formula: `lr_diff=15, thresh=.005`, from the end of the curve to the left."""
    slope = np.gradient(losses)
    right, left = -1, -16
    answer = lrs[left]
    while left >= -len(losses) and abs(slope[right] - slope[left]) > 0.005:
        answer = lrs[left]
        right, left = right - 1, left - 1
    return answer


def fastai_steep(lrs, losses):
    """Its formula, number by number, over the whole curve."""
    slopes = [
        (losses[i + 1] - losses[i]) / (math.log(lrs[i + 1]) - math.log(lrs[i]))
        for i in range(len(lrs) - 1)
    ]
    return lrs[slopes.index(min(slopes))]


class TestRules:
    @pytest.mark.parametrize("seed", range(20))
    def test_steep_is_the_formula_of_fastai(self, seed):
        sweep = drawn(seed, n=40 + seed, noise=0.02 * seed)
        assert suggest.RULES["steep"](*sweep) == fastai_steep(sweep[0], smoothed(*sweep))

    @pytest.mark.parametrize("seed", range(20))
    def test_slide_is_the_formula_of_fastai(self, seed):
        sweep = drawn(seed, n=40 + seed, noise=0.02 * seed)
        expected = fastai_slide(sweep[0], smoothed(*sweep))
        assert suggest.slide(*sweep) == suggest.RULES["slide"](*sweep) == expected

    def test_the_landmarks_are_rules(self):
        sweep = drawn(0)
        marks = suggest.find_landmarks(*sweep)
        assert {name: rule(*sweep) for name, rule in suggest.RULES.items()} == {
            "basin": pytest.approx((marks.bottom * marks.diverge) ** 0.5),
            "rebound/2": marks.diverge / 2,
            "steep": marks.steep,
            "valley": suggest.valley(*sweep),
            "slide": suggest.slide(*sweep),
            "minimum/10": marks.minimum / 10,
            "minimum": marks.minimum,
        }

    @pytest.mark.parametrize("rule", suggest.RULES)
    def test_a_suggestion_by_rule_is_the_median_of_its_answers(self, rule):
        sweeps = [drawn(i) for i in range(3)]
        answers = sorted(suggest.RULES[rule](*sweep) for sweep in sweeps)
        found = suggest_lr(sweeps, rule=rule)
        assert found.suggestion.verdict == "ok"
        assert found.suggestion.value == pytest.approx(answers[1], rel=0.01)
        assert found.suggestion.interval == pytest.approx((answers[0], answers[2]), rel=0.01)
        assert found.min_lr == pytest.approx(answers[1] / 10, rel=0.01)
        assert found.rules == suggest_lr(sweeps).rules
        assert found.rules[rule] == answers[1]
        assert suggest.RULES[rule].about in found.suggestion.reason

    def test_the_basin_is_what_is_suggested(self):
        for seed in range(10):
            sweeps = [drawn(seed), drawn(seed + 1, n=60), flat(seed)]
            by_rule = suggest_lr(sweeps, rule="basin").suggestion
            usual = suggest_lr(sweeps).suggestion
            assert (by_rule.value, by_rule.interval) == (usual.value, usual.interval)

    @pytest.mark.parametrize("rule", suggest.RULES)
    def test_no_rule_reads_anything_into_noise(self, rule):
        assert suggest_lr([flat(0)], rule=rule).suggestion.verdict == "never_descended"

    @pytest.mark.parametrize("rule", suggest.RULES)
    def test_a_curve_that_never_rose_has_a_slope_but_no_minimum(self, rule):
        sweep = drawn(0, lrs=np.geomspace(1e-6, 0.03, 100))
        needs_rebound = rule in ("basin", "rebound/2", "minimum/10", "minimum")
        verdict = "never_diverged" if needs_rebound else "ok"
        assert suggest_lr([sweep], rule=rule).suggestion.verdict == verdict

    def test_a_rule_without_an_answer_on_a_short_curve(self):
        lrs, losses = np.geomspace(1e-4, 1, 14), np.r_[[2.3] * 5, np.linspace(2.2, 1, 6), 3, 9, 20]
        assert suggest_lr([(lrs, losses)]).suggestion.verdict == "ok"
        assert suggest_lr([(lrs, losses)], rule="slide").suggestion.verdict == "too_short"

    def test_a_wider_kernel_gives_the_answer_on_its_own_curve(self):
        sweep = drawn(0, noise=0.3)
        for width in (0.1, 1.5):
            k = smoothed(*sweep, width)
            expected = sweep[0][np.argmin(k)]
            assert suggest.RULES["minimum"](*sweep, bandwidth=width) == expected
            assert suggest_lr([sweep], bandwidth=width).rules["minimum"] == expected

    @pytest.mark.parametrize("width", [1e-320, 1e-9, 1e300])
    def test_any_width_gives_a_verdict(self, width):
        assert suggest_lr([drawn(0)], bandwidth=width).suggestion.verdict

    def test_an_unknown_rule(self):
        with pytest.raises(ValueError, match=r"`rule` must be one of basin, .* got 'steepest'"):
            suggest_lr([drawn(0)], rule="steepest")


def smoothed(lrs, losses, bandwidth=0.35):
    neighbours = [np.r_[losses[2], losses[:-1]], losses, np.r_[losses[1:], losses[-1]]]
    return suggest.smooth(lrs, np.median(neighbours, axis=0), bandwidth)


numbers = st.floats(allow_nan=True, allow_infinity=True)
curves = st.integers(0, 40).flatmap(
    lambda n: st.tuples(
        arrays.arrays(float, n, elements=numbers), arrays.arrays(float, n, elements=numbers)
    )
)
likely = st.integers(12, 40).flatmap(
    lambda n: st.tuples(
        st.just(np.geomspace(1e-6, 10, n)),
        arrays.arrays(float, n, elements=st.floats(-1e6, 1e30) | st.just(math.nan)),
    )
)


class TestAnyData:
    @quickly
    @given(st.lists(curves | likely, max_size=4))
    def test_never_raises(self, sweeps):
        found = suggest_lr(sweeps)
        suggestion = found.suggestion
        assert suggestion.accepted == (suggestion.value is not None)
        assert suggestion.accepted == (suggestion.interval is not None)
        assert len(found.landmarks) == len(sweeps)
        if suggestion.accepted:
            assert suggestion.interval[0] <= suggestion.value <= suggestion.interval[1]

    @quickly
    @given(st.lists(likely, min_size=1, max_size=3))
    def test_stays_within_the_sweep(self, sweeps):
        found = suggest_lr(sweeps).suggestion
        if found.accepted:
            assert 0.99e-6 / 2 <= found.value <= 5

    @quickly
    @given(
        st.dictionaries(
            st.floats(0, 0.999) | st.just("cycled"),
            st.lists(arrays.arrays(float, 6, elements=numbers), min_size=2, max_size=2),
            min_size=1,
            max_size=5,
        )
    )
    def test_comparisons_never_raise(self, scores):
        found = suggest_momentum(scores)
        if found.accepted:
            low, high = found.value["min"], found.value["max"]
            assert 0 <= low <= high < 1
            assert found.interval[0] <= low and high <= found.interval[1]
        decays = {c: runs for c, runs in scores.items() if c != "cycled"}
        found = suggest.suggest_weight_decay(decays)
        if found.accepted:
            assert found.value in decays
            assert found.interval[0] <= found.value <= found.interval[1]


def runs(mean, *, count=2, n=60, noise=0.1, seed=0):
    """Replicates that share their batches: the same noise for every candidate, and some its own."""
    shared = np.random.default_rng(seed).normal(size=(count, n))
    own = np.random.default_rng([seed, int(mean * 1e6)]).normal(size=(count, n))
    return list(mean + noise * shared + 0.2 * noise * (own - own.mean()))


DIVERGED = [np.full(60, np.inf)] * 2


class TestPairedDifference:
    @pytest.mark.parametrize(("count", "t"), [(1, 2.262), (2, 2.101)])
    def test_student_of_blocks_within_replicates(self, count, t):
        """10 blocks of 6 each: 9 degrees of freedom for a replicate, 18 for two."""
        worse, best = runs(1.0, count=count), runs(0.9, count=count)
        blocks = [(a - b).reshape(10, 6).mean(axis=1) for a, b in zip(worse, best, strict=True)]
        mean = np.mean(blocks)
        error = np.sqrt(sum(b.var(ddof=1) / 10 for b in blocks)) / count
        found = suggest.paired_difference(worse, best)
        assert found.mean == pytest.approx(mean, rel=1e-12)
        assert found.interval == pytest.approx((mean - t * error, mean + t * error), rel=0.01)

    def test_normal_between_three_replicates(self):
        worse = [np.full(60, v) for v in (1.0, 1.3, 1.9)]
        found = suggest.paired_difference(worse, [np.zeros(60)] * 3)
        margin = 1.96 * np.std([1.0, 1.3, 1.9], ddof=1) / np.sqrt(3)
        assert found.mean == pytest.approx(1.4)
        assert found.interval == pytest.approx((1.4 - margin, 1.4 + margin))

    @pytest.mark.parametrize("count", [1, 2, 4])
    @pytest.mark.parametrize("n", [2, 5, 60])
    def test_the_interval_covers_the_truth(self, n, count):
        random = np.random.default_rng(0)
        hits = 0
        for _ in range(400):
            worse = list(0.3 + random.normal(size=(count, n)))
            low, high = suggest.paired_difference(worse, [np.zeros(n)] * count).interval
            hits += low <= 0.3 <= high
        assert hits / 400 > 0.92

    def test_pairing_removes_what_the_batches_share(self):
        paired = suggest.paired_difference(runs(1.02), runs(1.0))
        unpaired = suggest.paired_difference(runs(1.02, seed=1), runs(1.0))
        assert not paired.tied
        assert unpaired.tied

    def test_one_loss_decides_nothing(self):
        found = suggest.paired_difference([[2.0]], [[1.0]])
        assert found.mean == 1 and found.interval == (-math.inf, math.inf) and found.tied

    @pytest.mark.parametrize("broken", [math.inf, -math.inf, math.nan])
    def test_a_loss_that_is_not_finite_is_infinitely_worse(self, broken):
        for worse, best in (([[1.0, broken]], [[1.0, 1.0]]), ([[broken, 1]], [[broken, 1]])):
            found = suggest.paired_difference(worse, best)
            assert found.interval == (math.inf, math.inf)
            assert not found.tied


class TestRank:
    def test_the_lowest_mean_wins(self):
        best, others = suggest.rank({"a": runs(1.2), "b": runs(0.9), "c": DIVERGED})
        assert best == "b"
        assert others["a"].mean == pytest.approx(0.3, abs=0.05)
        assert others["c"].mean == math.inf
        assert others["a"] == suggest.paired_difference(runs(1.2), runs(0.9))

    def test_one_broken_replicate_disqualifies(self):
        broken = [runs(0.1)[0], np.full(60, np.nan)]
        assert suggest.rank({1: broken, 2: runs(1.0)})[0] == 2

    @pytest.mark.parametrize("scores", [{}, {1: DIVERGED}, {1: []}, {1: [[]]}])
    def test_nothing_to_rank(self, scores):
        with pytest.raises(ValueError, match="no candidate"):
            suggest.rank(scores)


class TestExplodedCandidates:
    """One huge loss has an error as large as itself, which must not make a tie of it."""

    @pytest.fixture(params=[1e4, 1e20, 1e37, 1e300])
    def exploded(self, request):
        losses = runs(1.0)
        losses[1][-1] = request.param
        return losses

    def test_is_infinitely_worse(self, exploded):
        best, others = suggest.rank({"good": runs(1.0), "exploded": exploded})
        assert best == "good"
        assert others["exploded"].mean == math.inf and not others["exploded"].tied
        assert suggest.paired_error(exploded, runs(1.0)) == math.inf

    def test_is_never_suggested(self, exploded):
        decay = suggest.suggest_weight_decay({1e-2: exploded, 1e-3: runs(1.0), 1e-4: runs(1.5)})
        assert (decay.verdict, decay.value) == ("ok", 1e-3)
        momentum = suggest_momentum({0.8: exploded, 0.9: runs(1.5), "cycled": runs(1.0)})
        assert (momentum.verdict, momentum.value) == ("ok", DEFAULT_MOMENTUM)
        scores = {0.02: exploded, 0.04: runs(1.0), 0.08: runs(1.5)}
        assert suggest.confirm_lr(scores, tried=(0.01, 0.16), normalised=True).value == 0.04
        assert suggest.finalists({0.01: exploded, 0.03: runs(1.0), 0.09: runs(1.5)})[1] == 0.03
        assert suggest.next_rate({0.01: runs(1.5), 0.03: runs(1.0), 0.09: exploded}) is None
        assert suggest.survivors({0.8: exploded, 0.9: runs(1.0), 0.95: runs(1.001)}, min) == [
            0.9,
            0.95,
        ]

    def test_a_bad_batch_that_all_share_is_no_explosion_of_one(self):
        one, other = runs(1.0), runs(1.5)
        for losses in (*one, *other):
            losses[7] = 1e20
        assert suggest.paired_difference(other, one).mean == pytest.approx(0.5, rel=0.1)

    def test_a_loss_of_zero_can_be_compared(self):
        worse = np.full(60, 1e-9)
        assert suggest.paired_difference([worse], [np.zeros(60)]).mean == pytest.approx(1e-9)
        worse[-1] = 1e20
        assert suggest.paired_difference([worse], [np.zeros(60)]).mean == math.inf


class TestConfirmLR:
    TRIED = (0.01, 0.02, 0.04, 0.08, 0.16)

    @pytest.mark.parametrize(
        ("means", "verdict", "value", "interval"),
        [
            ({0.02: 1.0, 0.04: 1.5, 0.08: 1.5}, "ok", 0.02, (0.0152, 0.0263)),
            ({0.02: 1.5, 0.04: 1.0, 0.08: 1.5}, "ok", 0.04, (0.0304, 0.0526)),
            # the smallest of those that can't be told from the best
            ({0.02: 1.001, 0.04: 1.5, 0.08: 1.0}, "ok", 0.02, (0.0152, 0.105)),
            # a candidate that diverged counts for nothing
            ({0.02: None, 0.04: 1.0, 0.08: None}, "ok", 0.04, (0.0304, 0.0526)),
            ({0.02: None, 0.04: None}, "non_finite", None, None),
            ({}, "non_finite", None, None),
            # at the ends of what was tried, something better may lie beyond
            ({0.01: 1.0, 0.02: 1.5}, "undecided", 0.01, (0.0076, 0.0132)),
            ({0.08: 1.5, 0.16: 1.0}, "undecided", 0.16, (0.122, 0.211)),
        ],
    )
    def test_the_smallest_that_is_as_good_as_the_best(self, means, verdict, value, interval):
        scores = {lr: DIVERGED if mean is None else runs(mean) for lr, mean in means.items()}
        found = suggest.confirm_lr(scores, tried=self.TRIED, normalised=True)
        assert (found.verdict, found.value, found.interval) == (verdict, value, interval)
        if found.accepted:
            assert "confirmed by short, complete 1cycles: " in found.reason

    def test_a_network_without_normalisation_gets_a_margin(self):
        scores = {0.02: runs(1.5), 0.04: runs(1.0), 0.08: runs(1.001)}
        found = suggest.confirm_lr(scores, tried=self.TRIED, normalised=False)
        assert found.value == pytest.approx(0.04 / math.sqrt(2), rel=0.01)
        reach = 3**0.25
        ends = (0.04 / math.sqrt(2) / reach, 0.08 / math.sqrt(2) * reach)
        assert found.interval == pytest.approx(ends, rel=0.01)
        assert "divided by 1.41, as the network has no normalisation" in found.reason

    def test_replicates_that_contradict_each_other_widen_the_error(self):
        """Each replicate is sure, and they disagree: 0.5 worse, 0.4 better."""
        flipping = {0.04: [np.full(60, 1.5), np.full(60, 0.6)], 0.08: [np.full(60, 1.0)] * 2}
        assert suggest.as_good_as_the_best(flipping) == [0.04, 0.08]
        agreeing = {0.04: [np.full(60, 1.05)] * 2, 0.08: [np.full(60, 1.0)] * 2}
        assert suggest.as_good_as_the_best(agreeing) == [0.08]

    def test_the_standard_error_by_hand(self):
        """Between: 0.5 and -0.4, of which half the distance is 0.45; within there is none."""
        error = suggest.paired_error([np.full(60, 1.5), np.full(60, 0.6)], [np.ones(60)] * 2)
        assert error == pytest.approx(0.45)
        worse, best = runs(1.1, count=1), runs(1.0, count=1)
        blocks = (worse[0] - best[0]).reshape(10, 6).mean(axis=1)
        assert suggest.paired_error(worse, best) == pytest.approx(blocks.std(ddof=1) / 10**0.5)
        assert suggest.paired_error([[1.0]], [[2.0]]) == math.inf
        assert suggest.paired_error([[math.nan, 1]], [[2.0, 2]]) == math.inf

    def test_the_finalists_are_the_best_and_half_a_step_to_either_side(self):
        means = {0.01: 3.0, 0.03: 1.0, 0.09: None}
        scores = {lr: [np.array([m or np.inf])] for lr, m in means.items()}
        assert suggest.finalists(scores) == [0.0173, 0.03, 0.052]
        assert suggest.finalists({0.1: [np.array([np.nan])]}) == []

    def test_the_ladder_is_around_the_provisional_value(self):
        assert suggest.ladder(0.3) == [0.1, 0.3, 0.9]
        assert suggest.ladder(0.123456)[1] == 0.123

    @pytest.mark.parametrize(
        ("means", "further"),
        [
            ({0.1: 2.0, 0.3: 1.0, 0.9: 3.0}, None),
            ({0.1: 1.0, 0.3: 2.0, 0.9: 3.0}, 0.0333),
            ({0.1: 3.0, 0.3: 2.0, 0.9: 1.0}, 2.7),
            ({0.1: 1.0, 0.3: None, 0.9: None}, 0.0333),
            ({0.1: None, 0.3: None, 0.9: None}, 0.0333),
            ({0.1: 2.0, 0.3: 1.0, 0.9: None}, None),
            ({0.1: 1.0}, 0.0333),
        ],
    )
    def test_the_ladder_grows_where_its_end_is_the_best(self, means, further):
        scores = {lr: DIVERGED if mean is None else runs(mean) for lr, mean in means.items()}
        assert suggest.next_rate(scores) == further


class TestSuggestWeightDecay:
    @pytest.mark.parametrize(
        ("scores", "verdict", "value", "interval"),
        [
            ({1e-3: 1.5, 1e-4: 1.0, 1e-5: 1.3}, "ok", 1e-4, (1e-4, 1e-4)),
            ({1e-3: 1.5, 1e-4: 1.001, 1e-5: 1.0}, "undecided", 1e-4, (1e-5, 1e-4)),
            ({1e-3: 1.001, 1e-4: 1.002, 0.0: 1.0}, "undecided", 1e-3, (0.0, 1e-3)),
            ({1e-2: None, 1e-3: 1.0}, "ok", 1e-3, (1e-3, 1e-3)),
        ],
    )
    def test_the_largest_that_ties_with_the_best(self, scores, verdict, value, interval):
        scores = {d: DIVERGED if mean is None else runs(mean) for d, mean in scores.items()}
        found = suggest.suggest_weight_decay(scores)
        assert (found.verdict, found.value, found.interval) == (verdict, value, interval)

    def test_all_diverged(self):
        found = suggest.suggest_weight_decay({1e-3: DIVERGED, 1e-4: DIVERGED})
        assert (found.verdict, found.value) == ("non_finite", None)
        assert "lower the learning rate" in found.reason

    def test_noise_alone_is_rarely_decided(self):
        random = np.random.default_rng(0)
        verdicts = [
            suggest.suggest_weight_decay(
                {10.0**-d: list(random.normal(size=(2, 60))) for d in range(5)}
            ).verdict
            for _ in range(200)
        ]
        assert verdicts.count("ok") <= 8


class TestSuggestMomentum:
    @pytest.mark.parametrize(
        ("scores", "verdict", "value", "interval"),
        [
            # a constant that wins is cycled around
            ({0.8: 1.0, 0.9: 1.5, "cycled": 1.4}, "ok", (0.85, 0.75), (0.75, 0.85)),
            ({0.0: 1.0, 0.9: 1.5, "cycled": 1.4}, "ok", (0.05, 0.0), (0.0, 0.05)),
            ({0.99: 1.0, 0.9: 1.5, "cycled": 1.4}, "ok", (0.99, 0.94), (0.94, 0.99)),
            # the default range wins, or ties
            ({0.8: 1.5, 0.9: 1.5, "cycled": 1.0}, "ok", (0.95, 0.85), (0.85, 0.95)),
            ({0.8: 1.5, 0.9: 1.001, "cycled": 1.0}, "undecided", (0.95, 0.85), (0.85, 0.95)),
            ({0.8: 1.0, 0.99: 1.002, "cycled": 1.001}, "undecided", (0.95, 0.85), (0.8, 0.99)),
            # the default range is worse than what ties: it is no safe choice
            ({0.5: 1.0, 0.6: 1.001, "cycled": 1.5}, "undecided", (0.55, 0.45), (0.45, 0.6)),
            ({0.5: 1.0, 0.6: 1.001, "cycled": None}, "undecided", (0.55, 0.45), (0.45, 0.6)),
            # nobody tried it
            ({0.5: 1.0, 0.6: 1.001}, "undecided", (0.95, 0.85), (0.5, 0.95)),
        ],
    )
    def test_verdicts(self, scores, verdict, value, interval):
        scores = {m: DIVERGED if mean is None else runs(mean) for m, mean in scores.items()}
        found = suggest_momentum(scores)
        assert found.verdict == verdict
        assert found.value == {"max": value[0], "min": value[1]}
        assert found.interval == interval
        assert f"{value[0]:g} to {value[1]:g}" in found.reason or verdict == "ok"

    def test_all_diverged(self):
        found = suggest_momentum({0.9: DIVERGED, "cycled": DIVERGED})
        assert (found.verdict, found.value, found.interval) == ("non_finite", None, None)

    def test_the_default_is_handed_out_as_a_copy(self):
        suggest_momentum({0.9: runs(1.0), "cycled": runs(1.0)}).value["max"] = 0
        assert DEFAULT_MOMENTUM == {"max": 0.95, "min": 0.85}


class TestPlanRace:
    @pytest.mark.parametrize(
        ("candidates", "steps", "replicates", "plan"),
        [
            (6, 100, 3, [(6, 25, 1), (3, 50, 2), (2, 100, 3)]),
            (7, 300, 3, [(7, 75, 1), (4, 150, 2), (2, 300, 3)]),
            (6, 48, 3, [(6, 24, 1), (3, 24, 2), (2, 48, 3)]),  # none shorter than 24
            (6, 12, 1, [(6, 12, 1), (3, 12, 1), (2, 12, 1)]),  # unless the last one is
            (3, 100, 3, [(3, 50, 1), (2, 100, 3)]),
            (2, 100, 3, [(2, 100, 3)]),
            (1, 100, 3, [(1, 100, 3)]),
        ],
    )
    def test_half_as_many_run_twice_as_long(self, candidates, steps, replicates, plan):
        rungs = suggest.plan_race(candidates, steps, replicates)
        assert [(r.candidates, r.steps, r.replicates) for r in rungs] == plan

    def test_a_race_goes_on_with_another_replicate(self):
        rungs = suggest.plan_race(3, 100, 5, done=1)
        assert [(r.candidates, r.steps, r.replicates) for r in rungs] == [(3, 50, 2), (2, 100, 5)]


def largest(tied):
    return max(tied)


class TestSurvivors:
    @pytest.mark.parametrize(
        ("means", "left"),
        [
            ([1.0, 1.0005, 1.001, 1.0015, 1.002, 1.0025], [0, 1, 5]),  # half, and the safest of all
            ([1.0, 1.001, 1.002, 1.5, 1.5, 1.6], [0, 1, 2]),  # clearly worse is never safe
            ([1.5, 1.0, 1.5, 1.5, 1.001], [1, 4]),
            ([1.001, 1.0], [1, 0]),  # two may tie to the end
            ([1.5, 1.0, 1.5], [1]),
            ([None, 1.0, None], [1]),
            ([None, None], []),
        ],
    )
    def test_who_goes_on(self, means, left):
        scores = {c: DIVERGED if m is None else runs(m) for c, m in enumerate(means)}
        assert suggest.survivors(scores, largest) == left

    def test_one_run_each_does_not_end_the_race(self):
        scores = {c: runs(m, count=1) for c, m in enumerate([1.0, 1.5, 1.4])}
        assert suggest.survivors(scores, largest) == [0, 2]
        assert suggest.survivors(scores | {2: DIVERGED[:1]}, largest) == [0, 1]
        assert suggest.survivors({0: runs(1.0, count=1), 1: DIVERGED[:1]}, largest) == [0]

    def test_a_defended_candidate_stays_even_if_it_is_worse(self):
        scores = {c: runs(m) for c, m in enumerate([1.0, 1.001, 1.002, 1.6])}
        assert suggest.survivors(scores, lambda _: 3) == [0, 3]
        assert suggest.survivors(scores | {3: DIVERGED}, lambda _: 3) == [0, 1]

    def test_the_best_is_rarely_dropped(self):
        """A simulated race of six, whose runs differ by a third of what tells the best two apart.

        Each step's loss has a noise that all share, one of its own, and each run an error of its
        own, that a single run can't show. Beaten by another only where the two hardly differ, the
        best one must reach the last rung in most races, and whoever wins must not be much worse.
        """
        random = np.random.default_rng(0)
        truth = np.array([1.0, 1.03, 1.06, 1.1, 1.2, 1.5])
        reached, regrets = 0, []
        for _ in range(300):
            left, done, rungs = list(range(6)), 0, []
            while not rungs or (len(rungs[-1]) > 2 and len(left) > 1):
                rung = suggest.plan_race(len(left), 48, 3, done=done)[0]
                rungs.append(race(random, truth, left, rung))
                left, done = suggest.survivors(rungs[-1], largest), done + 1
            winner, _ = suggest.rank(*rungs)
            reached += 0 in rungs[-1]
            regrets.append(truth[winner] - truth[0])
        assert reached / 300 > 0.9
        assert np.mean(regrets) < 0.01
        assert max(regrets) <= 0.1

    def test_equals_are_seldom_told_apart(self):
        random = np.random.default_rng(1)
        verdicts = []
        for _ in range(200):
            first = race(random, np.ones(6), range(6), suggest.plan_race(6, 48, 3)[0])
            left = suggest.survivors(first, largest)
            last = race(random, np.ones(6), left, suggest.Rung(len(left), 48, 3))
            verdicts.append(suggest.suggest_weight_decay(first, last).verdict)
        assert verdicts.count("ok") <= 4


def race(random, truth, candidates, rung, *, shared=0.1, own=0.02, of_run=0.01):
    """Return what a rung of a simulated race scores: the last fifth of each run's losses."""
    n = rung.steps // 5
    batches = shared * random.normal(size=(rung.replicates, n))
    return {
        c: [truth[c] + b + own * random.normal(size=n) + of_run * random.normal() for b in batches]
        for c in candidates
    }


class TestRungs:
    """Of several rungs, the last one decides; who was dropped keeps the distance it had."""

    def test_distances_are_those_of_the_last_common_rung(self):
        first = {1e-3: runs(1.2), 1e-4: runs(1.0), 1e-5: runs(0.99)}
        last = {1e-4: runs(0.5), 1e-5: runs(0.7)}
        best, others = suggest.rank(first, last)
        assert best == 1e-4
        assert others[1e-5] == suggest.paired_difference(last[1e-5], last[1e-4])
        assert others[1e-3] == suggest.paired_difference(first[1e-3], first[1e-4])

    def test_a_dropped_candidate_that_was_not_beaten_leaves_it_undecided(self):
        first = {1e-3: runs(1.5), 1e-4: runs(1.0), 1e-5: runs(1.001), 1e-2: runs(1.002)}
        last = {1e-4: runs(0.5), 1e-5: runs(0.7)}
        found = suggest.suggest_weight_decay(first, last)
        assert (found.verdict, found.value) == ("undecided", 1e-4)
        assert found.interval == (1e-4, 1e-2)

    def test_momentum_of_several_rungs(self):
        first = {0.8: runs(1.5), 0.9: runs(1.4), "cycled": runs(1.001), 0.5: runs(1.0)}
        found = suggest_momentum(first, {"cycled": runs(0.9), 0.5: runs(0.5)})
        assert (found.verdict, found.value) == ("ok", {"max": 0.55, "min": 0.45})
        found = suggest_momentum(first, {"cycled": runs(0.5), 0.5: runs(0.501)})
        assert (found.verdict, found.value) == ("undecided", DEFAULT_MOMENTUM)


def test_a_constant_and_the_default_may_mean_the_same_range():
    assert suggest.momentum_range("cycled") == suggest.momentum_range(0.9) == DEFAULT_MOMENTUM
    assert suggest.momentum_range(0.99) == {"max": 0.99, "min": 0.94}
