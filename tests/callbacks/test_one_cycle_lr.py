import itertools
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from keras import ops

from onecycle_cli import LRFinder, OneCycleLR
from onecycle_cli.callbacks.recorded_cycle import RecordedCycle
from onecycle_cli.errors import (
    ConfigError,
    ModelError,
    OnecycleError,
    OptimizerError,
    TrainingError,
)
from onecycle_cli.suggest import Suggestion

pytestmark = pytest.mark.lowest

every_backend = pytest.mark.every_backend

MAX_LR, HIGH, LOW = 0.08, 0.9, 0.3

OPTIMIZERS = {
    "sgd": (lambda **more: keras.optimizers.SGD(0.05, momentum=0.5, **more), 1e-6),
    "nesterov": (lambda **more: keras.optimizers.SGD(0.05, 0.5, nesterov=True, **more), 1e-6),
    "rmsprop": (lambda **more: keras.optimizers.RMSprop(0.05, momentum=0.5, **more), 1e-5),
    "adam": (lambda **more: keras.optimizers.Adam(0.05, beta_1=0.5, **more), 1e-5),
    "adamw": (lambda **more: adamw(0.05, beta_1=0.5, **more), 1e-5),
    "nadam": (lambda **more: keras.optimizers.Nadam(0.05, beta_1=0.5, **more), 1e-5),
}


def adamw(*arguments, **more):
    optimizer = keras.optimizers.AdamW(*arguments, weight_decay=0.2, **more)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


def decays(rule, steps):
    return np.full(steps, 0.2 if rule == "adamw" else 0.0)


def one_cycle(**more):
    arguments = {"max_lr": MAX_LR, "maximum_momentum": HIGH, "minimum_momentum": LOW}
    return OneCycleLR(**arguments, verbose=False, **more)


def spike(progress):
    return 0.2 + 0.8 * (1 - abs(2 * progress - 1))


@pytest.mark.parametrize("how", ["function", "path"])
def test_a_shape_of_ones_own_is_what_updated_the_weights(regression, tmp_path, how):
    source = "def spike(progress):\n    return 0.2 + 0.8 * (1 - abs(2 * progress - 1))\n"
    (tmp_path / "mine.py").write_text(source)
    model = regression.model(keras.optimizers.SGD(0.05, momentum=0.5))
    cycle = one_cycle(shape=spike if how == "function" else f"{tmp_path / 'mine.py'}:spike")
    regression.fit(model, [cycle])

    count = len(cycle.history["lr"])
    shares = np.array([spike(i / (count - 1)) for i in range(count)])
    lrs, momenta = MAX_LR * shares, HIGH - (HIGH - LOW) * shares
    np.testing.assert_allclose(cycle.history["lr"], lrs, rtol=1e-12)
    np.testing.assert_allclose(cycle.history["momentum"], momenta, rtol=1e-12)
    assert regression.reference("sgd").train(lrs, momenta).error(model) < 1e-6


def test_a_shape_of_ones_own_is_checked_where_the_callback_is_made(tmp_path):
    with pytest.raises(ValueError, match="shape <lambda> must give a share of max_lr in"):
        one_cycle(shape=lambda progress: 2.0)
    with pytest.raises(ValueError, match="shape <lambda> has no option 'div'; it takes none"):
        one_cycle(shape=lambda progress: progress, div=3.0)
    with pytest.raises(ConfigError, match=r"there is no file .*mine\.py"):
        one_cycle(shape=f"{tmp_path / 'mine.py'}:spike")


# --- what is reported is what updated the weights -----------------------------------------------

MODES = {
    "graph": {"jit_compile": False},
    "xla": {"jit_compile": True},
    "eager": {"run_eagerly": True},
}


@pytest.mark.samples(4)
@pytest.mark.parametrize(
    ("rule", "mode"),
    [
        pytest.param(rule, mode, marks=[every_backend] * (rule in ("nesterov", "adam")))
        for rule, mode in itertools.product(OPTIMIZERS, MODES)
        if mode != "xla" or rule in ("nesterov", "rmsprop", "adam")  # one of each family
    ],
)
def test_in_every_mode(regression, smith, rule, mode):
    if mode == "xla" and keras.backend.backend() == "torch":
        pytest.skip("torch.compile takes a compiler and minutes")
    make, tolerance = OPTIMIZERS[rule]
    model, callback = regression.model(make(), **MODES[mode]), one_cycle()
    regression.fit(model, [callback])
    lrs, momenta = smith(21, MAX_LR, HIGH, LOW)
    np.testing.assert_allclose(callback.history["lr"], lrs, rtol=1e-12)
    np.testing.assert_allclose(callback.history["momentum"], momenta, rtol=1e-12)
    reference = regression.reference(rule)
    assert reference.train(lrs, momenta, weight_decay=decays(rule, 21)).error(model) < tolerance
    constant = regression.reference(rule).train(lrs, np.full(21, 0.5))
    assert constant.error(model) > 1e-2


