"""A schedule acts on the optimizer that trains the model, or `fit` raises; it is never idle."""

import keras
import numpy as np
import pytest
from keras import ops

from onecycle_cli import LRFinder, OneCycleLR
from onecycle_cli.engine.steering import optimizers
from onecycle_cli.errors import ModelError, OptimizerError

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
    "lookahead": Lookahead,
    "accumulating": lambda: Lookahead(gradient_accumulation_steps=3),
    "loss scale": lambda: keras.optimizers.LossScaleOptimizer(Lookahead()),
}


@pytest.mark.samples(3)
@on_tensorflow
@pytest.mark.parametrize(
    ("case", "callback", "mode"),
    [
        *((case, "cycle", mode) for case in IDLE for mode in MODES),
        ("lookahead", "rate only", "graph"),
        ("lookahead", "range test", "graph"),
    ],
)
def test_an_optimizer_that_leaves_the_updates_to_another_is_refused(
    regression, case, callback, mode
):
    model = regression.model(IDLE[case](), **MODES[mode])
    with pytest.raises(OptimizerError, match=r"leaves the updates to another .*inner_optimizer"):
        regression.fit(model, [CALLBACKS[callback]()])


@every_backend
@pytest.mark.parametrize("callback", CALLBACKS)
def test_an_optimizer_of_several_is_refused(regression, callback):
    inner = keras.optimizers.SGD(0.05), keras.optimizers.Adam(0.01)
    choice = keras.optimizers.OptimizerMap(inner[0], {".*bias": inner[1]})
    model = regression.model(keras.optimizers.MultiOptimizer(choice))
    with pytest.raises(OptimizerError, match=r"MultiOptimizer leaves the updates .* to several"):
        regression.fit(model, [CALLBACKS[callback]()])
    assert [float(ops.convert_to_numpy(o.learning_rate)) for o in inner] == pytest.approx(
        [0.05, 0.01]
    )


@every_backend
def test_a_momentum_that_no_update_reads_is_refused(regression):
    model = regression.model(Stubborn(0.05, momentum=0.5))
    with pytest.raises(
        OptimizerError, match=r"Stubborn does not use its momentum .*_momentum=None"
    ):
        regression.fit(model, [one_cycle()])


class Halving(keras.optimizers.SGD):
    """Works its rate out from the one that is set."""

    def _get_current_learning_rate(self):
        return ops.multiply(super()._get_current_learning_rate(), 0.5)


class Passing(keras.optimizers.Optimizer):
    """Hands each update to another optimizer, with that one's rate."""

    def __init__(self):
        super().__init__(0.05)
        self.fast = keras.optimizers.SGD(0.05)

    def build(self, variables):
        super().build(variables)
        self.fast.build(variables)

    def update_step(self, gradient, variable, learning_rate):
        self.fast.update_step(gradient, variable, self.fast.learning_rate)


@every_backend
@pytest.mark.parametrize("callback", ["rate only", "range test"])
@pytest.mark.parametrize("optimizer", [lambda: Halving(0.05, momentum=0.5), Passing])
def test_an_optimizer_with_a_rate_of_its_own_is_refused(regression, callback, optimizer):
    model = regression.model(optimizer())
    rate = model.optimizer._learning_rate
    with pytest.raises(OptimizerError, match="does not update with the learning rate that is set"):
        regression.fit(model, [CALLBACKS[callback]()])
    assert type(rate) is keras.Variable


STOCK = sorted(
    name
    for name, kind in vars(keras.optimizers).items()
    if isinstance(kind, type)
    and issubclass(kind, keras.optimizers.Optimizer)
    and name not in ("Optimizer", "LossScaleOptimizer", "MultiOptimizer")
)


@pytest.mark.samples(2)
@pytest.mark.parametrize("name", STOCK)
def test_every_stock_optimizer_is_steered(regression, name):
    optimizer = getattr(keras.optimizers, name)(0.05)
    callback = one_cycle() if optimizers.momentum_attributes(optimizer) else rate_only()
    regression.fit(regression.model(optimizer), [callback], epochs=1)
    assert len(callback.history["lr"]) == 7


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


class Gathering(keras.Model):
    """Adds up the gradients of three batches itself."""

    gathered = 0

    def train_step(self, data):
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = self.compute_loss(data[0], data[1], self(data[0], training=True))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.sums = [a + g for a, g in zip(self.sums, gradients, strict=True)]
        self.gathered += 1
        if self.gathered % 3 == 0:
            self.optimizer.apply(self.sums, self.trainable_variables)
            self.sums = [0.0, 0.0]
        return {"loss": loss}


@on_tensorflow
@pytest.mark.parametrize("callback", CALLBACKS)
def test_a_model_that_gathers_gradients_itself_is_given_time(regression, callback):
    inputs = keras.Input((4,))
    model = Gathering(inputs, keras.layers.Dense(2)(inputs))
    model.sums = [0.0, 0.0]
    model.compile(keras.optimizers.SGD(0.05, momentum=0.5), "mse", run_eagerly=True)
    regression.fit(model, [CALLBACKS[callback]()])
    assert int(model.optimizer.iterations) == {"range test": 0}.get(callback, 7)


@on_tensorflow
@pytest.mark.parametrize("epochs", [1, 3])
def test_but_no_more_time_than_fit_takes(regression, epochs):
    inputs = keras.Input((4,))
    model = Pair(inputs, keras.layers.Dense(2)(inputs))
    model.compile(optimizer=keras.optimizers.SGD(0.05, momentum=0.5), loss="mse", run_eagerly=True)
    callback = one_cycle()
    with pytest.raises(OptimizerError, match=r"train_step of Pair does not use model\.optimizer"):
        regression.fit(model, [callback], epochs=epochs)
    assert callback.step == {1: 7, 3: 8}[epochs]
    assert model.optimizer.momentum == 0.5


@every_backend
@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
@pytest.mark.parametrize("callback", ["cycle", "range test"])
def test_a_model_with_every_weight_frozen_is_refused(regression, callback):
    model = regression.model(keras.optimizers.SGD(0.05, momentum=0.5))
    model.trainable = False
    model.compile(keras.optimizers.SGD(0.05, momentum=0.5), "mse")
    with pytest.raises(ModelError, match=r"nothing to train: .* set trainable = True"):
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


@pytest.mark.samples(2)
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
