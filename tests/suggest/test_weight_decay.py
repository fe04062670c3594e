import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onecycle_cli.suggest import Bounds, Measure, suggest_weight_decay, usual_decay

KNOWN = Measure(Bounds(0.0, 2.3), 2.3)
USUAL = 5e-4
DECAYS = (0.0, 1e-4, 1e-3, 1e-2)


@pytest.fixture
def curve(runs):
    """Scores whose loss is lowest at a decay, flat below it and steep above it."""

    def make(best, decays=DECAYS, low=0.5, flat=0.5):
        def loss(decay):
            x = math.log10(max(decay, 1e-6) / best)
            return low + (0.3 * x * x if x > 0 else flat * (1 - math.exp(-x * x)))

        return {decay: runs(loss(decay)) for decay in decays}

    return make


@pytest.mark.parametrize("best", [1e-4, 1e-3, 3e-3])
def test_it_lies_near_the_best_one_of_trainings_as_long(curve, best):
    decays = (0.0, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
    found = suggest_weight_decay([curve(best, decays)], measure=KNOWN, usual=USUAL)
    assert found.verdict == "ok"
    assert abs(math.log10(found.value / best)) < 0.35
    assert found.interval[0] <= found.value <= found.interval[1]


def test_where_nothing_can_be_told_it_is_the_usual_one(runs):
    """A decay ten times off has to lower the loss by a fifth."""
    flat = {d: runs(1.0) for d in DECAYS}
    for usual in (1e-4, 5e-4, 2e-3):
        found = suggest_weight_decay([flat], measure=KNOWN, usual=usual)
        assert found.value == pytest.approx(usual, rel=0.06)
    falling = {0.0: runs(1.0), 1e-4: runs(1.0), 1e-3: runs(0.99), 1e-2: runs(0.98)}
    a_little = suggest_weight_decay([falling], measure=KNOWN, usual=1e-4).value
    much = {0.0: runs(1.0), 1e-4: runs(1.0), 1e-3: runs(0.6), 1e-2: runs(0.2)}
    assert 1e-4 <= a_little < 2e-4
    assert suggest_weight_decay([much], measure=KNOWN, usual=1e-4).value > 1e-3


@pytest.mark.parametrize(
    ("kind", "max_lr", "momentum", "steps", "normalised", "decay"),
    [
        ("l2", 0.45, 0.9, 352, False, 0.1 / (8 * 352 * 0.55 * 0.45 * 2)),
        ("l2", 0.45, 0.0, 352, False, 1 / (8 * 352 * 0.55 * 0.45 * 2)),
        ("decoupled", 0.45, 0.9, 352, False, 1 / (8 * 352 * 0.55 * 0.45)),
        ("decoupled", 0.003, 0.9, 5000, True, 1 / (8 * 5000 * 0.55 * 0.003)),
        ("l2", 0.003, 0.9, 5000, True, 5e-4),
        ("l2", 1e-4, 0.9, 2, False, 2e-3),
        ("decoupled", 1e-4, 0.9, 2, True, 0.1),
    ],
)
def test_with_the_usual_decay_weights_forget_within_eight_epochs(
    kind, max_lr, momentum, steps, normalised, decay
):
    found = usual_decay(
        kind, max_lr=max_lr, momentum=momentum, steps_per_epoch=steps, normalised=normalised
    )
    assert found == pytest.approx(decay)


def test_a_cliff_keeps_it_away(runs):
    """The lowest loss is one step below a training that goes wrong."""
    scores = {1e-4: runs(0.52), 1e-3: runs(0.51), 3e-3: runs(0.5), 1e-2: runs(2.2)}
    found = suggest_weight_decay([scores], measure=KNOWN, usual=USUAL)
    assert 1e-4 < found.value < 2e-3


def test_none_where_less_is_better(runs):
    scores = {0.0: runs(0.5), 1e-4: runs(0.6), 1e-3: runs(0.8), 1e-2: runs(1.5)}
    found = suggest_weight_decay([scores], measure=KNOWN, usual=USUAL)
    assert found.value == 0.0
    assert found.verdict == "ok" and "no decay has the lowest loss" in found.reason
    found = suggest_weight_decay([scores | {1e-4: runs(0.501)}], measure=KNOWN, usual=USUAL)
    assert found.verdict == "undecided"
    assert "up to 0.0001 does as well, within the noise" in found.reason


def test_that_the_usual_one_overrules_short_trainings_is_said(runs):
    """All differences are beyond the noise, but small."""
    scores = {0.0: runs(0.5), 1e-4: runs(0.505), 1e-3: runs(0.51), 1e-2: runs(1.5)}
    found = suggest_weight_decay([scores], measure=KNOWN, usual=USUAL)
    assert found.value > 1e-4 and found.verdict == "undecided"
    assert f"In short trainings 0 is better than {found.value:g}, beyond the noise" in found.reason
    near = suggest_weight_decay([scores], measure=KNOWN, usual=2e-6)
    assert (near.value, near.verdict) == (0.0, "ok")


def test_the_lowest_is_not_the_end_either(runs):
    scores = {1e-4: runs(0.5), 1e-3: runs(0.8), 1e-2: runs(1.5)}
    found = suggest_weight_decay([scores], measure=KNOWN, usual=USUAL)
    assert found.verdict == "undecided"
    assert "It is the lowest value tried" in found.reason


def test_the_highest_is_not_the_end(runs):
    scores = {0.0: runs(1.5), 1e-4: runs(1.4), 1e-3: runs(1.0), 1e-2: runs(0.5)}
    found = suggest_weight_decay([scores], measure=KNOWN, usual=USUAL)
    assert found.verdict == "undecided"
    assert "The highest value tried, 0.01, does as well" in found.reason
    assert 1e-3 < found.value <= 1e-2


def test_noise_alone_is_never_decided():
    random = np.random.default_rng(0)
    for _ in range(100):
        scores = {d: [1 + 0.2 * random.normal(size=60)] for d in DECAYS}
        found = suggest_weight_decay([scores], measure=KNOWN, usual=USUAL)
        if found.verdict == "undecided":
            continue
        assert found.interval[0] > 0  # a fluke that excludes no decay


def test_that_it_hardly_matters_is_said(runs):
    found = suggest_weight_decay([{d: runs(1.0) for d in DECAYS}], measure=KNOWN, usual=USUAL)
    assert found.verdict == "undecided"
    assert "From no decay to 0.01 no difference is beyond the noise" in found.reason


def test_who_breaks_off_is_as_bad_as_can_be(runs, diverged):
    scores = {0.0: runs(1.0), 1e-4: runs(0.8), 1e-3: runs(0.7), 1e-2: diverged}
    found = suggest_weight_decay([scores], measure=KNOWN, usual=USUAL)
    assert found.verdict == "ok"
    assert 1e-4 < found.value < 2e-3
    nobody = suggest_weight_decay([dict.fromkeys(DECAYS, diverged)], measure=KNOWN, usual=USUAL)
    assert (nobody.verdict, nobody.value, nobody.interval) == ("non_finite", None, None)
    assert "lower the learning rate" in nobody.reason


def test_adding_a_constant_to_a_loss_changes_nothing(curve):
    plain = suggest_weight_decay([curve(1e-3)], measure=Measure(Bounds(), 2.3), usual=USUAL)
    raised = {d: [run - 7 for run in runs] for d, runs in curve(1e-3).items()}
    measure = Measure(Bounds(), 2.3 - 7)
    assert suggest_weight_decay([raised], measure=measure, usual=USUAL) == plain


def test_those_that_ran_again_count_twice(runs):
    """The second runs say that less is better; the value moves down."""
    first = {0.0: runs(1.0), 1e-4: runs(0.52), 1e-3: runs(0.5), 1e-2: runs(1.0)}
    again = {1e-4: [*runs(0.52), *runs(0.3, seed=1)], 1e-3: [*runs(0.5), *runs(0.9, seed=1)]}
    once = suggest_weight_decay([first], measure=KNOWN, usual=USUAL)
    twice = suggest_weight_decay([first, again], measure=KNOWN, usual=USUAL)
    assert twice.value < once.value


@given(
    st.dictionaries(
        st.floats(0, 10),
        st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=6, max_size=6),
        min_size=1,
        max_size=6,
    ),
    st.sampled_from([Bounds(), Bounds(0.0, 2.3), Bounds(None, 1.0)]),
    st.floats(1e-8, 10),
)
def test_whatever_comes_is_answered(losses, bounds, usual):
    scores = {decay: [np.array(run)] for decay, run in losses.items()}
    found = suggest_weight_decay([scores], measure=Measure(bounds, 2.3), usual=usual)
    if found.accepted:
        assert 0 <= found.interval[0] <= found.value <= found.interval[1]
        assert found.value <= max(scores) * 1.05  # of two digits
