import itertools
import json
import math
import random

import keras
import numpy as np
import pytest
from keras import ops

from onecycle_cli import LRFinder, suggest
from onecycle_cli.errors import OptimizerError, ResultError, TrainingError

every_backend = pytest.mark.every_backend

STANDSTILL = {"min_lr": 1e-30, "max_lr": 2e-30}
MODES = {
    "auto": {"jit_compile": "auto"},
    "not compiled": {"jit_compile": False},
    "eager": {"run_eagerly": True},
}


def finder(**more):
    return LRFinder(**{"min_lr": 1e-3, "max_lr": 0.1, "verbose": False} | more)


def same(before, after):
    """Tell whether two lists of arrays are equal, bit for bit."""
    return all(a.tobytes() == b.tobytes() for a, b in zip(before, after, strict=True))


# --- losses -------------------------------------------------------------------------------------


@pytest.mark.samples(2)
@every_backend
@pytest.mark.parametrize(
    ("mode", "weighted"),
    [("auto", False), ("not compiled", False), ("eager", False), ("auto", True)],
)
def test_losses_are_those_of_the_batches_before_their_updates(regression, mode, weighted):
    """Bit for bit those of a loop that trains on one batch after the other, and right."""
    weights = np.random.default_rng(0).random(50).astype("float32") if weighted else None
    model, test = regression.model(keras.optimizers.SGD(0.1), **MODES[mode]), finder(num_steps=12)
    regression.fit(model, [test], sample_weight=weights)
    assert len(test.losses) == 12

    twin, losses = regression.model(keras.optimizers.SGD(0.1), **MODES[mode]), []
    for step, ((x, y), lr) in enumerate(zip(regression.batches(12), test.lrs, strict=True)):
        start = step % 7 * 8
        twin.optimizer.learning_rate.assign(lr)
        twin.reset_metrics()
        part = None if weights is None else weights[start : start + 8]
        losses.append(float(twin.train_on_batch(x, y, sample_weight=part)))
    assert test.losses == losses

    if not weighted:
        reference = regression.reference("sgd").train(test.lrs, np.zeros(12))
        np.testing.assert_allclose(test.losses, reference.losses, rtol=1e-6)


@every_backend
@pytest.mark.parametrize("mode", ["auto", "eager"])
def test_losses_are_without_penalties(regression, mode):
    class Penalty(keras.layers.Layer):
        def call(self, x):
            self.add_loss(0.3 * ops.mean(ops.square(x)))
            return x

    def model():
        return regression.model(
            keras.optimizers.SGD(0.1),
            layers=[Penalty()],
            regularizer=keras.regularizers.L2(0.2),
            metrics=[keras.metrics.MeanSquaredError(name="data")],
            **MODES[mode],
        )

    test = finder()
    history = regression.fit(model(), [test], epochs=1).history
    twin, totals, losses = model(), [], []
    for (x, y), lr in zip(regression.batches(7), test.lrs, strict=True):
        twin.optimizer.learning_rate.assign(lr)
        twin.reset_metrics()
        logs = twin.train_on_batch(x, y, return_dict=True)
        totals.append(float(logs["loss"]))
        losses.append(float(logs["data"]))
    np.testing.assert_allclose(test.losses, losses, rtol=1e-5)
    assert min(np.array(totals) / losses) > 1.2
    sizes = [8] * 6 + [2]
    assert history["loss"][0] == pytest.approx(np.average(totals, weights=sizes), rel=1e-5)


@every_backend
def test_lists_hold_floats(regression):
    test = finder()
    regression.fit(regression.model("sgd"), [test], epochs=1)
    assert {type(value) for value in test.lrs + test.losses + test.smoothed_losses} == {float}
    assert {type(x) for x in (test.lrs, test.losses, test.smoothed_losses)} == {list}


def test_smoothed_losses_are_a_bias_corrected_average():
    test = finder(loss_smoothing_beta=0.9)
    test.losses = [2.0, 1.0, 4.0]
    weights = [[1], [0.9, 1], [0.81, 0.9, 1]]
    expected = [np.average(test.losses[: len(w)], weights=w) for w in weights]
    assert test.smoothed_losses == pytest.approx(expected, rel=1e-12)
    assert test.losses == [2.0, 1.0, 4.0]


