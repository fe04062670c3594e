import numpy as np
import pytest

from onecycle_cli.callbacks.divergence import LONG_WINDOW, WINDOW, Divergence


def found_at(losses, guessing=1.0):
    """Return at which step, from 1, a divergence is found; `None` if it is not."""
    divergence = Divergence(guessing)
    for step, loss in enumerate(losses, start=1):
        divergence.follow([loss])
        if divergence.found:
            return step
    return None


def noisy(level, count, seed=0):
    """Return losses of batches of 32 examples, squared errors of about that mean."""
    random = np.random.default_rng(seed)
    return (level * random.chisquare(32, count) / 32).tolist()


def test_it_needs_three_quarters_of_twenty_losses_above_twice_that_of_guessing():
    """By hand: the 15th loss that is too high is found, the 14th is not."""
    assert found_at([1.0] * 20 + [2.01] * 15) == 35
    assert found_at([1.0] * 20 + [2.01] * 14 + [1.0] * 20) is None
    assert found_at([1.0] * 20 + [2.0] * 100) is None


@pytest.mark.parametrize("count", [1, 19, 20, 21, 300])
def test_many_losses_at_once_are_judged_like_one_by_one(count, monkeypatch):
    """As a training that is resumed hears of them; also in parts, as a long one does."""
    monkeypatch.setattr("onecycle_cli.callbacks.divergence._AT_ONCE", 7)
    losses = noisy(1.0, count) + noisy(0.1, 30) + noisy(0.3, 30)
    one_by_one, at_once, in_two = (Divergence(None if count == 21 else 0.5) for _ in range(3))
    for loss in losses:
        one_by_one.follow([loss])
    at_once.follow(losses)
    in_two.follow(losses[:25])
    in_two.follow(losses[25:])
    in_two.follow([])
    assert str(one_by_one) == str(at_once) == str(in_two)
    for more in noisy(0.9, 70):
        for divergence in (one_by_one, at_once, in_two):
            divergence.follow([more])
        assert one_by_one.found == at_once.found == in_two.found
        assert one_by_one.suspected == at_once.suspected == in_two.suspected
    assert vars(one_by_one) == vars(at_once) == vars(in_two)


def test_a_training_that_begins_high_is_judged_by_its_own_losses():
    """By hand: twice the first loss, or four times the best, whichever is less."""
    assert found_at([100.0] * 20 + [201.0] * 15) == 35
    assert found_at([100.0] * 20 + [200.0] * 100) is None
    assert found_at([100.0] * 20 + [10.0] * 20 + [40.1] * 15) == 55
    assert found_at([100.0] * 20 + [10.0] * 20 + [40.0] * 100) is None


def test_what_was_learned_is_lost():
    """By hand: 45 of 60 losses above 0.8 of guessing, after 15 of 20 below half of it."""
    assert found_at([0.49] * 20 + [0.81] * 45) == 65
    assert found_at([0.49] * 20 + [0.81] * 44 + [0.49] * 60) is None
    assert found_at([0.49] * 20 + [0.8] * 200) is None
    assert found_at([0.5] * 20 + [1.0] * 200) is None  # nothing had been learned


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "levels",
    [
        pytest.param(np.geomspace(100, 10, 300), id="still falling, far above guessing"),
        pytest.param(np.geomspace(100, 1e-3, 300), id="an offset, then all is learned"),
        pytest.param(np.full(2000, 1.0), id="nothing can be learned"),
        pytest.param(np.concatenate([np.geomspace(1, 1e-4, 300), np.full(200, 0.4)]), id="a rise"),
        pytest.param(np.full(500, 50.0), id="far above guessing throughout"),
    ],
)
def test_sound_trainings(levels, seed):
    noise = np.array(noisy(1.0, len(levels), seed))
    assert found_at(levels * noise) is None


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [1, 8, 32])
@pytest.mark.parametrize("share", [0.01, 0.02])
def test_a_rare_class_is_noise(share, size, seed):
    """A network that says the class's share to everything, and one that comes down to it."""
    random = np.random.default_rng(seed)
    guessing = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    rare = random.binomial(size, share, 3000) / size
    said = np.maximum(np.geomspace(0.5, 1e-4, 3000), share)
    losses = -(rare * np.log(said) + (1 - rare) * np.log(1 - said))
    assert found_at(losses, guessing) is None


@pytest.mark.parametrize("size", [1, 2, 8])
def test_targets_that_cannot_be_learned_are_noise_in_small_batches(size):
    losses = np.random.default_rng(size).chisquare(size, 5_000) / size
    assert found_at(losses) is None


def test_a_batch_that_costs_anything_decides_nothing():
    losses = noisy(0.5, 200)
    losses[10::10] = [1e6] * len(losses[10::10])
    assert found_at(losses) is None


@pytest.mark.parametrize("guessing", [1.0, None])
@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_scale_does_not_matter(factor, guessing):
    """By hand, without the loss of guessing: above ten times the best's and the start's size."""
    losses = factor * np.array([1.0] * 20 + [0.1] * 20 + [10.1] * 30)
    expected = 55
    assert found_at(losses, guessing and factor * guessing) == expected


@pytest.mark.parametrize(
    "levels",
    [
        pytest.param(np.linspace(-0.1, -5, 200), id="negative, falling"),
        pytest.param(np.linspace(3, -30, 200), id="through zero"),
        pytest.param(np.concatenate([np.linspace(0, -5, 100), np.linspace(-5, 0, 100)]), id="back"),
        pytest.param(np.full(200, -1e-9), id="about zero"),
    ],
)
@pytest.mark.parametrize("guessing", [1.0, None])
def test_losses_may_be_negative(levels, guessing):
    assert found_at(levels + 0.01 * np.array(noisy(1.0, 200)), guessing) is None


def test_losses_that_may_be_negative_can_still_explode():
    assert found_at([-1.0] * 20 + [50.0] * 15, None) == 35


def test_the_best_and_the_first_outlast_a_fresh_start_and_the_last_losses_do_not():
    divergence = Divergence(1.0)
    divergence.follow([0.1] * WINDOW + [5.0] * 14)
    divergence.start_afresh()
    divergence.follow([5.0] * (WINDOW - 1))
    assert not divergence.found
    divergence.follow([5.0])
    assert divergence.found
    forgotten = Divergence(1.0)
    forgotten.follow([0.1] * WINDOW)
    forgotten.start_afresh()
    forgotten.follow([1.0] * LONG_WINDOW)
    assert forgotten.found


def test_a_state_with_a_few_high_losses_at_its_end_is_suspected():
    divergence = Divergence(1.0)
    assert not divergence.suspected
    divergence.follow([1.0] * 30)
    assert not divergence.suspected
    divergence.follow([2.1] * 5)
    assert divergence.suspected
    assert not divergence.found
    divergence.start_afresh()
    assert not divergence.suspected


def test_it_says_what_it_saw():
    divergence = Divergence(2.3)
    divergence.follow([0.5] * 20 + [14.2] * 20)
    assert str(divergence) == (
        "most of the last losses lie above 14.2; a constant prediction has 2.3; the best so far "
        "was 0.5"
    )
