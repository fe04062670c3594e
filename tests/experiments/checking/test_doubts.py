from types import SimpleNamespace

import numpy as np
import pytest

from onecycle_cli.experiments.checking.doubts import doubts


def layer(name):
    return type(name, (), {})()


@pytest.fixture
def bench():
    """Make what a workbench says of data and model; of good data, if nothing else is said."""
    random = np.random.default_rng(1)

    def make(*, y=None, x=None, task="multiclass", chance=1.0, normalise=False, layers=()):
        x = random.normal(size=(60, 4)) if x is None else x
        y = np.arange(60) % 3 if y is None else y
        classes = ("a", "b", "c") if task == "multiclass" else None
        return SimpleNamespace(
            dataset=SimpleNamespace(
                stream=None, x=x, targets=y, train=np.arange(50), classes=classes
            ),
            objective=SimpleNamespace(task=task),
            config=SimpleNamespace(dataset=SimpleNamespace(is_normalised=normalise)),
            model=SimpleNamespace(_flatten_layers=lambda: [layer(name) for name in layers]),
            chance=chance,
        )

    return make


def test_nothing_is_said_of_good_data(bench):
    assert list(doubts(bench(), 1.3)) == []
    y = np.random.default_rng(2).normal(size=60)
    assert list(doubts(bench(y=y, task="regression"), 2.0)) == []
    assert list(doubts(bench(y=y, task="regression"), 24.0)) == []


def test_answers_that_start_many_deviations_off(bench):
    y = np.random.default_rng(2).normal(size=60)
    (said,) = doubts(bench(y=y, task="regression"), 26.0)
    assert "is 26 times that of a constant prediction, 1:" in said


def test_a_rare_class_is_none_that_a_fresh_model_knows_of(bench):
    rare = bench(y=np.arange(60) % 20 // 19, chance=0.2)
    assert [said for said in doubts(rare, 3 * np.log(3) - 0.01) if "starts" in said] == []
    said = [said for said in doubts(rare, 3 * np.log(3) + 0.01) if "starts" in said]
    assert ["times that of answering all classes alike, 1.099" in text for text in said] == [True]


def test_targets_that_are_all_alike(bench):
    (said,) = doubts(bench(y=np.ones(60, int)), 1.0)
    assert "the same target" in said


def test_a_class_without_an_example(bench):
    (said,) = doubts(bench(y=np.arange(60) % 2), 1.0)
    assert "1 of 3 classes have no training example: c" in said


PIXELS = np.random.default_rng(3).integers(0, 256, size=(60, 4)).astype("uint8")


def test_inputs_that_nothing_brings_near_zero(bench):
    (said,) = doubts(bench(x=PIXELS, layers=["Dense"]), 1.0)
    assert "set dataset.normalise to true" in said
    assert list(doubts(bench(x=PIXELS, normalise=True), 1.0)) == []
    for name in ("Rescaling", "Normalization", "BatchNormalization"):
        assert list(doubts(bench(x=PIXELS, layers=["Dense", name]), 1.0)) == []


@pytest.mark.parametrize(
    ("loss", "chance", "words"),
    [
        (float("nan"), 1.0, "not finite"),
        (float("inf"), None, "not finite"),
        (9.0, 2.0, "is 4.5 times that of a constant prediction"),
        (5.9, 2.0, ""),
        (1e9, None, ""),
    ],
)
def test_the_first_loss(bench, loss, chance, words):
    said = list(doubts(bench(chance=chance), loss))
    assert [words in text for text in said] == [True] * bool(words)