THREE_PHASES = {
    "shape": "pytorch",
    "pct_start": 0.4,
    "final_div_factor": 50.0,
    "three_phase": True,
    "anneal": "linear",
}


@pytest.mark.samples(2)
@pytest.mark.parametrize("execution", [{}, {"jit_compile": True}, {"steps_per_execution": 4}])
def test_another_shape_reaches_the_weights(regression, execution):
    """PyTorch's three phases of 21 steps, drawn through their corners by hand."""
    model, callback = regression.model("sgd", **execution), one_cycle(**THREE_PHASES)
    regression.fit(model, [callback])
    corners, steps = [0, 0.4 * 21 - 1, 0.8 * 21 - 2, 20], np.arange(21)
    lrs = np.interp(steps, corners, np.array([1 / 25, 1, 1 / 25, 1 / 25 / 50]) * MAX_LR)
    momenta = np.interp(steps, corners, [HIGH, LOW, HIGH, HIGH])
    np.testing.assert_allclose(callback.history["lr"], lrs, rtol=1e-12)
    np.testing.assert_allclose(callback.history["momentum"], momenta, rtol=1e-12)
    assert regression.reference("sgd").train(lrs, momenta).error(model) < 1e-6


def test_past_the_end_a_rate_stays_below_where_it_ended(regression):
    callback = one_cycle(shape="fastai", final_momentum=0.5)
    regression.fit(regression.model("sgd"), [callback], epochs=1)
    last = callback.history["lr"][-1]
    assert callback._values_at(7)["learning_rate"] == min(last, MAX_LR / 1000)
    assert callback._values_at(7)["momentum"] == 0.5


@every_backend
def test_setting_the_attribute_instead_does_not_reach_the_weights(regression, smith, each_batch):
    """The control: shows that the comparison with NumPy can fail, and why all this is needed."""
    if keras.backend.backend() == "torch":
        pytest.skip("PyTorch runs eagerly, where the attribute is read at each step")
    lrs, momenta = smith(21, MAX_LR, HIGH, LOW)
    model = regression.model(keras.optimizers.SGD(0.05, momentum=0.5))

    def naive(callback, step):
        callback.model.optimizer.learning_rate = lrs[step]
        callback.model.optimizer.momentum = float(momenta[step])

    regression.fit(model, [each_batch(naive)])
    assert regression.reference("sgd").train(lrs, momenta).error(model) > 1e-2


@pytest.mark.samples(1)
@pytest.mark.parametrize(
    "rule", ["sgd", "adamw", *(pytest.param(r, marks=every_backend) for r in ("rmsprop", "nadam"))]
)
def test_after_an_earlier_fit(regression, smith, rule):
    make, tolerance = OPTIMIZERS[rule]
    model = regression.model(make())
    regression.fit(model, epochs=1)
    regression.fit(model, [one_cycle()], epochs=2)
    regression.fit(model, epochs=1)
    reference = regression.reference(rule)
    constant = {"lrs": np.full(7, 0.05), "momenta": np.full(7, 0.5)}
    reference.train(**constant, weight_decay=decays(rule, 7))
    lrs, momenta = smith(14, MAX_LR, HIGH, LOW)
    reference.train(lrs, momenta, weight_decay=decays(rule, 14))
    constant["lrs"] = np.full(7, lrs[-1])
    assert reference.train(**constant, weight_decay=decays(rule, 7)).error(model) < tolerance


@pytest.mark.samples(1)
@pytest.mark.parametrize("rule", ["nesterov", "adamw", "nadam"])
def test_under_gradient_accumulation(regression, smith, rule):
    make, tolerance = OPTIMIZERS[rule]
    model = regression.model(make(gradient_accumulation_steps=3))
    regression.fit(model, [one_cycle()])
    lrs, momenta = smith(21, MAX_LR, HIGH, LOW)
    reference = regression.reference(rule, accumulate=3)
    assert reference.train(lrs, momenta, weight_decay=decays(rule, 21)).error(model) < tolerance


