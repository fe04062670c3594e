"""A schedule acts on the optimizer that trains the model, or `fit` raises; it is never idle."""

import keras
import numpy as np
import pytest
from keras import ops

from onecycle_cli import LRFinder, OneCycleLR
from onecycle_cli.errors import OptimizerError, TrainingError

every_backend = pytest.mark.every_backend
on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="written with GradientTape"
)

MODES = {"graph": {"jit_compile": False}, "eager": {"run_eagerly": True}}


def one_cycle(**more):
    return OneCycleLR(**{"max_lr": 0.08, "verbose": False} | more)


def rate_only():
    return one_cycle(maximum_momentum=None, minimum_momentum=None)


CALLBACKS = {
    "cycle": one_cycle,
    "rate only": rate_only,
    "range test": lambda: LRFinder(num_steps=7, verbose=False),
}


# --- optimizers that leave the updates to others -------------------------------------------------


class Several(keras.optimizers.SGD):
    """Holds an optimizer for the kernels and one for the biases."""

    def __init__(self, **more):
        super().__init__(0.05, momentum=0.5, **more)
        self.for_kernels = keras.optimizers.SGD(0.05, momentum=0.5)
        self.for_biases = keras.optimizers.SGD(0.01)

    def build(self, variables):
        super().build(variables)
        self.for_kernels.build([v for v in variables if len(v.shape) > 1])
        self.for_biases.build([v for v in variables if len(v.shape) == 1])

    def apply(self, grads, trainable_variables=None):
        pairs = list(zip(grads, trainable_variables or self._trainable_variables, strict=True))
        for optimizer, axes in ((self.for_kernels, 2), (self.for_biases, 1)):
            mine = [(g, v) for g, v in pairs if len(v.shape) == axes]
            optimizer.apply(*zip(*mine, strict=True))
        self._iterations.assign_add(1)


class Lookahead(keras.optimizers.SGD):
    """Lets another optimizer take the steps; the slow weights don't matter here."""

    def __init__(self, **more):
        super().__init__(0.05, momentum=0.5, **more)
        self.fast = keras.optimizers.SGD(0.05, momentum=0.5)

    def build(self, variables):
        super().build(variables)
        self.fast.build(variables)

    def apply(self, grads, trainable_variables=None):
        self.fast.apply(grads, trainable_variables or self._trainable_variables)


class Stubborn(keras.optimizers.SGD):
    """Takes its momentum from a constant of its own; the rate is the usual one."""

    def update_step(self, gradient, variable, learning_rate):
        velocity = self.momentums[self._get_variable_index(variable)]
        rate = ops.cast(learning_rate, variable.dtype)
        self.assign(velocity, 0.5 * velocity - rate * gradient)
        self.assign_add(variable, velocity)


IDLE = {
    "several": Several,
    "lookahead": Lookahead,
    "accumulating": lambda: Several(gradient_accumulation_steps=3),
    "loss scale": lambda: keras.optimizers.LossScaleOptimizer(Lookahead()),
}


@on_tensorflow
@pytest.mark.parametrize(
    ("case", "callback", "mode"),
    [
        *((case, "cycle", mode) for case in IDLE for mode in MODES),
        ("lookahead", "rate only", "graph"),
        ("lookahead", "range test", "graph"),
    ],
)
def test_an_optimizer_that_leaves_the_updates_to_others_is_refused(
    regression, case, callback, mode
):
    model = regression.model(IDLE[case](), **MODES[mode])
    with pytest.raises(OptimizerError, match=r"leaves the updates to another .*inner_optimizer"):
        regression.fit(model, [CALLBACKS[callback]()])


@every_backend
def test_a_momentum_that_no_update_reads_is_refused(regression):
    model = regression.model(Stubborn(0.05, momentum=0.5))
    with pytest.raises(
        OptimizerError, match=r"Stubborn does not use its momentum .*_momentum=None"
    ):
        regression.fit(model, [one_cycle()])


@every_backend
def test_its_rate_alone_can_be_scheduled(regression, smith):
    model = regression.model(Stubborn(0.05, momentum=0.5))
    regression.fit(model, [rate_only()])
    lrs, _ = smith(21, 0.08)
    assert regression.reference("sgd").train(lrs, np.full(21, 0.5)).error(model) < 1e-6


