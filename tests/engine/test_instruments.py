import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import ops

from onecycle_cli import LRFinder
from onecycle_cli.engine.instruments import Instruments
from onecycle_cli.errors import ModelError, OptimizerError, TrainingError

every_backend = pytest.mark.every_backend


class Owner:
    """Somebody who holds instruments, and is no callback."""


# --- instruments --------------------------------------------------------------------------------


@every_backend
def test_a_released_model_is_a_stock_one(regression):
    model = regression.model(keras.optimizers.SGD(0.1))
    regression.fit(model, epochs=1)
    attributes, tracker = set(vars(model)), model._loss_tracker
    owner = Owner()
    instruments = Instruments.attach(model, ["learning_rate", "momentum"], owner)
    regression.fit(model, epochs=1)
    instruments.release(owner)
    instruments.release(owner)
    assert set(vars(model)) == attributes
    assert model._loss_tracker is tracker
    assert model.optimizer.momentum == 0.0
    regression.fit(model, epochs=1)


@every_backend
def test_what_fit_and_evaluate_report_is_not_changed(regression):
    def losses(attached):
        model = regression.model(keras.optimizers.SGD(0.1), regularizer="l2", metrics=["mae"])
        if attached:
            Instruments.attach(model, ["learning_rate"], Owner())
        history = regression.fit(model, validation_data=(regression.x, regression.y)).history
        return history, model.evaluate(regression.x, regression.y, verbose=0, return_dict=True)

    assert losses(attached=True) == losses(attached=False)


def test_owners_share_one_set_and_the_last_one_leaves_a_stock_model(regression):
    model = regression.model(keras.optimizers.SGD(0.1, momentum=0.5))
    first, second = Owner(), Owner()
    instruments = Instruments.attach(model, ["learning_rate"], first)
    assert Instruments.attach(model, ["momentum"], second) is instruments
    instruments.assign({"momentum": 0.25})
    instruments.release(first)
    assert instruments.read("momentum") == 0.25
    instruments.release(second)
    assert model.optimizer.momentum == 0.5


def test_an_owner_that_attaches_again_keeps_what_it_has(regression):
    model, owner = regression.model(keras.optimizers.SGD(0.1, momentum=0.5)), Owner()
    instruments = Instruments.attach(model, ["momentum"], owner)
    instruments.assign({"momentum": 0.25})
    assert Instruments.attach(model, ["l2"], owner) is instruments
    assert instruments.read("momentum") == 0.25
    instruments.release(owner)
    assert model.optimizer.momentum == 0.5


def test_a_callback_whose_fit_broke_off_does_not_hold_on(regression, each_batch):
    def fail(*_):
        raise RuntimeError

    model, owner = regression.model(keras.optimizers.SGD(0.1, momentum=0.5)), Owner()
    instruments = Instruments.attach(model, ["momentum"], owner)
    with pytest.raises(RuntimeError):
        regression.fit(model, [LRFinder(), each_batch(fail)])
    instruments.assign({"momentum": 0.25})
    regression.fit(model, [LRFinder(verbose=False)], epochs=1)
    assert instruments.read("momentum") == 0.25
    instruments.release(owner)
    assert model.optimizer.momentum == 0.5


def test_a_model_that_was_compiled_again_gets_new_instruments(regression):
    model = regression.model(keras.optimizers.SGD(0.1, momentum=0.5))
    old_optimizer = model.optimizer
    old = Instruments.attach(model, ["momentum"], Owner())
    model.compile(keras.optimizers.Adam(0.1), "mse")
    tracker, owner = model._loss_tracker, Owner()
    new = Instruments.attach(model, ["momentum"], owner)
    assert new is not old
    assert old_optimizer.momentum == 0.5
    new.assign({"momentum": 0.25})
    new.release(owner)
    assert model.optimizer.beta_1 == 0.9
    assert model._loss_tracker is tracker


def test_a_model_compiled_again_in_between_trains_as_if_nothing_had_been(regression):
    model = regression.model(keras.optimizers.SGD(0.1))
    owner = Owner()
    instruments = Instruments.attach(model, ["momentum"], owner)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    tracker = model._loss_tracker
    instruments.release(owner)
    assert model._loss_tracker is tracker
    regression.fit(model)
    assert regression.reference("sgd").train([0.1] * 21, [0.0] * 21).error(model) < 1e-6