@pytest.mark.samples(2)
@pytest.mark.parametrize(
    ("rule", "mode"),
    [("nesterov", "graph"), ("adam", "graph"), ("nesterov", "eager"), ("adam", "xla")],
)
def test_under_a_loss_scale(regression, smith, rule, mode):
    make, tolerance = OPTIMIZERS[rule]
    model = regression.model(keras.optimizers.LossScaleOptimizer(make()), **MODES[mode])
    regression.fit(model, [one_cycle()])
    lrs, momenta = smith(21, MAX_LR, HIGH, LOW)
    assert regression.reference(rule).train(lrs, momenta).error(model) < tolerance
    assert type(model.optimizer) is keras.optimizers.LossScaleOptimizer


@pytest.mark.samples(2)
@pytest.mark.parametrize(
    ("rule", "optimizer"),
    [
        pytest.param("sgd", lambda: keras.optimizers.SGD(0.05), marks=every_backend),
        ("nesterov", lambda: keras.optimizers.SGD(0.05, nesterov=True)),
        pytest.param("rmsprop", lambda: keras.optimizers.RMSprop(0.05), marks=every_backend),
        ("adam", lambda: keras.optimizers.Adam(0.05, beta_1=0.0)),
    ],
)
def test_from_a_momentum_of_zero(regression, smith, rule, optimizer):
    model = regression.model(optimizer())
    regression.fit(model, [one_cycle()])
    lrs, momenta = smith(21, MAX_LR, HIGH, LOW)
    assert regression.reference(rule).train(lrs, momenta).error(model) < 1e-5


@pytest.mark.parametrize("low", [0.0, 0.4])
def test_down_to_a_momentum_of_zero_and_at_a_constant_one(regression, smith, low):
    model = regression.model(keras.optimizers.SGD(0.05, momentum=0.5))
    callback = OneCycleLR(max_lr=MAX_LR, maximum_momentum=0.4, minimum_momentum=low, verbose=False)
    regression.fit(model, [callback])
    lrs, momenta = smith(21, MAX_LR, 0.4, low)
    assert regression.reference("sgd").train(lrs, momenta).error(model) < 1e-6


def test_momentum_is_left_alone_if_asked_for(regression, smith):
    model = regression.model(keras.optimizers.SGD(0.05, momentum=0.5))
    callback = OneCycleLR(
        max_lr=MAX_LR, maximum_momentum=None, minimum_momentum=None, verbose=False
    )
    regression.fit(model, [callback])
    lrs, _ = smith(21, MAX_LR)
    assert regression.reference("sgd").train(lrs, np.full(21, 0.5)).error(model) < 1e-6
    assert list(callback.history) == ["lr"]


# --- which steps it counts ----------------------------------------------------------------------


def test_one_instance_in_two_fits(regression, smith):
    model, callback = regression.model(keras.optimizers.SGD(0.05, momentum=0.5)), one_cycle()
    reference = regression.reference("sgd")
    for epochs in (2, 3):
        regression.fit(model, [callback], epochs=epochs)
        lrs, momenta = smith(7 * epochs, MAX_LR, HIGH, LOW)
        np.testing.assert_allclose(callback.history["lr"], lrs, rtol=1e-12)
        reference.train(lrs, momenta)
    assert callback.step == 21
    assert reference.error(model) < 1e-6


@pytest.mark.parametrize("shape", ["smith", "linear", "cosine", "wsd"])
def test_after_the_last_step_there_is_only_the_end(regression, shape):
    callback = one_cycle(shape=shape)
    regression.fit(regression.model("sgd"), [callback], epochs=1)
    for step in (7, 8, 1000):
        values = callback._values_at(step)
        assert values == {"learning_rate": pytest.approx(MAX_LR / 1000), "momentum": HIGH}