# --- models that train by other optimizers than the compiled one ---------------------------------


class Pair(keras.Model):
    """Trains by two optimizers of its own, as a generator and a discriminator are trained."""

    def compile(self, **more):
        super().compile(**more)
        self.optimizers = [keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.01)]

    def train_step(self, data):
        import tensorflow as tf

        x, y = data
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x, y, self(x, training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        for optimizer, g, v in zip(
            self.optimizers, gradients, self.trainable_variables, strict=True
        ):
            optimizer.apply_gradients([(g, v)])
        return {"loss": loss}


@on_tensorflow
@pytest.mark.parametrize(
    ("callback", "mode"), [("cycle", "graph"), ("cycle", "eager"), ("range test", "graph")]
)
def test_a_model_that_trains_by_optimizers_of_its_own_is_refused(regression, callback, mode):
    inputs = keras.Input((4,))
    model = Pair(inputs, keras.layers.Dense(2)(inputs))
    model.compile(optimizer=keras.optimizers.SGD(0.05, momentum=0.5), loss="mse", **MODES[mode])
    with pytest.raises(OptimizerError, match=r"train_step of Pair does not use model\.optimizer"):
        regression.fit(model, [CALLBACKS[callback]()])


@every_backend
@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
@pytest.mark.parametrize("callback", ["cycle", "range test"])
def test_a_model_with_every_weight_frozen_is_refused(regression, callback):
    model = regression.model(keras.optimizers.SGD(0.05, momentum=0.5))
    model.trainable = False
    model.compile(keras.optimizers.SGD(0.05, momentum=0.5), "mse")
    with pytest.raises(TrainingError, match=r"nothing to train: .* set trainable = True"):
        regression.fit(model, [CALLBACKS[callback]()])


@every_backend
def test_a_model_with_some_weights_frozen_trains(regression, smith):
    model = regression.model(keras.optimizers.SGD(0.05, momentum=0.5))
    frozen = keras.layers.Dense(2, kernel_initializer="identity", trainable=False)
    model = keras.Sequential([keras.Input((4,)), *model.layers, frozen])
    model.compile(keras.optimizers.SGD(0.05, momentum=0.5), "mse")
    regression.fit(model, [one_cycle()])
    lrs, momenta = smith(21, 0.08)
    reference = regression.reference("sgd").train(lrs, momenta)
    for ours, theirs in zip(model.get_weights()[:2], reference.weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


# --- models that are given another optimizer while they train ------------------------------------


class Change(keras.callbacks.Callback):
    """Changes the model at the beginning of the second epoch."""

    def __init__(self, change):
        super().__init__()
        self.change = change

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            self.change(self.model)


def another_optimizer(model):
    model.optimizer = keras.optimizers.SGD(0.5)


CHANGES = {
    "compiled": lambda model: model.compile(keras.optimizers.SGD(0.5), "mse"),
    "compiled with the same": lambda model: model.compile(model.optimizer, "mse"),
    "another optimizer": another_optimizer,
}


@every_backend
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("ours_first", [True, False])
def test_a_model_that_is_changed_while_it_trains_is_refused(regression, change, ours_first):
    model = regression.model(keras.optimizers.SGD(0.05, momentum=0.5))
    callbacks = [one_cycle(), Change(CHANGES[change])]
    with pytest.raises(OptimizerError, match="compiled again, or given another optimizer, while"):
        regression.fit(model, callbacks if ours_first else callbacks[::-1])
    regression.fit(model, [one_cycle()], epochs=1)  # and it can be trained once more


# --- what is left behind --------------------------------------------------------------------------


@on_tensorflow
def test_a_refusal_leaves_a_stock_model(regression, state_of):
    model = regression.model(Lookahead())
    model.optimizer.build(model.trainable_variables)
    attributes, before = set(vars(model.optimizer)), state_of(model)
    with pytest.raises(OptimizerError):
        regression.fit(model, [LRFinder(num_steps=7, verbose=False)])
    assert set(vars(model.optimizer)) == attributes
    for old, new in zip(before, state_of(model), strict=True):
        np.testing.assert_array_equal(old, new)
