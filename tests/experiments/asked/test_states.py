"""Layers that keep a state: a finder leaves no trace in it, nor in a training after it."""

import keras
import numpy as np
import pytest
from keras import ops

import onecycle_cli
from onecycle_cli.errors import ModelError

pytestmark = pytest.mark.harness

RANDOM = np.random.default_rng(8)
X = RANDOM.normal(size=(128, 5, 2)).astype(np.float32)
Y = (X[:, -1, 0] > 0).astype(np.int32)
SIZE = 16
QUICK = {
    "batch_size": SIZE,
    "epochs": 2,
    "validation_data": (X[:32], Y[:32]),
    "settings": {
        "find_lr": {"repeats": 2, "steps": 20},
        "find_wd": {"repeats": 1, "steps": 24, "values": [1e-3, 1e-5], "refine": False},
        "find_momentum": {"repeats": 1, "steps": 24, "values": [0.8, 0.9]},
    },
}


class Counted(keras.layers.Layer):
    """Counts its calls in training, and scales by what it has counted."""

    def build(self, shape):
        self.calls = self.add_weight(shape=(), initializer="zeros", dtype="int32", trainable=False)
        self.seen = self.add_weight(shape=(), initializer="ones", trainable=False)

    def call(self, x, training=False):
        if training:
            self.calls.assign(self.calls + 1)
            self.seen.assign(0.9 * self.seen + 0.1 * ops.mean(ops.abs(x)))
        return x / (self.seen + 0.01 * ops.cast(self.calls, x.dtype))


LAYERS = {
    "a stateful LSTM": lambda: [keras.layers.LSTM(4, stateful=True)],
    "stateful GRUs, stacked": lambda: [
        keras.layers.GRU(4, stateful=True, return_sequences=True),
        keras.layers.GRU(3, stateful=True),
    ],
    "a counter of one's own": lambda: [keras.layers.Flatten(), Counted()],
    "batch normalisation": lambda: [keras.layers.Flatten(), keras.layers.BatchNormalization()],
    "random noise and dropout": lambda: [
        keras.layers.Flatten(),
        keras.layers.GaussianNoise(0.1, seed=3),
        keras.layers.Dropout(0.2, seed=4),
    ],
}


def model(kind):
    keras.utils.set_random_seed(3)
    made = keras.Sequential(
        [
            keras.Input(batch_shape=(SIZE, 5, 2)),
            *LAYERS[kind](),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    made.compile(keras.optimizers.SGD(0.05, momentum=0.9), "binary_crossentropy")
    return made


def kept_between_batches(made):
    """Return the states of recurrent layers, which Keras does not count among its variables."""
    return keras.tree.flatten([getattr(layer, "states", None) or [] for layer in made.layers])


def state(made):
    kept = [*made.variables, *made.optimizer.variables, *kept_between_batches(made)]
    return [np.array(v) for v in kept]


def fitted(made):
    keras.utils.set_random_seed(5)
    made.fit(X, Y, batch_size=SIZE, epochs=2, shuffle=False, verbose=0)
    return state(made)


FINDERS = {
    "find_lr": lambda made: onecycle_cli.find_lr(made, X, Y, **QUICK),
    "find_weight_decay": lambda made: onecycle_cli.find_weight_decay(
        made, X, Y, max_lr=0.1, **QUICK
    ),
    "find_momentum": lambda made: onecycle_cli.find_momentum(made, X, Y, max_lr=0.1, **QUICK),
}


@pytest.mark.parametrize("is_fresh", [True, False], ids=["fresh", "trained"])
@pytest.mark.parametrize("kind", LAYERS)
def test_finders_leave_no_trace_in_it_or_in_a_fit_after_them(kind, is_fresh):
    ours, untouched = model(kind), model(kind)
    for made in (ours, untouched):
        if is_fresh:
            made.optimizer.build(made.trainable_variables)
        else:
            fitted(made)
    before = state(ours)
    for name, find in FINDERS.items():
        find(ours)
        for a, b in zip(state(ours), before, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=name)
    for a, b in zip(fitted(ours), fitted(untouched), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", ["a stateful LSTM", "a counter of one's own"])
def test_what_fit_changes_in_it_would_be_noticed(kind):
    made = model(kind)
    kept = kept_between_batches(made) or made.layers[1].non_trainable_variables
    before = [np.array(v) for v in kept]
    fitted(made)
    assert len(before) == 2
    assert all(np.any(np.array(v) != b) for v, b in zip(kept, before, strict=True))


def test_a_training_starts_from_the_state_that_the_model_is_in():
    ours, twin = model("a stateful LSTM"), model("a stateful LSTM")
    for made in (ours, twin):
        fitted(made)
    batches = [(X[i : i + SIZE], Y[i : i + SIZE]) for i in range(0, 128, SIZE)]
    pipeline = {"x": lambda: iter(batches), "steps_per_epoch": len(batches)}
    result = onecycle_cli.train(ours, max_lr=0.1, epochs=1, **pipeline)
    twin.reset_metrics()
    loss = float(twin.train_on_batch(*batches[0]))
    assert result.record.tables["steps"]["loss"][0] == pytest.approx(loss, rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 8}, "takes 16 examples at a time, .* is given batches of 8; make the bat"),
        ({"validation_data": (X[:20], Y[:20])}, "is given 20 validation examples; make"),
    ],
)
def test_batches_that_it_does_not_take_are_refused_at_once(arguments, message):
    with pytest.raises(ModelError, match=message):
        onecycle_cli.find_lr(model("a stateful LSTM"), X, Y, **QUICK | arguments)