def test_smoothing_shapes_nothing_else(regression):
    tests = [finder(loss_smoothing_beta=beta, max_lr=100.0) for beta in (0.0, 0.99)]
    for test in tests:
        regression.fit(regression.model("sgd"), [test], epochs=9)
    assert tests[0].losses == tests[1].losses
    assert tests[0].smoothed_losses == pytest.approx(tests[0].losses)
    assert tests[0].suggestion == tests[1].suggestion


# --- learning rates -----------------------------------------------------------------------------


@every_backend
@pytest.mark.parametrize(("scale", "spaced"), [("exp", np.geomspace), ("linear", np.linspace)])
def test_the_learning_rates_are_the_ones_that_were_used(regression, scale, spaced):
    model = regression.model(keras.optimizers.SGD(0.5, momentum=0.8, nesterov=True))
    test = finder(lr_scale=scale, restore=False)
    regression.fit(model, [test], epochs=1)
    assert (test.lrs[0], test.lrs[-1], len(test.lrs)) == (1e-3, 0.1, 7)
    lrs = spaced(1e-3, 0.1, 7)
    np.testing.assert_allclose(test.lrs, lrs, rtol=1e-12)
    reference = regression.reference("nesterov").train(lrs, np.full(7, 0.8))
    assert reference.error(model) < 1e-6
    assert model.optimizer.momentum == 0.8


@pytest.mark.parametrize("num_steps", [2, 7, 16])
def test_the_test_lasts_num_steps_whatever_the_epochs(regression, each_batch, num_steps):
    test, counter = finder(num_steps=num_steps), each_batch()
    history = regression.fit(regression.model("sgd"), [test, counter], epochs=9)
    assert (len(test.lrs), counter.count, test.stop_reason) == (num_steps, num_steps, "completed")
    assert (test.lrs[0], test.lrs[-1]) == (1e-3, 0.1)
    assert len(history.epoch) == math.ceil(num_steps / 7)


def test_a_fit_that_is_too_short_leaves_the_test_unfinished(regression, state_of):
    model, test = regression.model("sgd"), finder(num_steps=100)
    before = state_of(model)
    regression.fit(model, [test], epochs=2)
    assert (len(test.lrs), test.stop_reason) == (14, None)
    assert same(before, state_of(model))


def test_one_instance_in_two_fits(regression):
    test = finder()
    regression.fit(regression.model("sgd"), [test], epochs=1)
    first = test.losses
    regression.fit(regression.model("sgd"), [test], epochs=1)
    assert (len(test.losses), test.losses) == (7, first)


def test_counts_are_used_where_fit_knows_none(regression):
    test = finder(num_samples=50, batch_size=8)
    endless = (batch for batch in itertools.cycle(regression.batches(7)))
    regression.model("sgd").fit(endless, shuffle=False, verbose=0, callbacks=[test])
    assert (len(test.lrs), test.lrs[0], test.lrs[-1]) == (7, 1e-3, 0.1)


def test_num_steps_are_enough_where_nobody_knows_the_size(regression):
    test = finder(num_steps=20)
    endless = (batch for batch in itertools.cycle(regression.batches(7)))
    regression.model("sgd").fit(endless, shuffle=False, verbose=0, callbacks=[test])
    assert (len(test.lrs), test.lrs[-1]) == (20, 0.1)


def test_an_unknown_number_of_steps_is_an_error(regression):
    endless = (batch for batch in itertools.cycle(regression.batches(7)))
    with pytest.raises(TrainingError, match="num_samples and batch_size to LRFinder"):
        regression.model("sgd").fit(endless, shuffle=False, verbose=0, callbacks=[finder()])


def test_counts_that_contradict_fit_give_a_warning_and_lose(regression):
    test = finder(num_samples=500, batch_size=8)
    with pytest.warns(UserWarning, match="63 batches an epoch, but fit runs 7; going by fit"):
        regression.fit(regression.model("sgd"), [test], epochs=1)
    assert (len(test.lrs), test.lrs[-1]) == (7, 0.1)


# --- stopping -----------------------------------------------------------------------------------


