import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from onecycle_cli import suggest
from onecycle_cli.suggest import suggest_lr

LINEAR = [
    [4.51, 3.71, 3.07, 2.69, 2.05, 1.71, 1.23, 1.21, 1.20, 1.88, 1.69, 2.00, 1.81, 1.75, 1.26,
     2.49, 2.72, 1.43, 12.59, 18.57],
    [3.36, 3.31, 2.78, 2.08, 2.04, 2.40, 1.44, 0.99, 0.69, 0.73, 1.04, 1.86, 2.32, 5.58, 11.52],
    [3.64, 3.31, 2.83, 2.32, 1.97, 1.76, 1.50, 1.80, 2.64, 1.40, 1.73, 2.12, 1.80, 1.46, 1.61,
     1.57, 2.28, 5.90, 174.13],
]  # fmt: skip


class TestSuggestLR:
    @pytest.mark.parametrize("blow_up", [0.05, 1.0, 4.0])
    @pytest.mark.parametrize(("n", "noise"), [(60, 0.1), (100, 0.05), (100, 0.2), (300, 0.2)])
    def test_finds_a_rate_somewhat_below_the_one_at_which_the_loss_blows_up(
        self, n, noise, blow_up, drawn
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

    def test_repeats_make_it_steady(self, drawn):
        values = [
            suggest_lr([drawn(3 * seed + i, noise=0.2) for i in range(3)]).suggestion.value
            for seed in range(30)
        ]
        assert np.std(np.log10(values)) < 0.1

    def test_a_low_minimum_counts_as_left_when_the_loss_has_doubled(self, drawn):
        """The stop rule ends this sweep long before the loss is back at a tenth of its fall."""
        for seed in range(10):
            suggestion = suggest_lr([drawn(seed, low=0.001)]).suggestion
            assert suggestion.verdict == "ok"
            assert 0.15 < suggestion.value < 0.9

    def test_a_sudden_end_of_a_long_sweep_is_seen(self, drawn):
        """3,000 steps: the smoothed loss has no time to follow the five last ones."""
        suggestion = suggest_lr([drawn(0, n=3000)]).suggestion
        assert suggestion.verdict == "ok"
        assert suggestion.value == pytest.approx(0.148, rel=0.1)

    @pytest.mark.parametrize("end", [math.nan, math.inf])
    def test_ends_in_a_loss_that_is_not_finite(self, end, drawn):
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
    def test_linear_sweeps(self, low, high, n, drawn):
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

    @pytest.mark.samples(1)
    @pytest.mark.parametrize("low", [1e-5, 1e-3, 1e-2])
    def test_flat_noise_is_refused_in_linear_sweeps(self, low, flat):
        lrs = np.linspace(low, 1, 100)
        accepted = [suggest_lr([(lrs, flat(seed)[1])]).suggestion.accepted for seed in range(200)]
        assert np.mean(accepted) <= 0.02

    @pytest.mark.parametrize("n", [40, 100, 400])
    @pytest.mark.parametrize("decades", [0.3, 1.0, 3.0, 6.0, 8.0])
    def test_the_same_curve_over_any_range(self, decades, n, drawn):
        """The same losses, their rates squeezed into a narrower range: the same place in it."""
        wide, losses = drawn(0, n=n, stop_factor=None, lrs=np.geomspace(1e-5, 10, n))
        lrs = 10 ** (np.log10(wide / 10) * decades / 6)
        place = math.log(suggest_lr([(lrs, losses)]).suggestion.value / lrs[0])
        expected = math.log(suggest_lr([(wide, losses)]).suggestion.value / wide[0])
        assert place / math.log(lrs[-1] / lrs[0]) == pytest.approx(
            expected / math.log(1e6), abs=0.05
        )

    @pytest.mark.parametrize("spike", [3.0, 50.0, 1e4, 1e20, 1e37])
    @pytest.mark.parametrize("position", [0, 1, 4, 9, 20, 70])
    def test_one_bad_batch_changes_little(self, position, spike, drawn):
        for seed in range(5):
            lrs, losses = drawn(seed)
            expected = suggest_lr([(lrs, losses)]).suggestion.value
            losses[position] += spike
            value = suggest_lr([(lrs, losses)]).suggestion.value
            assert value == pytest.approx(expected, rel=0.2)

    @pytest.mark.parametrize("position", [0, 1, 4, 9, 20, 70])
    def test_one_bad_batch_makes_no_descent(self, position, flat):
        accepted = 0
        for seed in range(40):
            lrs, losses = flat(seed)
            losses[position] += 50
            accepted += suggest_lr([(lrs, losses)]).suggestion.accepted
        assert accepted <= 1

    @pytest.mark.samples(2)
    @pytest.mark.parametrize(("n", "repeats"), [(20, 1), (100, 1), (300, 1), (100, 3)])
    def test_flat_noise_is_refused(self, n, repeats, flat):
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

    def test_a_loss_that_still_falls_names_the_rate_to_try(self, drawn):
        lrs = np.geomspace(1e-6, 0.03, 100)
        for seed in range(20):
            suggestion = suggest_lr([drawn(seed, lrs=lrs)]).suggestion
            assert suggestion.verdict == "never_diverged"
            assert "at the highest learning rate 0.03; raise max_lr to 0.3 " in suggestion.reason

    @pytest.mark.parametrize("n", [0, 1, 2, 11])
    def test_a_sweep_that_is_too_short(self, n, drawn):
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

    def test_most_repeats_must_be_fit_to_be_judged(self, drawn, flat):
        lrs = np.geomspace(1e-5, 10, 100)
        broken = (lrs, np.full(100, np.nan))
        assert suggest_lr([drawn(0), broken]).suggestion.verdict == "non_finite"
        assert suggest_lr([drawn(0), drawn(1), broken]).suggestion.verdict == "ok"
        assert suggest_lr([drawn(0), flat(1), flat(2)]).suggestion.verdict == "never_descended"

    def test_a_repeat_that_did_not_fall_has_no_say(self, drawn, flat):
        """Its noise rebounds anywhere."""
        for seed in range(20):
            suggestion = suggest_lr([drawn(seed), drawn(seed + 1), flat(seed)]).suggestion
            assert suggestion.verdict == "ok"
            assert suggestion.interval[0] > 0.1

    def test_repeats_that_disagree_give_their_median_undecided(self, drawn):
        sweeps = [drawn(i, blow_up=b, drop=1e-3) for i, b in enumerate((0.1, 1.0, 3.0))]
        suggestion = suggest_lr(sweeps).suggestion
        assert suggestion.verdict == "undecided"
        assert suggestion.interval[0] < suggestion.value < suggestion.interval[1]
        assert suggestion.interval[0] < suggestion.interval[1] / 4

    def test_a_fall_to_the_level_of_chance_is_no_learning(self, drawn):
        """As with random labels: an overconfident start comes down to ln 10, and no further."""
        sweeps = [drawn(i, start=2.8, low=math.log(10), noise=0.02) for i in range(3)]
        assert suggest_lr(sweeps).suggestion.verdict == "ok"
        found = suggest_lr(sweeps, chance=math.log(10)).suggestion
        assert found.verdict == "never_descended"
        assert "clearly below that of a constant prediction" in found.reason

    def test_a_fall_below_chance_is_learning(self, drawn):
        sweeps = [drawn(i, start=2.8, low=2.0, noise=0.02) for i in range(3)]
        assert suggest_lr(sweeps, chance=math.log(10)) == suggest_lr(sweeps)

    def test_chance_says_nothing_of_a_start_far_above_it(self, drawn):
        sweeps = [drawn(i, start=9.0, low=2.5) for i in range(3)]
        assert suggest_lr(sweeps, chance=math.log(10)).suggestion.verdict == "ok"

    def test_the_median_of_repeats(self, drawn):
        sweeps = [drawn(i, blow_up=b) for i, b in enumerate((0.8, 1.0, 1.3))]
        alone = [suggest_lr([sweep]).suggestion.value for sweep in sweeps]
        found = suggest_lr(sweeps)
        assert found.suggestion.value == sorted(alone)[1]
        assert found.suggestion.interval == (min(alone), max(alone))
        assert found.min_lr == pytest.approx(found.suggestion.value / 10)

    def test_one_sweep_has_an_interval_too(self, drawn):
        suggestion = suggest_lr([drawn(0)]).suggestion
        low, high = suggestion.interval
        assert low == pytest.approx(suggestion.value / 1.7, rel=0.01)
        assert high == pytest.approx(suggestion.value * 1.7, rel=0.01)

    @pytest.mark.parametrize("factor", [1e-3, 7.0, 1e5])
    def test_the_unit_of_the_loss_does_not_matter(self, factor, drawn):
        sweeps = [drawn(i) for i in range(3)]
        scaled = [(lrs, losses * factor) for lrs, losses in sweeps]
        assert suggest_lr(scaled).suggestion == suggest_lr(sweeps).suggestion

    def test_the_order_of_repeats_does_not_matter(self, drawn):
        sweeps = [drawn(i, noise=0.3) for i in range(4)]
        found, turned = suggest_lr(sweeps), suggest_lr(sweeps[::-1])
        assert turned.suggestion == found.suggestion
        assert turned.rules == found.rules
        assert turned.landmarks == found.landmarks[::-1]

    @pytest.mark.parametrize("kind", [list, np.float32, np.float64])
    def test_takes_lists_and_arrays(self, kind, drawn):
        lrs, losses = drawn(0)
        sweep = (lrs.tolist(), losses.tolist())
        if kind is not list:
            sweep = (lrs.astype(kind), losses.astype(kind))
        assert suggest_lr([sweep]).suggestion.value == pytest.approx(0.15, rel=0.5)


PLANNED = (100, 10.0)


class TestSkipping:
    @pytest.mark.parametrize("rule", suggest.RULES)
    @pytest.mark.parametrize("skip", [(7, 0), (20, 3), (10, 4)])
    def test_the_rules_see_the_rest(self, rule, skip, drawn):
        begin, end = skip
        sweeps = [drawn(i, stop_factor=None) for i in range(3)]
        rest = [(lrs[begin : 100 - end], losses[begin : 100 - end]) for lrs, losses in sweeps]
        skipped = suggest_lr(sweeps, rule=rule, skip_begin=begin, skip_end=end)
        assert skipped == suggest_lr(rest, rule=rule)
        assert skipped.rules != suggest_lr(sweeps, rule=rule).rules

    def test_an_explosion_that_is_left_out_is_still_known(self, drawn):
        lrs, losses = drawn(0, blow_up=1e9)
        end = np.r_[losses[:90], np.full(10, 1e3)]
        assert suggest_lr([(lrs, losses)]).suggestion.verdict == "never_diverged"
        found = suggest_lr([(lrs, end)], skip_end=10)
        assert (found.suggestion.verdict, found.landmarks[0].diverge) == ("ok", lrs[89])

    def test_too_much_at_the_end_is_no_reason_to_go_further(self, falling):
        found = suggest_lr([falling(0)], skip_end=20, planned=PLANNED, stopped="completed")
        assert found.suggestion.verdict == "never_diverged"
        assert "leave out fewer than 20 points at the end" in found.suggestion.reason
        assert "raise max_lr" not in found.suggestion.reason

    @pytest.mark.parametrize("skip", [(95, 0), (0, 95), (50, 50), (1000, 1000)])
    def test_too_much(self, skip, drawn):
        found = suggest_lr([drawn(0, stop_factor=None)], skip_begin=skip[0], skip_end=skip[1])
        left = max(0, 100 - sum(skip))
        assert found.suggestion.verdict == "too_short"
        assert f"only {left} steps of 100 are left" in found.suggestion.reason


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
    @given(st.lists(curves | likely, max_size=4))
    def test_never_raises(self, sweeps):
        found = suggest_lr(sweeps)
        suggestion = found.suggestion
        assert suggestion.accepted == (suggestion.value is not None)
        assert suggestion.accepted == (suggestion.interval is not None)
        assert len(found.landmarks) == len(sweeps)
        if suggestion.accepted:
            assert suggestion.interval[0] <= suggestion.value <= suggestion.interval[1]

    @given(st.lists(likely, min_size=1, max_size=3))
    def test_stays_within_the_sweep(self, sweeps):
        found = suggest_lr(sweeps).suggestion
        if found.accepted:
            assert 0.99e-6 / 2 <= found.value <= 5


class TestFloor:
    """A constant in the loss changes nothing, whether the floor is known or not."""

    @pytest.mark.parametrize("constant", [1e3, -1e3, -2.0])
    @pytest.mark.parametrize("least", [0.0, 0.5])
    def test_a_constant_changes_no_answer(self, constant, least):
        lrs, losses = falling_and_rising(least)
        plain = suggest.suggest_lr([(lrs, losses)], chance=2.0)
        moved = suggest.suggest_lr(
            [(lrs, losses + constant)], chance=2.0 + constant, floor=constant
        )
        assert plain.suggestion.verdict == "ok"
        assert moved == plain

    @pytest.mark.parametrize("constant", [0.0, 1e3, -1e3])
    def test_without_a_floor_it_is_the_noise_that_counts(self, constant):
        lrs, losses = falling_and_rising(0.5)
        moved = suggest.suggest_lr([(lrs, losses + constant)], floor=None)
        assert moved.suggestion.verdict == "ok"
        noise = np.random.default_rng(3).normal(size=len(lrs))
        for share in (0.0, 1.0):  # of the noise the fall is lost in
            lost = share * losses + 5 * noise + constant
            assert suggest.suggest_lr([(lrs, lost)], floor=None).suggestion.value is None

    def test_with_a_floor_a_fall_has_to_be_a_share_of_what_there_is(self):
        lrs, losses = falling_and_rising(0.5)
        trifle = 2.0 + (losses - 2.0) / 100
        assert suggest.suggest_lr([(lrs, trifle)]).suggestion.verdict == "never_descended"
        assert suggest.suggest_lr([(lrs, trifle)], floor=None).suggestion.verdict == "ok"


def falling_and_rising(least):
    """Return a curve that falls from 2 to `least` and rises again, with a little noise."""
    lrs = np.geomspace(1e-5, 10, 120)
    valley = (2.0 - least) * np.exp(-0.5 * (np.log(lrs / 0.01) / 2) ** 2)
    noise = np.random.default_rng(1).normal(0, 0.002, 120)
    return lrs, 2.0 - valley + np.abs(noise) + np.maximum(0, np.log(lrs))