def test_a_single_step_is_run_at_the_maximum(regression):
    callback = one_cycle()
    model = regression.model("sgd")
    model.fit(regression.x, regression.y, batch_size=50, verbose=0, callbacks=[callback])
    assert callback.history == {"lr": [MAX_LR], "momentum": [pytest.approx(LOW)]}


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_counts_are_used_where_fit_knows_none(regression, smith):
    callback = one_cycle(num_samples=50, batch_size=8)
    model = regression.model("sgd")
    model.fit(regression.batches(7), shuffle=False, verbose=0, callbacks=[callback])
    np.testing.assert_allclose(callback.history["lr"], smith(7, MAX_LR)[0], rtol=1e-12)


def test_steps_per_epoch_is_what_fit_says(regression, smith):
    callback = one_cycle()
    model = regression.model("sgd")
    model.fit(
        (batch for batch in itertools.cycle(regression.batches(7))),
        steps_per_epoch=5,
        epochs=2,
        shuffle=False,
        verbose=0,
        callbacks=[callback],
    )
    np.testing.assert_allclose(callback.history["lr"], smith(10, MAX_LR)[0], rtol=1e-12)


def test_an_unknown_number_of_steps_is_an_error(regression):
    model = regression.model("sgd")
    with pytest.raises(TrainingError, match="pass steps_per_epoch to fit, or num_samples and batc"):
        model.fit(regression.batches(7), shuffle=False, verbose=0, callbacks=[one_cycle()])


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ({"num_samples": 70, "batch_size": 8}, "9 batches an epoch, but fit runs 7; going by fit"),
        ({"num_epoch": 5}, "told num_epoch=5, but fit runs 3; going by fit"),
    ],
)
def test_counts_that_contradict_fit_give_a_warning_and_lose(regression, smith, counts, sentence):
    callback = one_cycle(**counts)
    with pytest.warns(UserWarning, match=sentence):
        regression.fit(regression.model("sgd"), [callback])
    np.testing.assert_allclose(callback.history["lr"], smith(21, MAX_LR)[0], rtol=1e-12)


def test_counts_that_agree_are_no_occasion_for_a_warning(regression):
    callback = one_cycle(num_samples=50, batch_size=8, num_epoch=3)
    regression.fit(regression.model("sgd"), [callback])  # a warning would be an error


# --- what is left behind, and what fit reports --------------------------------------------------


@pytest.mark.samples(1)
@pytest.mark.parametrize("rule", [pytest.param("sgd", marks=every_backend), "rmsprop", "nadam"])
def test_the_optimizer_is_a_stock_one_afterwards(regression, rule):
    model = regression.model(OPTIMIZERS[rule][0]())
    kept, config = model.optimizer, model.optimizer.get_config()
    kept.build(model.trainable_variables)
    names = [v.path for v in kept.variables]
    callback = one_cycle()
    regression.fit(model, [callback])
    assert model.optimizer is kept
    assert [v.path for v in kept.variables] == names
    last = pytest.approx(callback.history["lr"][-1])
    assert kept.get_config() == config | {"learning_rate": last}


def test_an_epoch_reports_and_prints_what_was_in_force(regression, capsys):
    callback = OneCycleLR(max_lr=MAX_LR, maximum_momentum=HIGH, minimum_momentum=LOW)
    model, data = regression.model("sgd"), {"x": regression.x, "y": regression.y, "batch_size": 8}
    history = model.fit(**data, epochs=3, verbose=2, callbacks=[callback]).history
    assert history["learning_rate"] == callback.history["lr"][6::7]
    assert history["momentum"] == callback.history["momentum"][6::7]
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith(" - lr")]
    assert printed[-1] == f" - lr: {callback.history['lr'][-1]:.5g} - momentum: 0.9"
    assert len(printed) == 3


@pytest.mark.samples(2)
@pytest.mark.filterwarnings("ignore:the optimizer comes with the learning rate")
@pytest.mark.parametrize("arguments", [{"verbose": True}, {}, {"verbose": False}])
@pytest.mark.parametrize("initial_epoch", [0, 1])
def test_nothing_is_printed_where_fit_is_to_print_nothing(
    regression, capsys, arguments, initial_epoch
):
    callback = OneCycleLR(max_lr=MAX_LR, **arguments)
    model = regression.model(keras.optimizers.SGD(0.05, momentum=0.5))
    regression.fit(model, [callback], initial_epoch=initial_epoch)  # with verbose=0
    assert capsys.readouterr().out == ""