@every_backend
def test_a_loss_that_diverges_ends_fit(regression, each_batch):
    test, counter = finder(max_lr=1e3, num_steps=60), each_batch()
    regression.fit(regression.model("sgd"), [test, counter], epochs=99)
    assert test.stop_reason == "diverged"
    assert len(test.lrs) == len(test.losses) == counter.count < 60
    means = np.convolve(test.losses, np.ones(5) / 5, "valid")
    above = means > 4 * np.minimum.accumulate(means)
    assert above[-1]
    assert not above[:-1].any()


@every_backend
def test_a_loss_that_is_not_finite_ends_fit(regression, each_batch, state_of):
    test = finder(max_lr=1e30, num_steps=60, stopping_criterion_factor=None)
    model, counter = regression.model("sgd"), each_batch()
    before = state_of(model)
    regression.fit(model, [test, counter], epochs=99)
    assert test.stop_reason == "non_finite"
    assert len(test.losses) == counter.count < 60
    assert not math.isfinite(test.losses[-1])
    assert np.isfinite(test.losses[:-1]).all()
    assert same(before, state_of(model))


def test_a_loss_that_is_never_finite(regression):
    test = finder()
    regression.y[:] = np.nan
    regression.fit(regression.model("sgd"), [test])
    assert len(test.losses) == 1
    assert test.suggestion["value"] is None
    assert isinstance(test.suggestion["reason"], str)


# --- leaving no trace ---------------------------------------------------------------------------

OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.1, momentum=0.9),
    "adam": lambda: keras.optimizers.Adam(0.01),
    "ema": lambda: keras.optimizers.SGD(0.1, momentum=0.9, use_ema=True),
    "loss-scale": lambda: keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.1), initial_scale=1e30
    ),
}


@pytest.mark.samples(1)
@pytest.mark.parametrize(
    "optimizer",
    [
        pytest.param(make, id=name, marks=[every_backend] * (name == "sgd"))
        for name, make in OPTIMIZERS.items()
    ],
)
def test_find_then_train_is_train(noisy, state_of, optimizer):
    """With shuffling, noise, statistics and dropout: bit for bit, and the history too."""

    def run(find):
        keras.utils.clear_session()
        keras.utils.set_random_seed(11)
        model = noisy.model(optimizer())
        if find:
            test = finder(num_steps=17, max_lr=10.0)
            noisy.fit(model, [test], epochs=9)
            assert len(test.losses) > 3
        history = noisy.fit(model, epochs=2).history
        return state_of(model), history

    (state, history), (found_state, found_history) = run(find=False), run(find=True)
    assert found_history == history
    assert same(state, found_state)


def test_the_control_without_restoring(noisy, state_of):
    def run(find):
        keras.utils.clear_session()
        keras.utils.set_random_seed(11)
        model = noisy.model(keras.optimizers.SGD(0.1))
        if find:
            noisy.fit(model, [finder(restore=False)], epochs=1)
        noisy.fit(model, epochs=1)
        return state_of(model)

    assert not same(run(find=False), run(find=True))


@pytest.mark.samples(1)
@pytest.mark.parametrize("optimizer", [OPTIMIZERS["adam"], OPTIMIZERS["loss-scale"]])
def test_in_the_middle_of_training(noisy, state_of, optimizer):
    model = noisy.model(optimizer())
    noisy.fit(model, epochs=1)
    kept, before, config = model.optimizer, state_of(model), model.optimizer.get_config()
    noisy.fit(model, [finder(max_lr=10.0)], epochs=1)
    assert same(before, state_of(model))
    assert model.optimizer is kept
    assert kept.get_config() == config


