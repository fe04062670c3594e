import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecycle_cli import suggest
from onecycle_cli.suggest import suggest_lr


def test_the_middle_of_the_low_range_by_hand():
    """A parabola in log10 lr around 0.1, of depth 1: within a fifth of it at 0.1^.447 x 0.1."""
    lrs = np.geomspace(1e-3, 10, 401)
    losses = 1 + np.minimum(1.0, np.log10(lrs / 0.1) ** 2)
    marks = suggest.find_landmarks(lrs, losses, bandwidth=0.01)
    assert marks.bottom == pytest.approx(10 ** (-1 - math.sqrt(0.2)), rel=0.05)
    assert marks.diverge == pytest.approx(10 ** (-1 + math.sqrt(0.1)), rel=0.05)
    value = suggest_lr([(lrs, losses)], bandwidth=0.01).suggestion.value
    assert value == pytest.approx(math.sqrt(marks.bottom * marks.diverge), rel=0.01)


def test_landmarks_stand_in_order(drawn):
    marks = suggest_lr([drawn(0)]).landmarks[0]
    assert marks.first < marks.minimum < marks.diverge
    assert 2e-3 < marks.steep < 3e-2
    assert marks == suggest.find_landmarks(*drawn(0))


class TestExplosions:
    """How far a loss has exploded says nothing more than that it has."""

    HUGE = (1e3, 1e6, 1e20, 1e37, 1e300, math.inf, math.nan, -math.inf)

    @given(st.integers(0, 20), st.floats(min_value=0, allow_nan=False))
    def test_any_last_loss_from_just_diverged_on(self, drawn, seed, more):
        lrs, losses = drawn(seed)
        expected = suggest_lr([(lrs, losses)]).suggestion.value
        losses[-1] += more
        suggestion = suggest_lr([(lrs, losses)]).suggestion
        assert suggestion.verdict == "ok"
        assert suggestion.value == pytest.approx(expected, rel=0.15)

    @pytest.mark.parametrize("seed", range(5))
    def test_no_rule_and_no_landmark_tells_them_apart(self, seed, drawn):
        found = []
        for last in self.HUGE:
            lrs, losses = drawn(seed)
            losses[-1] = last
            found.append(suggest_lr([(lrs, losses)]))
        assert all(other == found[0] for other in found)

    @pytest.mark.parametrize("rule", suggest.RULES)
    @pytest.mark.parametrize("last", HUGE)
    def test_every_rule_alone(self, rule, last, drawn):
        lrs, losses = drawn(0)
        before = suggest.RULES[rule](lrs, losses)
        losses[-1] = last
        near = 0.6 if rule == "slide" else 0.3  # which has the unit of the loss
        assert suggest.RULES[rule](lrs, losses) == pytest.approx(before, rel=near)

    @pytest.mark.parametrize("last", HUGE)
    def test_in_one_of_several_repeats(self, last, drawn):
        sweeps = [drawn(i) for i in range(3)]
        before = suggest_lr(sweeps).suggestion
        sweeps[1][1][-1] = last
        after = suggest_lr(sweeps).suggestion
        assert (after.verdict, after.value) == ("ok", pytest.approx(before.value, rel=0.15))

    @pytest.mark.parametrize("rate", [1.0, 3.0])
    def test_a_sweep_that_nobody_stopped(self, rate, drawn):
        """Its losses go on to 1e30: the suggestion is that of the part before."""
        for seed in range(5):
            lrs, losses = drawn(seed, stop_factor=None)
            beyond = np.clip(np.arange(100) - np.searchsorted(lrs, 1.0), 0, None)
            losses *= np.exp(rate * beyond)
            end = int(np.argmax(losses > 100)) + 1
            value = suggest_lr([(lrs, losses)]).suggestion.value
            stopped = suggest_lr([(lrs[:end], losses[:end])]).suggestion.value
            assert value == pytest.approx(stopped, rel=0.15)

    def test_an_explosion_is_no_fall(self, flat):
        """Half of the losses have exploded, all alike once they are capped: noise is not zero."""
        for seed in range(40):
            lrs, losses = flat(seed)
            losses[40:] = 1e10
            assert suggest_lr([(lrs, losses)]).suggestion.verdict == "never_descended"

    @pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
    def test_most_of_a_sweep_may_have_exploded(self, share, drawn, flat):
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
