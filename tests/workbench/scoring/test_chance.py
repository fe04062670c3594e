"""Chance is the least loss of all constant answers, as Keras computes that loss."""

import keras
import numpy as np
import pytest

from onecycle_cli.workbench.scoring.chance import chance
from onecycle_cli.workbench.scoring.objective import Objective

RANDOM = np.random.default_rng(3)
LABELS = RANDOM.choice(3, 200, p=[0.6, 0.3, 0.1]).astype(np.int32)
SEVERAL = (RANDOM.random((200, 4)) < [0.1, 0.5, 0.9, 0.3]).astype(np.float32)
NUMBERS = np.exp(RANDOM.normal(size=(200, 2)) * 1.5).astype(np.float32)
WEIGHTS = RANDOM.random(200).astype(np.float32) * 3

CASES = {
    "multiclass": (Objective("multiclass", "sparse_categorical_crossentropy", True), LABELS, 3),
    "smoothed": (
        Objective("multiclass", "sparse_categorical_crossentropy", True, 0.3),
        LABELS,
        3,
    ),
    "binary": (Objective("binary", "binary_crossentropy", True), LABELS % 2, 2),
    "binary, smoothed": (Objective("binary", "binary_crossentropy", True, 0.2), LABELS % 2, 2),
    "multilabel": (Objective("multilabel", "binary_crossentropy", True), SEVERAL, 4),
    "mse": (Objective("regression", "mse"), NUMBERS, 0),
    "mae": (Objective("regression", "mae"), NUMBERS, 0),
    "huber": (Objective("regression", "huber"), NUMBERS, 0),
    "huber, one": (Objective("regression", "huber"), NUMBERS[:, 0], 0),
}


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["alike", "weighted"])
@pytest.mark.samples(4)
@pytest.mark.parametrize("case", CASES)
def test_no_constant_answer_does_better(case, weights):
    objective, targets, classes = CASES[case]
    shaped = targets if objective.task == "multiclass" else targets.reshape(200, -1)
    outputs = classes if objective.task == "multiclass" else shaped.shape[1]
    if objective.takes_one_hot:
        shaped = np.eye(classes, dtype=np.float32)[shaped]
    loss = objective.in_training()

    answer = keras.Variable(np.zeros(outputs, np.float32))
    optimizer = keras.optimizers.Adam(0.05)
    import tensorflow as tf

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            everywhere = keras.ops.tile(answer[None], (200, 1))
            value = loss(shaped, everywhere, sample_weight=weights)
        optimizer.apply([tape.gradient(value, answer.value)], [answer])
        return value

    optimizer.build([answer])
    values = [float(step()) for _ in range(600)]
    found = chance(objective, targets, classes, weights)
    assert found == pytest.approx(min(values), rel=2e-3)
    assert found <= min(values) * (1 + 1e-5)