@every_backend
def test_random_generators_are_as_they_were_when_fit_began(noisy, each_batch):
    draws = [random.random, np.random.random, lambda: keras.random.uniform(())]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        draws.append(lambda: tf.random.uniform(()))
        draws.append(lambda: tf.random.get_global_generator().normal(()))
    for draw in draws:
        draw()
    found = []

    def draw_all(*_):
        found.append([float(draw()) for draw in draws])

    class First(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            self.states = generator_states()

    first, drawing = First(), each_batch(draw_all)
    noisy.fit(noisy.model("sgd"), [first, finder(num_steps=7), drawing], epochs=1)
    assert generator_states() == first.states
    draw_all()
    assert found[-1] == found[0]
    assert len({tuple(values) for values in found[:-1]}) == 7


def generator_states():
    states = [random.getstate(), str(np.random.get_state())]
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        states.append(tf.random.get_global_generator().state.numpy().tolist())
    if keras.backend.backend() == "torch":
        import torch

        states.append(torch.get_rng_state().tolist())
    return states


@every_backend
def test_restoring_after_a_fit_that_raised(noisy, state_of, each_batch):
    def fail(_, step):
        if step == 4:
            raise RuntimeError("out of paper")

    model = noisy.model(keras.optimizers.SGD(0.1, momentum=0.9))
    noisy.fit(model, epochs=1)
    before, attributes = state_of(model), set(vars(model))
    test = finder()
    with pytest.raises(RuntimeError, match="out of paper"):
        noisy.fit(model, [test, each_batch(fail)])
    assert len(test.losses) == 4
    assert len(state_of(model)) == len(before)
    assert not same(before, state_of(model))
    test.restore()
    assert same(before, state_of(model))
    assert set(vars(model)) == attributes
    noisy.fit(model, epochs=1)
    trained = state_of(model)
    test.restore()
    assert same(trained, state_of(model))


def test_the_next_fit_of_the_same_finder_begins_by_restoring(regression, state_of, each_batch):
    def fail(*_):
        raise RuntimeError

    model, test = regression.model("sgd"), finder()
    before = state_of(model)
    with pytest.raises(RuntimeError):
        regression.fit(model, [test, each_batch(end=fail)])
    regression.fit(model, [test], epochs=1)
    assert len(test.losses) == 7
    assert same(before, state_of(model))


def test_without_restoring_the_model_stays_as_the_test_left_it(regression):
    model = regression.model(keras.optimizers.SGD(0.1))
    test = finder(restore=False)
    regression.fit(model, [test], epochs=1)
    reference = regression.reference("sgd").train(test.lrs, np.zeros(7))
    assert reference.error(model) < 1e-6
    assert float(ops.convert_to_numpy(model.optimizer.learning_rate)) == pytest.approx(0.1)
    assert int(ops.convert_to_numpy(model.optimizer.iterations)) == 7


# --- held-out data ------------------------------------------------------------------------------


@pytest.mark.samples(1)
@every_backend
@pytest.mark.parametrize("mode", ["auto", "eager"])
def test_losses_on_held_out_data_are_taken_after_each_update(regression, mode):
    random_numbers = np.random.default_rng(1)
    x = random_numbers.normal(size=(24, 4)).astype("float32")
    y = random_numbers.normal(size=(24, 2)).astype("float32")

    def fit(**more):
        model = regression.model(
            keras.optimizers.SGD(0.1, momentum=0.5), metrics=["mae"], **MODES[mode]
        )
        test = finder(restore=False, **more)
        return model, test, regression.fit(model, [test], epochs=1).history

    model, test, history = fit(validation_data=(x, y), validation_sample_rate=-1, batch_size=8)
    plain_model, _, plain_history = fit()
    expected = []
    for step in range(1, 8):
        kernel, bias = regression.reference("sgd").train(test.lrs[:step], [0.5] * step).weights
        expected.append(np.mean((x @ kernel + bias - y) ** 2))
    np.testing.assert_allclose(test.losses, expected, rtol=1e-5)
    assert history == plain_history
    assert same(model.get_weights(), plain_model.get_weights())


def test_so_many_batches_of_held_out_data_are_drawn(regression, monkeypatch):
    model, sizes = regression.model("sgd"), []
    inner = model.test_on_batch

    def test_on_batch(x, *others):
        sizes.append(len(x))
        return inner(x, *others)

    monkeypatch.setattr(model, "test_on_batch", test_on_batch)
    held_out = (regression.x[:20], regression.y[:20])
    test = finder(validation_data=held_out, validation_sample_rate=3, batch_size=4)
    regression.fit(model, [test], epochs=1)
    assert sizes == [4] * 3 * 7


def test_held_out_data_of_two_lengths_are_refused(regression):
    test = finder(validation_data=(regression.x, regression.y[:9]))
    with pytest.raises(ValueError, match=r"must be \(x, y\) of one length; got 50, 9"):
        regression.fit(regression.model("sgd"), [test])


class Batches(keras.utils.PyDataset):
    """Batches of 8 samples, the last one of 4; endless on request."""

    def __init__(self, x, y, weights, endless=False):
        super().__init__()
        self.arrays, self.endless = (x, y, weights), endless

    @property
    def num_batches(self):
        return None if self.endless else 3

    def __getitem__(self, i):
        return tuple(array[i % 3 * 8 : i % 3 * 8 + 8] for array in self.arrays)


HELD_OUT_FORMS = {
    "arrays": lambda *arrays: arrays,
    "lists": lambda *arrays: [array.tolist() for array in arrays],
    "tensors": lambda *arrays: tuple(map(ops.convert_to_tensor, arrays)),
    "a PyDataset": Batches,
}
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    HELD_OUT_FORMS |= {
        "a tf.data.Dataset": lambda *arrays: tf.data.Dataset.from_tensor_slices(arrays).batch(8),
        "a filtered one": lambda *arrays: HELD_OUT_FORMS["a tf.data.Dataset"](*arrays).filter(
            lambda *_: True
        ),
    }


@pytest.mark.samples(2)
@every_backend
@pytest.mark.parametrize("form", HELD_OUT_FORMS.values(), ids=HELD_OUT_FORMS)
def test_held_out_data_may_come_as_in_fit(regression, form):
    random_numbers = np.random.default_rng(1)
    x, y = (random_numbers.normal(size=(20, k)).astype("float32") for k in (4, 2))
    weights = random_numbers.random(20).astype("float32")
    test = finder(
        num_steps=9, validation_data=form(x, y, weights), validation_sample_rate=-1, batch_size=20
    )
    regression.fit(regression.model("sgd"), [test], epochs=2)
    expected = []
    for step in range(1, 10):
        reference = regression.reference("sgd").train(test.lrs[:step], [0.0] * step)
        kernel, bias = reference.weights
        expected.append(np.mean(weights * np.mean((x @ kernel + bias - y) ** 2, axis=1)))
    np.testing.assert_allclose(test.losses, expected, rtol=1e-5)


def test_held_out_data_for_several_inputs(regression):
    inputs = {name: keras.Input((4,), name=name) for name in ("a", "b")}
    joined = keras.layers.Add()(list(inputs.values()))
    model = keras.Model(inputs, keras.layers.Dense(2)(joined))
    model.compile("sgd", "mse")
    x = {"a": regression.x, "b": 2 * regression.x}
    test = finder(validation_data=(x, regression.y), min_lr=1e-30, max_lr=2e-30, batch_size=50)
    model.fit(x, regression.y, batch_size=8, verbose=0, callbacks=[test])
    expected = np.mean((model.predict(x, verbose=0) - regression.y) ** 2)
    np.testing.assert_allclose(test.losses, [expected] * 7, rtol=1e-5)


def test_batches_of_a_data_set_are_taken_in_turn(regression):
    data = Batches(regression.x, regression.y, np.ones(50), endless=True)
    test = finder(validation_data=data, validation_sample_rate=2, min_lr=1e-30, max_lr=2e-30)
    model = regression.model("sgd")
    regression.fit(model, [test], epochs=1)
    errors = np.mean((model.predict(regression.x, verbose=0) - regression.y) ** 2, axis=1)
    means = [errors[8 * k : 8 * k + 8].mean() for k in range(3)]
    expected = [(means[2 * k % 3] + means[(2 * k + 1) % 3]) / 2 for k in range(7)]
    np.testing.assert_allclose(test.losses, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("held_out", "sentence"),
    [
        (np.ones((5, 4)), "that gives such batches and can be read again; got one ndarray"),
        (1.5, "got float"),
        ((1, 2, 3, 4), "got 4 values"),
        ((batch for batch in ()), "got a generator, which can be read only once"),
        ((np.ones((0, 4)), np.ones((0, 2))), "must have samples; got none"),
        ((object(), None), "got a tuple that holds a object"),
        (Batches([], [], [], endless=True), "never ends, so validation_sample_rate must be a num"),
    ],
)
def test_what_is_no_held_out_data_is_refused_in_one_sentence(regression, held_out, sentence):
    test = finder(validation_data=held_out, validation_sample_rate=-1)
    model = regression.model("sgd")
    attributes = set(vars(model))
    with pytest.raises(ValueError, match=sentence):
        regression.fit(model, [test])
    assert "compute_loss" not in set(vars(model)) - attributes


def test_held_out_losses_leave_no_trace_either(noisy, state_of):
    model = noisy.model(keras.optimizers.Adam(0.01))
    noisy.fit(model, epochs=1)
    before = state_of(model)
    noisy.fit(model, [finder(validation_data=(noisy.x, noisy.y))], epochs=1)
    assert same(before, state_of(model))


# --- suggestions --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "losses",
    [
        [],
        [math.nan],
        [1.0],
        [1.0] * 100,
        [0.0] * 100,
        [-1.0] * 100,
        [1.0, math.inf],
        [1e300] * 60 + [math.inf],
    ],
    ids=["none", "nan", "one", "ones", "zeros", "negative", "infinite", "huge"],
)
def test_suggestions_never_raise(losses):
    test = finder()
    test.lrs, test.losses = np.geomspace(1e-5, 10, len(losses) or 1)[: len(losses)].tolist(), losses
    suggestion = test.suggestion
    assert set(suggestion) == {"value", "interval", "verdict", "reason"}
    assert (suggestion["value"], suggestion["interval"]) == (None, None)
    assert suggestion["verdict"] not in ("ok", "undecided")
    assert suggestion["reason"]
    json.dumps(suggestion)


