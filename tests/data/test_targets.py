import re

import numpy as np
import pytest

from onecycle_cli.data.targets import hidden_classes

RANDOM = np.random.default_rng(6)
LABELS = RANDOM.integers(0, 4, 80)


@pytest.mark.parametrize(
    ("y", "what"),
    [
        (np.eye(4)[LABELS], "are one-hot; .*argmax"),
        (np.eye(2)[LABELS % 2], "are one-hot; .*argmax"),
        (RANDOM.dirichlet(np.ones(3), 80), "are the probabilities of classes; .*argmax"),
        (0.9 * np.eye(4)[LABELS] + 0.025, "are the probabilities of classes; .*argmax"),
        (RANDOM.integers(0, 2, (80, 5)), "are zeros and ones, several labels"),
        (LABELS, "are whole numbers of 4 values; .*unique"),
        (LABELS % 2, "are whole numbers of 2 values"),
        (LABELS % 2 * 2 - 1, "are whole numbers of 2 values"),
        (LABELS * 10 + 3, "are whole numbers of 4 values"),
        (np.repeat(np.arange(40), 2), "are whole numbers of 40 values"),
    ],
)
def test_what_may_be_classes_is_named(y, what):
    assert re.match(what, hidden_classes(y.astype(np.float32)))


@pytest.mark.parametrize(
    "y",
    [
        RANDOM.normal(size=80),
        RANDOM.normal(size=(80, 3)),
        LABELS + 0.5,
        np.arange(80),
        np.repeat(np.arange(1000), 3),
        np.ones(80),
        LABELS[:, None] * [1.0, 2.0],
        RANDOM.dirichlet(np.ones(3), 80) - 0.01,
        np.array([3.0]),
    ],
)
def test_numbers_are_left_alone(y):
    assert hidden_classes(y.astype(np.float32)) is None
