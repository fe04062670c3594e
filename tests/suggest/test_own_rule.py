import numpy as np
import pytest

from onecycle_cli import suggest
from onecycle_cli.errors import OnecycleError

LRS = np.geomspace(1e-4, 1.0, 60)


def sweep(seed=0):
    """A loss that falls from 2 around 1e-2 and explodes at the end."""
    x = np.log10(LRS)
    noise = np.random.default_rng(seed).normal(0, 0.01, LRS.size)
    return LRS, 2 - 1.5 / (1 + np.exp(-4 * (x + 2))) + 10 ** (6 * (x + 0.3)) + noise


def tenth_of_lowest(lrs, losses):
    return lrs[np.argmin(losses)] / 10


def test_the_suggestion_is_what_the_function_says_of_the_raw_losses():
    lrs, losses = sweep()
    found = suggest.suggest_lr([(lrs, losses)], rule=tenth_of_lowest)
    assert found.suggestion.value == pytest.approx(lrs[np.argmin(losses)] / 10, rel=5e-3)
    assert found.suggestion.reason == "tenth_of_lowest, a rule of your own (one sweep)."
    assert found.rules.keys() == suggest.RULES.keys()


def test_of_several_sweeps_it_is_the_median():
    sweeps = [sweep(seed) for seed in range(3)]
    rates = sorted(tenth_of_lowest(*each) for each in sweeps)
    found = suggest.suggest_lr(sweeps, rule=tenth_of_lowest)
    assert found.suggestion.value == pytest.approx(rates[1], rel=5e-3)
    assert found.suggestion.interval == pytest.approx((rates[0], rates[2]), rel=5e-3)


def test_it_gets_what_is_finite_and_not_left_out_and_cannot_change_it():
    lrs, losses = sweep()
    losses = np.append(losses[:50], [np.nan, 1.0])
    given = []

    def rule(x, y):
        given.append((x.copy(), y.copy()))
        x[:], y[:] = 7, 7
        return 0.01

    for _ in range(2):
        suggest.suggest_lr([(lrs[:52], losses)], rule=rule, skip_begin=5, skip_end=2)
    for x, y in given:
        np.testing.assert_array_equal(x, lrs[5:48])
        np.testing.assert_array_equal(y, losses[5:48])
    assert len(given) == 2


def test_it_is_not_asked_where_nothing_was_learned():
    def rule(lrs, losses):
        raise AssertionError("nobody should ask")

    found = suggest.suggest_lr([(LRS, np.full(60, 2.0))], rule=rule)
    assert found.suggestion.value is None


@pytest.mark.parametrize("answer", [2.0, 1e-5, -1.0, np.nan, np.inf, None, "high", [0.1, 0.2]])
def test_an_answer_that_was_not_tested_is_refused(answer):
    with pytest.raises(ValueError, match="it gives") as error:
        suggest.suggest_lr([sweep()], rule=suggest.OwnRule(lambda *_: answer, "mine"))
    assert isinstance(error.value, OnecycleError)
    assert str(error.value) == (
        f"rule mine must give a learning rate from 0.0001 to 1, between which the losses are "
        f"known; it gives {answer!r}."
    )


@pytest.mark.parametrize("end", [0, -1])
def test_both_ends_of_the_range_were_tested(end):
    found = suggest.suggest_lr([sweep()], rule=lambda lrs, _: lrs[end])
    assert found.suggestion.value == pytest.approx(LRS[end])