def test_a_real_test_gets_a_suggestion_below_the_limit_of_stability(regression, capsys):
    """Gradient descent on a quadratic bowl diverges beyond 2 / largest curvature."""
    x = np.hstack([regression.x, np.ones((50, 1))])
    limit = 2 / np.linalg.eigvalsh(x.T @ x / 50)[-1]
    test = LRFinder(num_steps=200, min_lr=1e-4)
    whole = (data for data in itertools.repeat((regression.x, regression.y)))
    regression.model("sgd").fit(whole, shuffle=False, verbose=2, callbacks=[test])
    suggestion = test.suggestion
    assert suggestion["verdict"] == "ok"
    assert limit / 10 < suggestion["value"] < limit
    low, high = suggestion["interval"]
    assert low <= suggestion["value"] <= high
    assert f"LRFinder: suggested max_lr {suggestion['value']:.3g}" in capsys.readouterr().out


def test_a_refusal_is_printed_with_its_reason(regression, capsys):
    test = LRFinder()
    model = regression.model("sgd")
    model.fit(regression.x, regression.y, batch_size=8, verbose=2, callbacks=[test])
    printed = capsys.readouterr().out
    assert f"LRFinder: no suggestion ({test.suggestion['verdict']}): " in printed


def test_a_test_that_fit_ends_early_is_told_from_one_that_learned_nothing(regression):
    test = finder(num_steps=100)
    regression.fit(regression.model("sgd"), [test], epochs=2)
    assert test.suggestion["verdict"] == "too_short"
    assert "fit ended after 14 of 100 planned steps" in test.suggestion["reason"]
    assert "give fit more epochs" in test.suggestion["reason"]
    whole = finder(num_steps=14)
    regression.fit(regression.model("sgd"), [whole], epochs=2)
    assert "fit ended" not in whole.suggestion["reason"]


