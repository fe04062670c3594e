import threading

import keras
import numpy as np
import pytest

from onecycle_cli.data import Dataset, EvaluationBatches
from onecycle_cli.workbench.scoring.answers import answers_to


@pytest.fixture
def model():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((4,))
    hidden = keras.layers.Dropout(0.5)(keras.layers.Dense(8, "tanh")(inputs))
    model = keras.Model(inputs, keras.layers.Dense(3)(hidden))
    model.compile("sgd", "mse")
    return model


@pytest.fixture
def batches():
    def make(rows):
        x = np.random.default_rng(3).normal(size=(50, 4)).astype(np.float32)
        dataset = Dataset(
            name="numbers", x=x, y=np.zeros(50, np.float32), train=np.arange(50),
            validation=np.arange(0), classes=None, mean=0.0, std=1.0, read_test=None, origin="made",
        )  # fmt: skip
        return EvaluationBatches(dataset, np.array(rows), batch_size=8)

    return make


@pytest.mark.parametrize("count", [1, 7, 8, 9, 24, 43])
def test_they_are_those_of_predict_in_the_order_of_the_examples(model, batches, count):
    asked = batches(np.random.default_rng(4).permutation(50)[:count])
    answers = answers_to(model, asked)
    (first, bias), (second, offset) = (
        map(np.array, layer.weights) for layer in model.layers if layer.weights
    )
    by_hand = np.tanh(asked.x[asked.rows] @ first + bias) @ second + offset
    assert (answers.dtype, answers.shape) == (np.float32, (count, 3))
    np.testing.assert_allclose(answers, by_hand, atol=1e-5)
    np.testing.assert_allclose(answers, model.predict(asked, verbose=0), atol=1e-6)


def test_a_step_of_ones_own_is_asked(batches):
    class Doubled(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(1, kernel_initializer="ones")

        def call(self, x):
            return self.dense(x)

        def predict_step(self, data):
            x, *_ = data
            return 2 * self(x, training=False)

    model, asked = Doubled(), batches(range(20))
    model.compile("sgd", "mse")
    by_hand = 2 * asked.x[:20].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(answers_to(model, asked), by_hand, atol=1e-5)


def test_an_error_of_reading_is_raised_and_no_thread_is_left(model, batches):
    asked, before = batches([0, 1, 2, 49, 50, 51]), threading.active_count()
    with pytest.raises(IndexError):
        answers_to(model, asked)
    assert threading.active_count() == before
