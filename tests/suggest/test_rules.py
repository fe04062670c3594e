import math

import numpy as np
import pytest

from onecycle_cli import suggest
from onecycle_cli.suggest import suggest_lr


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
    def test_is_the_formula_of_fastai(self, seed, drawn):
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
    def test_steep_is_the_formula_of_fastai(self, seed, drawn, smoothed):
        sweep = drawn(seed, n=40 + seed, noise=0.02 * seed)
        assert suggest.RULES["steep"](*sweep) == fastai_steep(sweep[0], smoothed(*sweep))

    @pytest.mark.parametrize("seed", range(20))
    def test_slide_is_the_formula_of_fastai(self, seed, drawn, smoothed):
        sweep = drawn(seed, n=40 + seed, noise=0.02 * seed)
        expected = fastai_slide(sweep[0], smoothed(*sweep))
        assert suggest.slide(*sweep) == suggest.RULES["slide"](*sweep) == expected

    def test_the_landmarks_are_rules(self, drawn):
        sweep = drawn(0)
        marks = suggest.find_landmarks(*sweep)
        assert {name: rule(*sweep) for name, rule in suggest.RULES.items()} == {
            "middle": pytest.approx((marks.bottom * marks.diverge) ** 0.5),
            "rebound/2": marks.diverge / 2,
            "steep": marks.steep,
            "valley": suggest.valley(*sweep),
            "slide": suggest.slide(*sweep),
            "minimum/10": marks.minimum / 10,
            "minimum": marks.minimum,
        }

    @pytest.mark.parametrize("rule", suggest.RULES)
    def test_a_suggestion_by_rule_is_the_median_of_its_answers(self, rule, drawn):
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

    def test_the_middle_is_what_is_suggested(self, drawn, flat):
        for seed in range(10):
            sweeps = [drawn(seed), drawn(seed + 1, n=60), flat(seed)]
            by_rule = suggest_lr(sweeps, rule="middle").suggestion
            usual = suggest_lr(sweeps).suggestion
            assert (by_rule.value, by_rule.interval) == (usual.value, usual.interval)

    @pytest.mark.parametrize("rule", suggest.RULES)
    def test_no_rule_reads_anything_into_noise(self, rule, flat):
        assert suggest_lr([flat(0)], rule=rule).suggestion.verdict == "never_descended"

    @pytest.mark.parametrize("rule", suggest.RULES)
    def test_a_curve_that_never_rose_has_a_slope_but_no_minimum(self, rule, drawn):
        sweep = drawn(0, lrs=np.geomspace(1e-6, 0.03, 100))
        needs_rebound = rule in ("middle", "rebound/2", "minimum/10", "minimum")
        verdict = "never_diverged" if needs_rebound else "ok"
        assert suggest_lr([sweep], rule=rule).suggestion.verdict == verdict

    def test_a_rule_without_an_answer_on_a_short_curve(self):
        lrs, losses = np.geomspace(1e-4, 1, 14), np.r_[[2.3] * 5, np.linspace(2.2, 1, 6), 3, 9, 20]
        assert suggest_lr([(lrs, losses)]).suggestion.verdict == "ok"
        assert suggest_lr([(lrs, losses)], rule="slide").suggestion.verdict == "too_short"

    def test_a_wider_kernel_gives_the_answer_on_its_own_curve(self, drawn, smoothed):
        sweep = drawn(0, noise=0.3)
        for width in (0.1, 1.5):
            k = smoothed(*sweep, width)
            expected = sweep[0][np.argmin(k)]
            assert suggest.RULES["minimum"](*sweep, bandwidth=width) == expected
            assert suggest_lr([sweep], bandwidth=width).rules["minimum"] == expected

    @pytest.mark.parametrize("width", [1e-320, 1e-9, 1e300])
    def test_any_width_gives_a_verdict(self, width, drawn):
        assert suggest_lr([drawn(0)], bandwidth=width).suggestion.verdict

    def test_an_unknown_rule(self, drawn):
        with pytest.raises(ValueError, match=r"`rule` must be one of middle, .* got 'steepest'"):
            suggest_lr([drawn(0)], rule="steepest")