def test_points_left_out_of_the_suggestion_stay_in_the_curve(regression, tmp_path):
    more = {"num_steps": 60, "max_lr": 100.0}
    tests = [finder(**more), finder(**more, skip_begin=9, skip_end=2, save_dir=tmp_path)]
    for test in tests:
        regression.fit(regression.model("sgd"), [test], epochs=99)
    assert tests[0].losses == tests[1].losses
    curve = [(tests[0].lrs, tests[0].losses)]
    assert tests[1].findings.rules == suggest.suggest_lr(curve, skip_begin=9, skip_end=2).rules
    assert tests[1].findings.rules != tests[0].findings.rules
    saved = json.loads((tmp_path / "result.json").read_text())
    told = {key: saved[key] for key in ("planned", "stopped", "skip_begin", "skip_end")}
    stopped = tests[1].stop_reason
    assert told == {"planned": [60, 100.0], "stopped": stopped, "skip_begin": 9, "skip_end": 2}
    assert saved["suggestion"] == tests[1].suggestion


# --- updates, epochs, and training that goes on ---------------------------------------------------


@every_backend
def test_an_update_of_several_batches_has_one_rate_and_their_mean_loss(regression, each_batch):
    rates = []

    def read(callback, _):
        rates.append(float(ops.convert_to_numpy(callback.model.optimizer.learning_rate)))

    optimizer = keras.optimizers.SGD(0.1, momentum=0.5, gradient_accumulation_steps=3)
    model, test = regression.model(optimizer), finder(num_steps=5, restore=False)
    regression.fit(model, epochs=1)
    model.set_weights(regression.weights)  # in the middle of an update: 7 batches are 2 and a third
    counter = each_batch(end=read)
    regression.fit(model, [test, counter], epochs=9)
    assert (counter.count, len(test.lrs), test.stop_reason) == (15, 5, "completed")
    np.testing.assert_allclose(rates, np.repeat(np.geomspace(1e-3, 0.1, 5), 3), rtol=1e-5)
    reference = regression.reference("sgd", accumulate=3).train(rates, [0.5] * 15)
    assert reference.error(model) < 1e-6
    expected = np.mean(np.reshape(reference.losses, (5, 3)), axis=1)
    np.testing.assert_allclose(test.losses, expected, rtol=1e-5)


