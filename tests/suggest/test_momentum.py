import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from onecycle_cli import suggest
from onecycle_cli.suggest import DEFAULT_MOMENTUM, suggest_momentum


@pytest.mark.parametrize(
    ("middle", "width", "high", "low"),
    [
        (0.9, 0.1, 0.95, 0.85),
        (0.8, 0.1, 0.85, 0.75),
        (0.8, 0.0, 0.8, 0.8),
        (0.0, 0.1, 0.05, 0.0),
        (0.97, 0.1, 0.99, 0.92),
        (0.995, 0.1, 0.995, 0.945),
        (0.995, 0.0, 0.995, 0.995),
    ],
)
def test_a_range_lies_around_its_middle_within_what_is_sound(middle, width, high, low):
    assert suggest.momentum_range(middle, width) == {"max": high, "min": low}


def test_smiths_range_is_one_of_them():
    assert suggest.momentum_range(0.9) == DEFAULT_MOMENTUM


@pytest.mark.parametrize(
    ("scores", "verdict", "value", "interval"),
    [
        ({0.8: 1.0, 0.85: 1.5, 0.9: 1.4}, "ok", (0.85, 0.75), (0.75, 0.85)),
        ({0.8: 1.5, 0.85: 1.5, 0.9: 1.0}, "ok", (0.95, 0.85), (0.85, 0.95)),
        ({0.8: 1.001, 0.85: 1.0, 0.9: 1.4}, "undecided", (0.9, 0.8), (0.75, 0.9)),
        ({0.8: 1.001, 0.85: 1.002, 0.9: 1.0}, "undecided", (0.95, 0.85), (0.75, 0.95)),
        ({0.8: None, 0.9: 1.0}, "ok", (0.95, 0.85), (0.85, 0.95)),
    ],
)
def test_the_lowest_loss_wins(scores, verdict, value, interval, diverged, runs):
    scores = {m: diverged if mean is None else runs(mean) for m, mean in scores.items()}
    found = suggest_momentum([scores])
    assert found.verdict == verdict
    assert found.value == {"max": value[0], "min": value[1]}
    assert found.interval == interval
    assert f"{value[0]:g} to {value[1]:g} has the lowest loss" in found.reason


def test_what_cannot_be_told_apart_is_named(runs):
    found = suggest_momentum([{0.8: runs(1.0), 0.9: runs(1.001)}])
    assert "0.85 to 0.75, 0.95 to 0.85 can't be told apart" in found.reason
    assert "find_momentum.repeats" in found.reason


def test_without_evidence_it_stays_where_the_rate_was_found(runs):
    tie = {0.8: runs(1.0), 0.85: runs(1.001), 0.9: runs(1.002)}
    found = suggest_momentum([tie], reference=0.9)
    assert (found.value, found.verdict) == (DEFAULT_MOMENTUM, "undecided")
    assert "0.95 to 0.85 is the safe choice" in found.reason
    decided = suggest_momentum([tie | {0.9: runs(1.5)}], reference=0.9)
    assert decided.value == {"max": 0.85, "min": 0.75}
    assert (
        "0.95 to 0.85, which the learning rate was found with, is clearly worse" in decided.reason
    )
    assert suggest_momentum([tie], reference=0.7).value == {"max": 0.85, "min": 0.75}


def test_constants_stay_constant(runs):
    found = suggest_momentum([{0.5: runs(1.0), 0.9: runs(2.0)}], width=0)
    assert found.value == {"max": 0.5, "min": 0.5}
    assert found.reason.startswith("0.5 has the lowest loss")


def test_those_that_ran_again_decide(runs):
    first = {0.8: runs(1.0), 0.85: runs(1.001), 0.9: runs(1.5)}
    again = {0.8: [*runs(1.0), *runs(1.3, seed=1)], 0.85: [*runs(1.001), *runs(1.0, seed=1)]}
    assert suggest_momentum([first]).value == {"max": 0.85, "min": 0.75}
    assert suggest_momentum([first, again]).value == {"max": 0.9, "min": 0.8}


def test_all_diverged(diverged):
    found = suggest_momentum([{0.9: diverged, 0.8: diverged}])
    assert (found.verdict, found.value, found.interval) == ("non_finite", None, None)


numbers = st.floats(allow_nan=True, allow_infinity=True)


@given(
    st.dictionaries(
        st.floats(0, 0.999),
        st.lists(arrays.arrays(float, 6, elements=numbers), min_size=2, max_size=2),
        min_size=1,
        max_size=5,
    ),
    st.floats(0, 0.9),
)
def test_whatever_comes_is_answered(scores, width):
    found = suggest_momentum([scores], width=width)
    if found.accepted:
        low, high = found.value["min"], found.value["max"]
        assert 0 <= low <= high < 1
        assert found.interval[0] <= low and high <= found.interval[1]
        assert np.isfinite(found.interval).all()
