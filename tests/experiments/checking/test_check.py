import numpy as np
import pytest

from onecycle_cli.config import load_config
from onecycle_cli.data.batches.batching import batch
from onecycle_cli.errors import ModelError
from onecycle_cli.experiments.checking import check as checking
from onecycle_cli.experiments.checking.check import check
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.loading import load_data


@pytest.fixture
def checked(listener):
    """Check a configuration."""
    return lambda config: check(load_config(config), observer=listener)


def test_what_a_config_means(checked, small):
    found = checked(small())
    assert found.preamble == (
        "360 x 8 x 8 x 1 bytes, 10 classes, cross-entropy; scored by accuracy"
    )
    assert (found.train, found.validation, found.test) == (360, 40, 180)
    assert (found.steps_per_epoch, found.training_steps) == (6, 12)
    assert found.weights == found.trainable_weights == 64 * 16 + 16 + 16 * 10 + 10
    assert found.chance_loss == pytest.approx(2.3, abs=0.01)
    assert found.warnings == []


def test_the_first_loss_is_that_of_the_first_step_of_the_training(checked, arrays, linear):
    """Of a linear model with weights of 1 it can be written down."""

    config = {"dataset": arrays, "model": linear, "batch_size": 10}
    data = load_data(load_config(config), Observer())
    x, y = batch(data, seed=0, epoch=0, step=0, batch_size=10)
    expected = np.mean((x.sum(axis=1, keepdims=True) - y) ** 2)
    assert checked(config).first_loss == pytest.approx(expected, rel=1e-5)


def test_the_model_is_as_it_was(checked, small, monkeypatch):
    states = []

    def watched(bench, loss):
        states.append([*bench.model.get_weights(), int(bench.model.optimizer.iterations)])
        return []

    make = checking.Workbench

    def made(*arguments):
        bench = make(*arguments)
        states.append([*bench.model.get_weights(), int(bench.model.optimizer.iterations)])
        return bench

    monkeypatch.setattr(checking, "Workbench", made)
    monkeypatch.setattr(checking, "doubts", watched)
    checked(small())
    before, after = states
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


def test_a_model_that_does_not_fit_is_refused(checked, small, user_model):
    with pytest.raises(ModelError, match="must have outputs of shape"):
        body = "x = keras.Input(input_shape)\nreturn keras.Model(x, keras.layers.Flatten()(x))"
        checked(small() | {"model": user_model(body)})


def test_a_model_that_fails_when_it_trains_is_named(checked, small, user_model):
    body = """
    class Failing(keras.Model):
        def train_step(self, data):
            raise ValueError("not today")

    x = keras.Input(input_shape)
    y = keras.layers.Dense(num_outputs, activation="softmax")(keras.layers.Flatten()(x))
    return Failing(x, y)
    """
    with pytest.raises(ModelError, match=r"failed in its first training step: .*not today"):
        checked(small() | {"model": user_model(body)})