@every_backend
def test_a_fit_that_was_interrupted(regression, smith, each_batch):
    def interrupt(_, step):
        if step == 9:
            raise KeyboardInterrupt

    model = regression.model(keras.optimizers.SGD(0.05, momentum=0.5))
    kept = model.optimizer
    broken_off = one_cycle()
    with pytest.raises(KeyboardInterrupt):
        regression.fit(model, [broken_off, each_batch(interrupt)])
    assert len(broken_off.history["lr"]) == 9
    model.set_weights(regression.weights)
    for slot in kept.momentums:
        slot.assign(ops.zeros(slot.shape))
    regression.fit(model, [one_cycle()])
    lrs, momenta = smith(21, MAX_LR, HIGH, LOW)
    assert regression.reference("sgd").train(lrs, momenta).error(model) < 1e-6
    assert (kept.momentum, len(kept.variables)) == (0.5, 4)
    broken_off.release()
    assert (kept.momentum, len(kept.variables)) == (0.5, 4)


def test_an_instance_that_moves_on_leaves_the_interrupted_model_stock(regression, each_batch):
    def interrupt(*_):
        raise KeyboardInterrupt

    model, callback = regression.model(keras.optimizers.SGD(0.05)), one_cycle()
    with pytest.raises(KeyboardInterrupt):
        regression.fit(model, [callback, each_batch(interrupt)])
    regression.fit(regression.model(keras.optimizers.SGD(0.05)), [callback], epochs=1)
    assert len(callback.history["lr"]) == 7
    assert (model.optimizer.momentum, len(model.optimizer.variables)) == (0.0, 2)


def test_release_after_an_interrupted_fit(regression, each_batch):
    def interrupt(_, step):
        raise KeyboardInterrupt

    model, callback = regression.model(keras.optimizers.SGD(0.05)), one_cycle()
    with pytest.raises(KeyboardInterrupt):
        regression.fit(model, [callback, each_batch(interrupt)])
    callback.release()
    callback.release()
    assert (model.optimizer.momentum, len(model.optimizer.variables)) == (0.0, 2)
    reference = regression.reference("sgd")
    lr = float(ops.convert_to_numpy(model.optimizer.learning_rate))
    regression.fit(model)
    assert reference.train(np.full(21, lr), np.zeros(21)).error(model) < 1e-6


def test_a_range_test_after_an_interrupted_fit_runs_at_the_compiled_momentum(
    regression, each_batch
):
    def interrupt(_, step):
        if step == 3:
            raise KeyboardInterrupt

    model = regression.model(keras.optimizers.SGD(0.05, momentum=0.5))
    with pytest.raises(KeyboardInterrupt):
        regression.fit(model, [one_cycle(), each_batch(interrupt)])
    model.set_weights(regression.weights)
    for slot in model.optimizer.momentums:
        slot.assign(ops.zeros(slot.shape))
    finder = LRFinder(min_lr=1e-3, max_lr=0.1, restore=False, verbose=False)
    regression.fit(model, [finder], epochs=1)
    expected = regression.reference("sgd").train(np.geomspace(1e-3, 0.1, 7), np.full(7, 0.5))
    assert expected.error(model) < 1e-6


# --- refusals -----------------------------------------------------------------------------------


def test_a_learning_rate_schedule_is_refused(regression):
    decay = keras.optimizers.schedules.CosineDecay(0.1, 10)
    with pytest.raises(OptimizerError, match="compile the model with a plain number as learning_r"):
        regression.fit(regression.model(keras.optimizers.SGD(decay)), [one_cycle()])


def test_an_optimizer_without_momentum(regression, smith):
    model = regression.model(keras.optimizers.Adagrad(0.1))
    with pytest.raises(OptimizerError, match="maximum_momentum=None and minimum_momentum=None"):
        regression.fit(model, [one_cycle()])
    callback = OneCycleLR(
        max_lr=MAX_LR, maximum_momentum=None, minimum_momentum=None, verbose=False
    )
    regression.fit(model, [callback])
    squares = [np.full(w.shape, 0.1) for w in regression.weights]
    reference = regression.reference("sgd")
    reference.slots = squares

    def adagrad(squares, g, lr, *_):
        squares += g**2
        return -lr * g / np.sqrt(squares + 1e-7)

    reference.rule = adagrad
    assert reference.train(smith(21, MAX_LR)[0], np.zeros(21)).error(model) < 1e-6