def test_a_method_that_the_model_was_given_comes_back(regression):
    model = regression.model(keras.optimizers.SGD(0.1))
    inner, calls = model.compute_loss, []

    def compute_loss(*arguments, **more):
        calls.append(arguments)
        return 3 * inner(*arguments, **more)

    model.compute_loss = compute_loss
    owner = Owner()
    instruments = Instruments.attach(model, ["learning_rate"], owner)
    regression.fit(model, epochs=1)
    assert calls
    expected = regression.reference("sgd").train([0.3] * 7, [0.0] * 7)
    assert expected.error(model) < 1e-6
    assert instruments.batch_loss == pytest.approx(3 * expected.losses[-1], rel=1e-5)
    instruments.release(owner)
    assert model.compute_loss is compute_loss


def test_a_model_with_an_older_compute_loss(regression):
    class Older(keras.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            return ops.mean(ops.abs(y - y_pred))

    inputs = keras.Input((4,))
    model = Older(inputs, keras.layers.Dense(2)(inputs))
    model.compile(keras.optimizers.SGD(0.0))
    instruments = Instruments.attach(model, ["learning_rate"], Owner())
    regression.fit(model, epochs=1)
    x, y = list(regression.batches(7))[-1]
    assert instruments.batch_loss == pytest.approx(np.abs(model(x) - y).mean(), rel=1e-5)


def test_a_loss_that_the_training_step_hides_is_an_error_and_not_a_zero(regression):
    class Hiding(keras.Model):
        def train_step(self, data):
            self._loss_tracker.update_state(1.0)
            return self.get_metrics_result()

    inputs = keras.Input((4,))
    model = Hiding(inputs, keras.layers.Dense(2)(inputs))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    instruments = Instruments.attach(model, ["learning_rate"], Owner())
    regression.fit(model, epochs=1)
    with pytest.raises(TrainingError, match="train_step of Hiding does not call self"):
        _ = instruments.batch_loss


def frozen(layer):
    """Return a compiled model of a layer that is not trained."""
    layer.trainable = False
    model = keras.Sequential([keras.Input((4,)), layer])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


@pytest.mark.parametrize(
    ("make", "error", "sentence"),
    [
        (
            lambda _: keras.Sequential([keras.layers.Dense(2)]),
            ModelError,
            r"has no variables yet.* keras.Input\(shape\), or call model.build",
        ),
        (
            lambda _: keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]),
            ModelError,
            "is not compiled; call model.compile",
        ),
        (lambda _: frozen(keras.layers.Dense(2)), ModelError, "has nothing to train: all its lay"),
        (lambda _: frozen(keras.layers.Flatten()), ModelError, "has nothing to train: all its la"),
        (
            lambda regression: regression.model(keras.optimizers.Adagrad(0.1)),
            OptimizerError,
            "Adagrad has no momentum",
        ),
    ],
)
def test_refused_models_are_left_alone(regression, make, error, sentence):
    model = make(regression)
    attributes = set(vars(model))
    with pytest.raises(error, match=sentence):
        Instruments.attach(model, ["momentum"], Owner())
    assert set(vars(model)) == attributes


# --- batch losses -------------------------------------------------------------------------------


@every_backend
@pytest.mark.parametrize("mode", [{}, {"run_eagerly": True}])
def test_batch_losses_are_the_bits_of_the_losses(regression, each_batch, mode):
    model = regression.model(keras.optimizers.SGD(0.1), **mode)
    instruments = Instruments.attach(model, ["learning_rate"], Owner())
    losses = []

    def read(callback, _):
        _ = callback.model
        losses.append(instruments.batch_loss)

    regression.fit(model, [each_batch(end=read)])
    twin, expected = regression.model(keras.optimizers.SGD(0.1), **mode), []
    for x, y in regression.batches(21):
        twin.reset_metrics()
        expected.append(float(twin.train_on_batch(x, y)))
    assert losses == expected
    assert all(type(loss) is float for loss in losses)


# --- a process ----------------------------------------------------------------------------------

BROKEN_OFF = """
import keras
import numpy as np

from onecycle_cli import LRFinder


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 9

    def __getitem__(self, index):
        return np.ones((4, 2)), np.ones(4)


model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse", jit_compile=False)
model.fit(Batches(), callbacks=[LRFinder(num_steps=5, verbose=False)], verbose=0)
print(model.stop_training)
"""


@pytest.mark.harness
def test_a_program_ends_without_a_complaint_of_the_data_that_were_left_unread():
    done = subprocess.run(
        [sys.executable, "-c", BROKEN_OFF],
        env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True\n"
    assert "finalizing" not in done.stderr
