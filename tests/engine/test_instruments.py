import random

import keras
import numpy as np
import pytest
from keras import ops

from onecycle_cli import LRFinder
from onecycle_cli.engine.instruments import Instruments
from onecycle_cli.engine.state.snapshot import Snapshot, reinitialise, reseed
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


# --- snapshots ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(0.1, momentum=0.9),
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.1)),
        lambda: keras.optimizers.SGD(0.1, use_ema=True, gradient_accumulation_steps=2),
    ],
    ids=["sgd", "loss-scale", "ema"],
)
def test_a_snapshot_brings_back_every_bit(noisy, state_of, optimizer):
    model = noisy.model(optimizer())
    noisy.fit(model, epochs=1)
    held, snapshot = state_of(model), Snapshot(model)
    metrics = [ops.convert_to_numpy(v).copy() for v in model.metrics_variables]
    for _ in range(2):
        noisy.fit(model, epochs=1)
        changed = [not np.array_equal(a, b) for a, b in zip(held, state_of(model), strict=True)]
        assert sum(changed) > 10
        snapshot.restore()
        for before, after in zip(held, state_of(model), strict=True):
            np.testing.assert_array_equal(after, before)
        for before, after in zip(metrics, model.metrics_variables, strict=True):
            np.testing.assert_array_equal(ops.convert_to_numpy(after), before)


@every_backend
def test_a_snapshot_holds_the_slots_of_an_optimizer_that_has_not_begun(regression, state_of):
    model = regression.model(keras.optimizers.SGD(0.1, momentum=0.9))
    snapshot = Snapshot(model)
    before = state_of(model)
    assert len(before) == 2 + 2 + 2
    regression.fit(model)
    snapshot.restore()
    for old, new in zip(before, state_of(model), strict=True):
        np.testing.assert_array_equal(new, old)


@every_backend
def test_a_snapshot_brings_back_the_random_generators(regression):
    keras.utils.set_random_seed(5)
    draws = [random.random, np.random.random, lambda: keras.random.uniform(()), *backend_draws()]
    for draw in draws:  # so that the global seed generator is there
        draw()
    snapshot = Snapshot(regression.model("sgd"))
    first = [float(draw()) for draw in draws]
    snapshot.restore()
    assert [float(draw()) for draw in draws] == first


@every_backend
def test_a_snapshot_remembers_that_there_was_no_global_seed_generator(regression):
    keras.utils.clear_session()
    keras.utils.set_random_seed(5)
    snapshot = Snapshot(regression.model("sgd"))
    first = float(keras.random.uniform(()))
    keras.random.uniform(())
    snapshot.restore()
    assert float(keras.random.uniform(())) == first


def backend_draws():
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        tf.random.set_global_generator(tf.random.Generator.from_seed(5))
        return [lambda: tf.random.uniform(()), lambda: tf.random.get_global_generator().normal(())]
    if keras.backend.backend() == "torch":
        import torch

        return [lambda: torch.rand(())]
    return []


def test_reinitialise_gives_the_state_of_a_twin(noisy):
    def fresh(seed):
        keras.utils.set_random_seed(seed)
        return noisy.model(keras.optimizers.SGD(0.1))

    model, twin = fresh(0), fresh(1)
    noisy.fit(model)
    reinitialise(model, twin)
    for mine, theirs in zip(model.variables, twin.variables, strict=True):
        np.testing.assert_array_equal(mine, theirs)
    x = noisy.x[:8]
    np.testing.assert_array_equal(model(x, training=True), twin(x, training=True))


@every_backend
def test_a_seed_keeps_the_global_generator_that_traced_steps_hold():
    """Keras would make another one, and steps that are traced would go on with the old one."""
    kept = reseed(2**31 + 5)
    draw = traced(lambda: keras.random.normal((3,)))
    first = [np.array(draw()) for _ in range(2)]
    reseed(4)
    other = np.array(draw())
    keras.utils.set_random_seed(1)
    reseed(2**31 + 5, keeping=kept)
    again = [np.array(draw()) for _ in range(2)]
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(other, first[0])


def traced(function):
    """Have a function traced once, where the backend does so."""
    if keras.backend.backend() != "tensorflow":
        return function
    import tensorflow as tf

    return tf.function(function)