@pytest.mark.samples(1)
@pytest.mark.parametrize(
    ("rule", "mode", "together"),
    [
        *((rule, "graph", (2, 7, 50)) for rule in ("nesterov", "adam", "adamw")),
        ("nesterov", "xla", (50,)),
        ("adamw", "xla", (2,)),
    ],
)
def test_several_steps_in_one_execution(regression, smith, rule, mode, together):
    """Seven batches an epoch, the last of them smaller: executions are cut short by its end."""
    make, tolerance = OPTIMIZERS[rule]

    def train(steps_per_execution):
        model = regression.model(make(), steps_per_execution=steps_per_execution, **MODES[mode])
        callback = one_cycle()
        regression.fit(model, [callback])
        return model, callback

    model, single = train(1)
    weights = model.get_weights()
    lrs, momenta = smith(21, MAX_LR, HIGH, LOW)
    reference = regression.reference(rule).train(lrs, momenta, weight_decay=decays(rule, 21))
    for count in together:
        model, several = train(count)
        assert several.history == single.history
        assert several.step == 21
        np.testing.assert_allclose(several.history["lr"], lrs, rtol=1e-9)
        assert reference.error(model) < tolerance
        for ours, theirs in zip(model.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.samples(1)
@pytest.mark.parametrize("together", [2, 7])
def test_each_of_several_steps_has_its_own_loss(regression, together):
    losses = []
    for k in (1, together):
        cycle = RecordedCycle(constants={"l2": 0.01}, max_lr=MAX_LR)
        model = regression.model(keras.optimizers.SGD(0.05, 0.5), steps_per_execution=k)
        regression.fit(model, [cycle])
        losses.append(cycle.log.losses)
    assert len(losses[0]) == 21
    assert losses[1] == losses[0]


def test_a_range_test_of_several_steps_at_a_time_is_refused(regression):
    model = regression.model("sgd", steps_per_execution=2)
    with pytest.raises(TrainingError, match="a range test needs steps_per_execution=1"):
        regression.fit(model, [LRFinder(num_steps=5)])


def test_a_model_without_variables_is_refused(regression):
    model = keras.Sequential([keras.layers.Dense(2)])
    model.compile("sgd", "mse")
    with pytest.raises(ModelError, match="give it an input shape before fit"):
        regression.fit(model, [one_cycle()])


@pytest.mark.parametrize("name", ["learning_rate", "momentum"])
def test_another_callback_that_sets_the_same_is_noticed(regression, each_batch, name):
    """What is reported must be what was used: an intruder is an error, not a silent untruth."""

    def intrude(callback, step):
        if step == 4:
            getattr(callback.model.optimizer, name).assign(0.25)

    with pytest.raises(OptimizerError, match=f"{name} was set to .* but the optimizer holds 0.25"):
        regression.fit(regression.model("sgd"), [one_cycle(), each_batch(intrude)])


OTHERS = {
    "scheduler": lambda: keras.callbacks.LearningRateScheduler(lambda epoch: 0.25),
    "plateau": lambda: keras.callbacks.ReduceLROnPlateau("loss", patience=0, min_delta=1e9),
}


@pytest.mark.samples(2)
@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("ours_first", [True, False])
def test_another_schedule_between_the_epochs_is_overruled_and_said_to_be(
    regression, smith, other, ours_first
):
    model, callbacks = regression.model(keras.optimizers.SGD(0.05)), [one_cycle(), OTHERS[other]()]
    with pytest.warns(
        UserWarning, match=r"has set learning_rate to 0\..* which has no effect: One"
    ):
        regression.fit(model, callbacks if ours_first else callbacks[::-1])
    lrs, momenta = smith(21, MAX_LR, HIGH, LOW)
    assert regression.reference("sgd").train(lrs, momenta).error(model) < 1e-6


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            {"max_lr": None},
            r"max_lr must be a number above 0, .* LRFinder, that had nothing to suggest",
        ),
        ({"max_lr": 0}, "max_lr must be greater than 0; got 0"),
        ({"max_lr": -1.0}, "max_lr must be greater than 0; got -1.0"),
        ({"end_percentage": 1.0}, r"end_percentage must be in \[0, 1\); got 1.0"),
        ({"end_percentage": 0.0}, "end_percentage must be in"),
        ({"scale_percentage": 2.0}, r"scale_percentage must be in \(0, 1\].*; got 2.0"),
        ({"maximum_momentum": None}, "must both be numbers or both None; got None and 0.85"),
        ({"minimum_momentum": None}, "must both be numbers or both None; got 0.95 and None"),
        ({"maximum_momentum": 0.8}, "maximum_momentum must be below 1, .* got 0.8 and 0.85"),
        ({"maximum_momentum": 1.0}, "maximum_momentum must be below 1, .* got 1.0 and 0.85"),
        (
            {"shape": "triangle"},
            r"one of smith, linear, .*, phases, or path/to/file\.py:function; got 'triangle'",
        ),
        ({"pct_start": 0.3}, "shape smith has no option 'pct_start'; it takes none"),
        ({"shape": "pytorch", "pct_start": 3}, r"pct_start must be a number in \[0, 1\]; got 3"),
    ],
)
def test_arguments_out_of_range_are_refused_at_once(arguments, sentence):
    with pytest.raises(ValueError, match=sentence) as caught:
        OneCycleLR(**{"max_lr": 0.1} | arguments)
    assert isinstance(caught.value, OnecycleError)  # of which a notebook shows the sentence alone


