"""What right answers and guesses cost by a compiled loss, measured where no formula gives it."""

import keras
import numpy as np
import pytest
from keras import ops

from onecycle_cli.data.sources.memory import dataset_in_hand
from onecycle_cli.workbench.scoring.bounds import UNKNOWN, Bounds, bounds_of_compiled
from onecycle_cli.workbench.scoring.chance import chance
from onecycle_cli.workbench.scoring.objective import (
    BINARY_CROSS_ENTROPY,
    CROSS_ENTROPY,
    Objective,
)

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(300, 4)).astype(np.float32)
LABELS = RANDOM.choice(3, 300, p=[0.5, 0.3, 0.2])
ROWS = np.eye(3, dtype=np.float32)[LABELS]
BINARY = (LABELS > 0).astype(int)
NUMBERS = RANDOM.normal(2, 3, (300, 2)).astype(np.float32)


def cross_entropy(y, p):
    return keras.losses.sparse_categorical_crossentropy(y, p)


def of_logits(y, p):
    return keras.losses.sparse_categorical_crossentropy(y, p, from_logits=True)


def binary(y, p):
    return keras.losses.binary_crossentropy(y, p)


def of_binary_logits(y, p):
    return keras.losses.binary_crossentropy(y, p, from_logits=True)


def squares(y, p):
    return ops.mean((y - p) ** 2, axis=-1)


def distances(y, p):
    return ops.mean(ops.abs(y - p), axis=-1)


KNOWN = {
    "probabilities": (3, "softmax", cross_entropy, LABELS, "multiclass", CROSS_ENTROPY),
    "logits": (3, None, of_logits, LABELS, "multiclass", CROSS_ENTROPY),
    "one-hot": (3, "softmax", binary, ROWS, "multilabel", BINARY_CROSS_ENTROPY),
    "binary": (1, "sigmoid", binary, BINARY[:, None], "binary", BINARY_CROSS_ENTROPY),
    "binary logits": (1, None, of_binary_logits, BINARY[:, None], "binary", BINARY_CROSS_ENTROPY),
    "squares": (2, None, squares, NUMBERS, "regression", "mse"),
    "distances": (2, None, distances, NUMBERS, "regression", "mae"),
}


def bounds(units, activation, loss, y, **more):
    keras.utils.set_random_seed(2)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units, activation=activation)])
    model.compile("sgd", loss)
    dataset = dataset_in_hand(X, y, name="mine", validation_fraction=0, **more)
    return bounds_of_compiled(model, dataset, np.asarray(model(X[:8])))


@pytest.mark.parametrize("constant", [0.0, 1000.0, -1000.0])
@pytest.mark.parametrize("kind", KNOWN)
def test_are_those_of_the_same_loss_where_a_formula_gives_them(kind, constant):
    units, activation, loss, y, task, name = KNOWN[kind]
    found = bounds(units, activation, lambda y, p: loss(y, p) + constant, y)
    expected = chance(Objective(task, name), y, 3, None)
    assert found.floor == pytest.approx(constant, abs=2e-4)
    assert found.guessing - constant == pytest.approx(expected, abs=2e-4)


def test_are_weighted_as_the_training_is():
    plain = bounds(2, None, lambda y, p: squares(y, p), NUMBERS)
    doubled = bounds(2, None, lambda y, p: squares(y, p), NUMBERS, sample_weight=np.full(300, 2.0))
    assert doubled.guessing == pytest.approx(2 * plain.guessing, rel=1e-5)


def test_a_known_loss_has_its_floor_at_zero():
    assert bounds(2, None, "mse", NUMBERS) == Bounds(0.0, None)


@pytest.mark.parametrize(
    ("units", "loss", "y"),
    [
        (5, lambda y, p: ops.mean(p**2, axis=-1), NUMBERS),
        (2, lambda y, p: -squares(y, p), NUMBERS),
        (2, lambda y, p: squares(y, p) * float("nan"), NUMBERS),
        (3, lambda y, p: ops.mean(p**2, axis=-1), LABELS + 1),
    ],
    ids=["other shape", "right answers cost most", "no number", "labels beyond the outputs"],
)
def test_are_not_known_where_the_form_of_right_answers_is_not(units, loss, y):
    assert bounds(units, None, loss, y) == UNKNOWN
