import contextlib
import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from keras import ops

from onecycle_cli import LRFinder, OneCycleLR
from onecycle_cli.engine.instruments import Instruments
from onecycle_cli.errors import TrainingError

pytestmark = pytest.mark.lowest

every_backend = pytest.mark.every_backend


def recorded(regression, model, **arguments):
    """Return the losses of one epoch's batches, all with the weights as they are."""
    finder = LRFinder(min_lr=1e-30, max_lr=2e-30, verbose=False)
    regression.fit(model, [finder], epochs=1, **arguments)
    return finder.losses


def outputs(regression):
    kernel, bias = regression.weights
    return [(x, y, x @ kernel + bias) for x, y in regression.batches(7)]


def squared_errors(regression):
    return [np.mean((p - y) ** 2) for _, y, p in outputs(regression)]


class Adding(keras.layers.Layer):
    """Adds `factor` times the mean square of its input to the loss."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def call(self, x):
        self.add_loss(self.factor * ops.mean(ops.square(x)))
        return x


def model_of(kind, regression, *, factor=0.3, loss="mse", **more):
    """Return a linear model of a class of its own, with both kinds of penalties."""
    inputs = keras.Input((4,))
    dense = keras.layers.Dense(2, kernel_regularizer=keras.regularizers.L2(0.2))
    model = kind(inputs, Adding(factor)(dense(inputs)))
    model.set_weights(regression.weights)
    model.compile(keras.optimizers.SGD(0.1), loss, **more)
    return model


# --- models without a compute_loss of their own ---------------------------------------------------


@every_backend
def test_a_model_that_only_adds_losses_learns_from_them_but_not_from_its_regularisers(regression):
    losses = recorded(regression, model_of(keras.Model, regression, loss=None))
    expected = [0.3 * np.mean(p**2) for _, _, p in outputs(regression)]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


@every_backend
def test_a_small_loss_beside_huge_penalties_is_not_rounded_away(regression):
    losses = recorded(regression, model_of(keras.Model, regression, factor=1e7))
    np.testing.assert_allclose(losses, squared_errors(regression), rtol=1e-5)


@every_backend
def test_several_outputs_are_weighted_as_they_were_compiled(regression):
    inputs = keras.Input((4,))
    layers = {name: keras.layers.Dense(2, name=name) for name in ("a", "b")}
    model = keras.Model(inputs, {name: layer(inputs) for name, layer in layers.items()})
    for layer in layers.values():
        layer.set_weights(regression.weights)
        layer.kernel.regularizer = keras.regularizers.L2(0.2)
    weights = {"a": 0.25, "b": 3.0}
    model.compile(keras.optimizers.SGD(0.1), {"a": "mse", "b": "mae"}, loss_weights=weights)
    importance = np.random.default_rng(0).random(50).astype("float32")
    finder = LRFinder(min_lr=1e-30, max_lr=2e-30, verbose=False)
    model.fit(
        regression.x,
        dict.fromkeys(layers, regression.y),
        sample_weight=dict.fromkeys(layers, importance),
        batch_size=8,
        shuffle=False,
        verbose=0,
        callbacks=[finder],
    )
    expected = []
    for step, (_, y, p) in enumerate(outputs(regression)):
        part = importance[8 * step : 8 * step + 8]
        a, b = (part * np.mean(d, axis=1) for d in ((p - y) ** 2, np.abs(p - y)))
        expected.append(0.25 * a.mean() + 3.0 * b.mean())
    np.testing.assert_allclose(finder.losses, expected, rtol=1e-5)


# --- models with one ------------------------------------------------------------------------------


class LeavingOut(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.abs(y - y_pred))


class Counting(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return ops.mean(ops.abs(y - y_pred)) + sum(ops.sum(loss) for loss in self.losses)


class Extending(keras.Model):
    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return super().compute_loss(x, y, y_pred, sample_weight) + ops.mean(ops.abs(y - y_pred))


@every_backend
@pytest.mark.parametrize("kind", [LeavingOut, Counting])
def test_a_loss_that_is_computed_without_keras_is_taken_as_it_is_and_said_to_be(regression, kind):
    model = model_of(kind, regression)
    with pytest.warns(UserWarning, match=f"{kind.__name__} computes its loss itself") as warned:
        losses = recorded(regression, model)
    assert len([w for w in warned if "computes its loss itself" in str(w.message)]) == 1
    expected = [np.mean(np.abs(p - y)) for _, y, p in outputs(regression)]
    if kind is Counting:
        penalty = 0.2 * np.sum(regression.weights[0] ** 2)
        penalties = [penalty + 0.3 * np.mean(p**2) for _, _, p in outputs(regression)]
        expected = np.add(expected, penalties)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


@every_backend
@pytest.mark.parametrize("patched", [False, True])
def test_what_is_added_to_the_loss_of_keras_counts_and_its_penalties_do_not(regression, patched):
    model = model_of(keras.Model if patched else Extending, regression)
    if patched:
        stock = model.compute_loss

        def compute_loss(x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return stock(x, y, y_pred, sample_weight) + ops.mean(ops.abs(y - y_pred))

        model.compute_loss = compute_loss
    losses = recorded(regression, model)
    expected = [np.mean((p - y) ** 2) + np.mean(np.abs(p - y)) for _, y, p in outputs(regression)]
    np.testing.assert_allclose(losses, expected, rtol=1e-5)


SIGNATURES = {
    "other names": lambda self, inputs, targets, answers, weights: (targets, answers),
    "only positions": lambda self, *these: these[1:3],
    "anything": lambda self, *these, **more: these[1:3],
    "training, and others": lambda self, a, b, c, d, training: (b, c),
    "training by name": lambda self, a, b, c, d=None, *, training=False: (b, c),
}


@pytest.mark.samples(2)
@every_backend
@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
def test_a_compute_loss_may_call_its_arguments_as_it_likes(regression, signature):
    import inspect

    def compute_loss(self, *these, **more):
        y, y_pred = signature(self, *these, **more)
        return ops.mean(ops.square(y - y_pred))

    compute_loss.__signature__ = inspect.signature(signature)
    kind = type("Own", (keras.Model,), {"compute_loss": compute_loss})
    inputs = keras.Input((4,))

    def model():
        made = kind(inputs, keras.layers.Dense(2)(inputs))
        made.set_weights(regression.weights)
        made.compile(keras.optimizers.SGD(0.1, momentum=0.5))
        return made

    np.testing.assert_allclose(recorded(regression, model()), squared_errors(regression), rtol=1e-5)
    trained, cycle = model(), OneCycleLR(max_lr=0.1, verbose=False)
    regression.fit(trained, [cycle], epochs=1)
    reference = regression.reference("sgd")
    reference.train(cycle.history["lr"], cycle.history["momentum"])
    assert reference.error(trained) < 1e-5


# --- training steps of their own ------------------------------------------------------------------


def stepping(step):
    """Return a model of TensorFlow with a training step of its own."""
    kind = type("Stepping", (keras.Model,), {"train_step": step})
    inputs = keras.Input((4,))
    return kind(inputs, keras.layers.Dense(2)(inputs))


def ascending_first(self, data):
    """Take the gradient where the loss is higher, as sharpness-aware minimisation does."""
    import tensorflow as tf

    x, y = data
    weights = self.trainable_variables
    with tf.GradientTape() as tape:
        loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
    gradients = tape.gradient(loss, [w.value for w in weights])
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.assign_add(0.5 * gradient)
    with tf.GradientTape() as tape:
        second = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
    seconds = tape.gradient(second, [w.value for w in weights])
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.assign_sub(0.5 * gradient)
    self.optimizer.apply_gradients(zip(seconds, weights, strict=True))
    return {"loss": loss}


def test_of_several_losses_of_a_step_the_first_is_the_one_before_its_update(regression):
    model = stepping(ascending_first)
    model.set_weights(regression.weights)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    np.testing.assert_allclose(recorded(regression, model), squared_errors(regression), rtol=1e-5)


def test_of_several_losses_of_a_step_one_counts_when_steps_are_executed_together(regression):
    model, owner = stepping(ascending_first), object()
    model.set_weights(regression.weights)
    model.compile(keras.optimizers.SGD(1e-30), "mse", steps_per_execution=7)
    instruments = Instruments.attach(model, ["learning_rate"], owner)
    instruments.load([{"learning_rate": 1e-30}] * 7)
    regression.fit(model, epochs=1)
    np.testing.assert_allclose(instruments.losses(), squared_errors(regression), rtol=1e-5)
    instruments.release(owner)


def in_parts(self, data):
    import tensorflow as tf

    x, y = data
    with tf.GradientTape() as tape:
        loss, _ = self.compute_loss(x, y, self(x, training=True))
    weights = self.trainable_variables
    gradients = tape.gradient(loss, [w.value for w in weights])
    self.optimizer.apply_gradients(zip(gradients, weights, strict=True))
    return {"loss": loss}


def test_a_loss_in_several_parts_can_be_trained_on_but_not_recorded(regression):
    def compute_loss(self, x, y, y_pred):
        loss = ops.mean(ops.square(y - y_pred))
        return loss, {"part": loss}

    def model():
        made = stepping(in_parts)
        type(made).compute_loss = compute_loss
        made.set_weights(regression.weights)
        made.compile(keras.optimizers.SGD(0.1, momentum=0.5), "mse")
        return made

    trained, cycle = model(), OneCycleLR(max_lr=0.1, verbose=False)
    regression.fit(trained, [cycle], epochs=1)
    reference = regression.reference("sgd")
    reference.train(cycle.history["lr"], cycle.history["momentum"])
    assert reference.error(trained) < 1e-5
    with pytest.raises(TrainingError, match=r"train_step of Stepping .* more than one number"):
        recorded(regression, model())


def test_a_loss_of_evaluation_does_not_stand_in_for_one_that_is_hidden(regression):
    def hiding(self, data):
        self._loss_tracker.update_state(1.0)
        return {"loss": 1.0}

    model = stepping(hiding)
    model.compile(keras.optimizers.SGD(0.1), "mse")
    instruments = Instruments.attach(model, ["learning_rate"], object())
    regression.fit(model, epochs=1, validation_data=(regression.x, regression.y))
    with pytest.raises(TrainingError, match="the train_step of Stepping does not call"):
        _ = instruments.batch_loss


# --- several devices ------------------------------------------------------------------------------

MIRRORED = """
    import keras, numpy as np, tensorflow as tf
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    from onecycle_cli import LRFinder

    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        inputs = keras.Input((4,))
        dense = keras.layers.Dense(2, kernel_regularizer=keras.regularizers.L2(0.2))
        model = keras.Model(inputs, dense(inputs))
        model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    random = np.random.default_rng(0)
    x, y = random.normal(size=(40, 4)), random.normal(size=(40, 2))
    arguments = dict(batch_size=8, shuffle=False, verbose=0)
    model.fit(x, y, **arguments)
    held = [np.array(v) for v in [*model.variables, *model.optimizer.variables]]
    finder = LRFinder(min_lr=0.01, max_lr=0.1, num_steps=8)
    model.fit(x, y, epochs=2, callbacks=[finder], **arguments)

    kernel, bias, velocities, expected = *(w.astype(float) for w in model.get_weights()), [0, 0], []
    for step, lr in enumerate(finder.lrs):
        rows = slice(step % 5 * 8, step % 5 * 8 + 8)
        errors = x[rows] @ kernel + bias - y[rows]
        expected.append(np.mean(errors**2))
        gradients = x[rows].T @ errors / 8 + 0.4 * kernel, errors.sum(axis=0) / 8
        velocities = [0.9 * v - lr * g for v, g in zip(velocities, gradients)]
        kernel, bias = kernel + velocities[0], bias + velocities[1]
    np.testing.assert_allclose(finder.losses, expected, rtol=1e-5)
    for old, now in zip(held, [*model.variables, *model.optimizer.variables]):
        np.testing.assert_allclose(np.array(now), old, rtol=1e-7)
"""


@pytest.mark.harness
def test_losses_under_a_mirrored_strategy_are_those_of_the_whole_batch():
    command = [sys.executable, "-c", textwrap.dedent(MIRRORED)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]


def test_what_listens_is_gone_afterwards(regression):
    model = model_of(keras.Model, regression)
    attributes, inner = set(vars(model)), set(vars(model._compile_loss))
    with contextlib.suppress(TrainingError):
        recorded(regression, model)
    assert "_aggregate_additional_loss" not in set(vars(model)) - attributes
    assert "call" not in set(vars(model._compile_loss)) - inner
    assert "train_step" not in vars(model)
