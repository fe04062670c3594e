import itertools

import keras
import numpy as np
import pytest
from keras import ops

from onecycle_cli import LRFinder
from onecycle_cli.engine.instruments import Instruments
from onecycle_cli.engine.state.fresh_start import begin_afresh
from onecycle_cli.errors import OptimizerError

every_backend = pytest.mark.every_backend

OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "nesterov": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
    "accumulating": lambda: keras.optimizers.SGD(0.1, momentum=0.9, gradient_accumulation_steps=2),
    "averaging": lambda: keras.optimizers.SGD(
        0.1, momentum=0.9, use_ema=True, ema_overwrite_frequency=2
    ),
    "adam": lambda: keras.optimizers.Adam(0.1, amsgrad=True),
    "nadam": lambda: keras.optimizers.Nadam(0.1),
    "adagrad": lambda: keras.optimizers.Adagrad(0.1),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.1, momentum=0.5, centered=True),
    "adafactor": lambda: keras.optimizers.Adafactor(0.1),
    "ftrl": lambda: keras.optimizers.Ftrl(0.1),
    "muon": lambda: keras.optimizers.Muon(0.1),
    "loss scale": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.Adam(0.1), initial_scale=1e38
    ),
}


def found(regression, model):
    """Return the losses of a range test."""
    test = LRFinder(min_lr=1e-3, max_lr=0.1, num_steps=12, verbose=False)
    regression.fit(model, [test])
    return test.losses


@pytest.mark.samples(2)
@pytest.mark.parametrize(
    "optimizer",
    [
        pytest.param(make, id=name, marks=[every_backend] * (name in ("sgd", "adam")))
        for name, make in OPTIMIZERS.items()
    ],
)
def test_a_trained_model_is_tested_like_one_just_compiled(regression, state_of, optimizer):
    trained, new = (regression.model(optimizer()) for _ in range(2))
    regression.fit(trained, epochs=2)
    new.set_weights(trained.get_weights())
    before = state_of(trained)
    assert found(regression, trained) == found(regression, new)
    for old, now in zip(before, state_of(trained), strict=True):
        assert old.tobytes() == now.tobytes()
    assert int(ops.convert_to_numpy(trained.optimizer.iterations)) > 0


@every_backend
def test_slots_that_instruments_have_added_are_emptied_and_their_numbers_stay(regression):
    model, owner = regression.model(keras.optimizers.SGD(0.1)), object()
    instruments = Instruments.attach(model, ["momentum", "l2"], owner)
    instruments.assign({"momentum": 0.9, "l2": 0.01})
    regression.fit(model, epochs=1)
    instruments.assign({"momentum": 0.0})
    slots = model.optimizer.momentums
    assert all(np.abs(ops.convert_to_numpy(slot)).max() > 0 for slot in slots)
    begin_afresh(model)
    assert all(np.abs(ops.convert_to_numpy(slot)).max() == 0 for slot in slots)
    assert instruments.read("l2") == pytest.approx(0.01)
    assert int(ops.convert_to_numpy(model.optimizer.iterations)) == 0
    instruments.release(owner)


def test_an_optimizer_that_cannot_be_made_twice_is_refused_and_left_alone(regression, state_of):
    class Handmade(keras.optimizers.SGD):
        def __init__(self, *, momentum):
            super().__init__(0.1, momentum=momentum)

    model = regression.model(Handmade(momentum=0.9))
    regression.fit(model, epochs=1)
    before, attributes = state_of(model), set(vars(model))
    with pytest.raises(OptimizerError, match=r"second Handmade could not .* compile the mo"):
        found(regression, model)
    for old, now in zip(before, state_of(model), strict=True):
        assert old.tobytes() == now.tobytes()
    assert set(vars(model)) == attributes


RECURRENT = {
    "gru": lambda: keras.layers.GRU(3, stateful=True),
    "stacked": lambda: keras.layers.RNN(
        [keras.layers.LSTMCell(3), keras.layers.SimpleRNNCell(3)], stateful=True
    ),
    "bidirectional": lambda: keras.layers.Bidirectional(keras.layers.LSTM(3, stateful=True)),
}


def recurrent(layer):
    model = keras.Sequential(
        [keras.Input((5, 2), batch_size=4), layer, keras.layers.Dense(1, activation="tanh")]
    )
    model.compile(keras.optimizers.SGD(0.1), "mse")
    return model


def states(model):
    layers = (each for each in model._flatten_layers() if isinstance(each, keras.layers.RNN))
    found = itertools.chain.from_iterable(keras.tree.flatten(each.states) for each in layers)
    return [ops.convert_to_numpy(state) for state in found if state is not None]


@pytest.mark.samples(1)
@pytest.mark.parametrize("layer", RECURRENT.values(), ids=RECURRENT)
@pytest.mark.parametrize("poisoned", [False, True])
def test_stateful_recurrent_layers_are_tested_from_zero_and_go_on(layer, poisoned):
    random = np.random.default_rng(0)
    x, y = random.normal(size=(40, 5, 2)).astype("float32"), random.normal(size=(40, 1))
    more = {"batch_size": 4, "shuffle": False, "verbose": 0}
    model, twin = recurrent(layer()), recurrent(layer())
    model.fit(x, y, **more)
    twin.set_weights(model.get_weights())
    tests = [LRFinder(num_steps=8, verbose=False) for _ in range(2)]
    before = [state.copy() for state in states(model)]
    assert np.abs(before[0]).max() > 0
    inputs = np.full_like(x, np.nan) if poisoned else x
    for each, test in zip((model, twin), tests, strict=True):
        each.fit(inputs, y, callbacks=[test], **more)
    np.testing.assert_array_equal(tests[0].losses, tests[1].losses)
    for old, now in zip(before, states(model), strict=True):
        np.testing.assert_array_equal(old, now)
    assert np.isfinite(model.predict(x, batch_size=4, verbose=0)).all()


def test_a_look_at_held_out_data_does_not_disturb_recurrent_states():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(40, 5, 2)).astype("float32"), random.normal(size=(40, 1))
    model, twin = (recurrent(RECURRENT["gru"]()) for _ in range(2))
    twin.set_weights(model.get_weights())
    for each, more in ((model, {"validation_data": (10 * x, y), "batch_size": 4}), (twin, {})):
        test = LRFinder(num_steps=8, restore=False, verbose=False, **more)
        each.fit(x, y, batch_size=4, shuffle=False, verbose=0, callbacks=[test])
    for looked, plain in zip(states(model), states(twin), strict=True):
        np.testing.assert_array_equal(looked, plain)
    for looked, plain in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(looked, plain)