def test_by_default_a_test_has_as_many_updates_as_an_epoch(regression):
    model = regression.model(keras.optimizers.SGD(0.1, gradient_accumulation_steps=3))
    test = finder()
    regression.fit(model, [test], epochs=1)
    assert (len(test.lrs), test.lrs[-1], test.stop_reason) == (2, 0.1, "completed")


def test_a_loss_that_is_not_finite_ends_an_update_before_its_last_batch(regression, each_batch):
    model = regression.model(keras.optimizers.SGD(0.1, gradient_accumulation_steps=3))
    regression.x[33] = np.nan  # in the fifth batch
    test, counter = finder(num_steps=5), each_batch()
    regression.fit(model, [test, counter], epochs=9)
    assert (counter.count, test.stop_reason) == (5, "non_finite")
    assert np.isnan(test.losses).tolist() == [False, True]


@every_backend
@pytest.mark.harness
def test_a_training_that_is_interrupted_by_a_test_goes_on_exactly(noisy, state_of):
    def run(find):
        keras.utils.clear_session()
        keras.utils.set_random_seed(11)
        model = noisy.model(keras.optimizers.Adam(0.01))
        noisy.fit(model, epochs=2)
        if find:
            test = finder(num_steps=9, max_lr=1.0)
            noisy.fit(model, [test], epochs=5, initial_epoch=2)
            assert (len(test.lrs), test.lrs[0], test.lrs[-1]) == (9, 1e-3, 1.0)
        history = noisy.fit(model, epochs=4, initial_epoch=2).history
        return state_of(model), history

    (state, history), (found_state, found_history) = run(find=False), run(find=True)
    assert found_history == history
    assert same(state, found_state)


# --- files and plots ----------------------------------------------------------------------------


def test_what_is_saved_reads_back(regression, tmp_path):
    pytest.importorskip("onecycle_cli.plotting")
    folder = tmp_path / "a" / "test"
    test = finder(num_steps=40, max_lr=100.0, save_dir=folder)
    regression.fit(regression.model("sgd"), [test], epochs=99)
    assert sorted(path.name for path in folder.iterdir()) == [
        "curve.csv",
        "plot.png",
        "result.json",
    ]
    assert (folder / "plot.png").read_bytes().startswith(b"\x89PNG")
    losses, lrs = LRFinder.restore_schedule_from_dir(folder)
    assert (losses.tolist(), lrs.tolist()) == (test.losses, test.lrs)
    losses, lrs = LRFinder.restore_schedule_from_dir(folder, clip_beginning=3, clip_endding=-2)
    assert (losses.tolist(), lrs.tolist()) == (test.losses[3:-2], test.lrs[3:-2])
    lines = (folder / "curve.csv").read_text().splitlines()
    assert lines[0] == "repeat,step,lr,loss"
    assert lines[1] == f"0,0,{test.lrs[0]!r},{test.losses[0]!r}"
    assert json.loads((folder / "result.json").read_text())["suggestion"] == test.suggestion