def test_what_a_finder_returned_is_no_number_but_has_one():
    suggestion = Suggestion(0.02, (0.01, 0.03), "ok", "a reason")
    found = SimpleNamespace(suggestion=suggestion)
    finder = SimpleNamespace(suggestion={"value": 0.02})
    for given, place in (
        (suggestion, r"this Suggestion has it in \.value, which is 0\.02"),
        (found, r"this SimpleNamespace has it in \.suggestion\.value, which is 0\.02"),
        (finder, r"has it in \.suggestion\['value'\], which is 0\.02"),
        (finder.suggestion, r"this dict has it in \['value'\], which is 0\.02"),
    ):
        with pytest.raises(ValueError, match=f"max_lr must be a number; .*{place}"):
            OneCycleLR(max_lr=given)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((0.02,), "num_samples"),
        ((0.1, 0.2, 0.1, 0.95), "num_samples"),
        ((0.1, 0.1, None, 0.95, 0.85, True), "num_samples"),
        ((1, 0.1, None, 0.95, 0.85), "num_epoch"),
        ((2.0, 0, 1, 0.95), "num_epoch"),
        ((50, 3, 0.5, 0.95), "batch_size"),
        ((50, 3, "8", 0.95), "batch_size"),
        ((np.float64(0.3), 3), "num_samples"),
    ],
)
def test_arguments_in_the_places_of_the_counts_are_refused(arguments, name):
    """The callback of keras-one-cycle's code, unlike that of its README, began with max_lr."""
    with pytest.raises(ValueError, match=rf"{name} must be a whole .* OneCycleLR\(max_lr=0.1\)"):
        OneCycleLR(*arguments)
    if len(arguments) > 3:
        return
    with pytest.raises(ValueError, match=r"_(samples|size) must be .* LRFinder\(min_lr=1e-5\)"):
        LRFinder(*arguments)


@pytest.mark.samples(1)
@pytest.mark.parametrize("counts", [(50, 3, 8), (50.0, 3.0, 8.0), np.array([50, 3, 8])])
def test_counts_of_every_type_are_taken(regression, smith, counts):
    callback = OneCycleLR(*counts, MAX_LR, verbose=False)
    regression.fit(regression.model("sgd"), [callback])  # a warning would be an error
    np.testing.assert_allclose(callback.history["lr"], smith(21, MAX_LR)[0], rtol=1e-12)


def test_counts_without_the_smaller_last_batch_agree_with_fit(regression, smith):
    callback, model = one_cycle(num_samples=50, batch_size=8), regression.model("sgd")
    batches = (batch for batch in regression.batches(6))
    model.fit(batches, steps_per_epoch=6, shuffle=False, verbose=0, callbacks=[callback])
    np.testing.assert_allclose(callback.history["lr"], smith(6, MAX_LR)[0], rtol=1e-12)


def test_an_argument_that_there_is_not_is_refused_naming_the_nearest():
    with pytest.raises(TypeError, match="no argument 'max_momentum'; did you mean 'maximum_mom"):
        OneCycleLR(max_lr=0.1, max_momentum=0.9)


def test_it_works_inside_fit_only():
    with pytest.raises(TrainingError, match="OneCycleLR works inside fit only"):
        _ = one_cycle()._batch_loss