def test_files_of_keras_one_cycle_are_read(tmp_path):
    """It saved exponents, and losses multiplied by 1 / (1 - .98 ** t)."""
    lrs, losses = np.geomspace(1e-5, 10, 30), np.linspace(2, 1, 30)
    np.save(tmp_path / "lrs.npy", np.log10(lrs))
    np.save(tmp_path / "losses.npy", losses / (1 - 0.98 ** np.arange(1, 31)))
    read = LRFinder.restore_schedule_from_dir(str(tmp_path))
    np.testing.assert_allclose(read, (losses, lrs), rtol=1e-9)


READERS = {
    "plot_schedule_from_dir": None,
    "plot_schedule_from_file": None,
    "restore_schedule_from_dir": (None, None),
    "restore_schedule_from_file": (None, None),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("case", ["empty", "missing", "other files"])
def test_a_folder_without_a_test_is_said_and_no_error(tmp_path, capsys, reader, case):
    folder = tmp_path / "missing" if case == "missing" else tmp_path
    if case == "other files":
        (folder / "model.weights.h5").write_bytes(b"")
    assert getattr(LRFinder, reader)(folder, 10, 5) == READERS[reader]
    printed = capsys.readouterr().out
    assert printed.startswith(f"LRFinder: {folder}: ")
    assert len(printed.splitlines()) == 1


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("case", ["damaged", "half", "another kind"])
def test_a_folder_with_something_else_is_an_error(tmp_path, reader, case):
    np.save(tmp_path / "lrs.npy", np.ones(3))
    if case == "damaged":
        (tmp_path / "losses.npy").write_bytes(b"no array")
    if case == "another kind":
        (tmp_path / "lrs.npy").unlink()
        (tmp_path / "result.json").write_text('{"kind": "nothing known"}')
    with pytest.raises(ResultError):
        getattr(LRFinder, reader)(tmp_path)


# --- refusals -----------------------------------------------------------------------------------


def test_a_learning_rate_schedule_is_refused(regression, state_of):
    decay = keras.optimizers.schedules.CosineDecay(0.1, 10)
    model = regression.model(keras.optimizers.SGD(decay))
    with pytest.raises(OptimizerError, match="compile the model with a plain number as learning_r"):
        regression.fit(model, [finder()])


def test_an_optimizer_without_momentum_will_do(regression):
    test = finder()
    regression.fit(regression.model("adagrad"), [test], epochs=1)
    assert len(test.losses) == 7


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"min_lr": 0}, "min_lr and max_lr must be above 0, and min_lr below max_lr; got min_lr=0"),
        ({"min_lr": 10.0, "max_lr": 1.0}, "min_lr below max_lr; got min_lr=10.0, max_lr=1.0"),
        ({"min_lr": "1e-5"}, "min_lr must be a number; got '1e-5'"),
        ({"max_lr": float("inf")}, "a sweep needs 0 < low < high; got .* high=inf"),
        (
            {"num_steps": "100"},
            "num_steps must be a whole number of at least 2, or None; got '100'",
        ),
        ({"lr_scale": "log"}, "scale must be 'exp' or 'linear'; got 'log'"),
        ({"num_steps": 1}, "num_steps must be at least 2"),
        ({"stopping_criterion_factor": 1.0}, "must be a number greater than 1, or None; got 1.0"),
        ({"loss_smoothing_beta": 1.0}, r"loss_smoothing_beta must be in \[0, 1\); got 1.0"),
        ({"validation_sample_rate": 0}, "validation_sample_rate must not be 0"),
        ({"skip_begin": -1}, "skip_begin and skip_end must be at least 0; got -1, 0"),
        ({"skip_end": -2}, "skip_begin and skip_end must be at least 0; got 0, -2"),
    ],
)
def test_arguments_out_of_range_are_refused_at_once(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        LRFinder(**arguments)
