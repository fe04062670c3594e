import keras
import numpy as np
import pytest
from keras import ops

from onecycle_cli import LRFinder, OneCycleLR, Scheduled
from onecycle_cli.engine.steering.names import NUMBERS
from onecycle_cli.errors import OptimizerError

every_backend = pytest.mark.every_backend
STEPS = 21

OPTIMIZERS = {
    "sgd": lambda **more: keras.optimizers.SGD(0.05, momentum=0.5, **more),
    "rmsprop": lambda **more: keras.optimizers.RMSprop(0.05, **more),
    "adam": lambda **more: keras.optimizers.Adam(0.05, **more),
    "adamw": lambda **more: keras.optimizers.AdamW(0.05, **more),
    "nadam": lambda **more: keras.optimizers.Nadam(0.05, **more),
    "adamax": lambda **more: keras.optimizers.Adamax(0.05, **more),
    "lion": lambda **more: keras.optimizers.Lion(0.05, **more),
    "lamb": lambda **more: keras.optimizers.Lamb(0.05, **more),
    "adadelta": lambda **more: keras.optimizers.Adadelta(0.5, **more),
    "adafactor": lambda **more: keras.optimizers.Adafactor(0.05, **more),
    "ftrl": lambda **more: keras.optimizers.Ftrl(0.5, **more),
}
HALVES = [
    ("adam", "beta_2", 0.9, 0.5),
    ("adamw", "beta_2", 0.9, 0.5),
    ("nadam", "beta_2", 0.9, 0.5),
    ("adamax", "beta_2", 0.9, 0.5),
    ("lion", "beta_2", 0.9, 0.5),
    ("lamb", "beta_2", 0.9, 0.5),
    ("rmsprop", "rho", 0.9, 0.5),
    ("adadelta", "rho", 0.9, 0.5),
    ("adam", "epsilon", 1e-3, 0.5),
    ("rmsprop", "epsilon", 1e-3, 0.5),
    ("adafactor", "epsilon_1", 1e-3, 0.5),
    ("adafactor", "epsilon_2", 1e-3, 9.0),
    ("adafactor", "clip_threshold", 0.5, 0.1),
    pytest.param("sgd", "clipnorm", 0.5, 0.01, marks=every_backend),
    pytest.param("sgd", "global_clipnorm", 0.5, 0.01, marks=every_backend),
    ("sgd", "clipvalue", 0.2, 0.01),
    ("sgd", "weight_decay", 0.1, 2.0),
    ("adamw", "weight_decay", 0.1, 2.0),
    ("sgd", "ema_momentum", 0.9, 0.5),
    ("ftrl", "beta", 0.1, 2.0),
    ("ftrl", "l2_regularization_strength", 0.01, 0.3),
    ("ftrl", "l2_shrinkage_regularization_strength", 0.01, 0.3),
]


def state(model):
    slots = [v for v in model.optimizer.variables if "learning_rate" not in v.path]
    return [np.array(ops.convert_to_numpy(v)) for v in (*model.trainable_variables, *slots)]


def farthest(ours, theirs):
    return max(np.abs(a - b).max() for a, b in zip(ours, theirs, strict=True))


@pytest.mark.samples(2)
@pytest.mark.parametrize(("rule", "name", "first", "second"), HALVES)
def test_in_graph_each_is_what_keras_does_eagerly(
    regression, each_batch, rule, name, first, second
):
    """Eagerly Keras reads the attribute at each step, so setting it there is the reference."""
    more = {"use_ema": True} if name == "ema_momentum" else {}
    table = [first] * 10 + [second] * 11
    model = regression.model(OPTIMIZERS[rule](**more), jit_compile=keras.backend.backend() == "jax")
    callback = Scheduled({name: table})
    regression.fit(model, [callback])
    assert callback.history == {name: table}

    def set_attribute(callback, step):
        setattr(callback.model.optimizer, name, table[step])

    eager, constant = (
        regression.model(OPTIMIZERS[rule](**more | {name: first}), run_eagerly=eagerly)
        for eagerly in (True, False)
    )
    regression.fit(eager, [each_batch(set_attribute)])
    regression.fit(constant)
    assert farthest(state(model), state(eager)) < 2e-5
    assert farthest(state(constant), state(eager)) > 1e-3


def test_nothing_that_is_offered_is_unproved():
    proved = (getattr(half, "values", half) for half in HALVES)
    assert {name for _, name, *_ in proved} == {*NUMBERS, "weight_decay"}


@pytest.mark.samples(1)
@every_backend
@pytest.mark.parametrize("rule", ["adam", "adamw"])
def test_a_constant_is_what_the_optimizer_could_have_been_made_with(regression, rule):
    values = {"beta_2": 0.6, "epsilon": 0.01, "clipvalue": 0.3, "weight_decay": 0.2}
    model = regression.model(OPTIMIZERS[rule]())
    regression.fit(model, [Scheduled(values)])
    made = regression.model(OPTIMIZERS[rule](**values))
    regression.fit(made)
    plain = regression.model(OPTIMIZERS[rule]())
    regression.fit(plain)
    assert farthest(state(model), state(made)) < 2e-5
    assert farthest(state(model), state(plain)) > 1e-2


@pytest.mark.samples(1)
@pytest.mark.parametrize("execution", [{"jit_compile": True}, {"steps_per_execution": 4}])
def test_with_xla_and_several_steps_at_a_time(regression, execution):
    tables = {
        "learning_rate": (0.1, 0.01),
        "beta_2": (0.9, 0.5),
        "weight_decay": lambda n: [0.1] * n,
    }
    models = [regression.model(OPTIMIZERS["adam"](), **more) for more in ({}, execution)]
    callbacks = [Scheduled(tables), Scheduled(tables)]
    for model, callback in zip(models, callbacks, strict=True):
        regression.fit(model, [callback])
    assert callbacks[0].history == callbacks[1].history
    assert farthest(state(models[0]), state(models[1])) < 2e-6


@every_backend
def test_at_an_initial_epoch_the_tables_go_on(regression):
    rates = np.linspace(0.1, 0.01, STEPS)
    whole, broken = (regression.model(OPTIMIZERS["sgd"]()) for _ in range(2))
    callback = Scheduled({"learning_rate": (0.1, 0.01)})
    regression.fit(whole, [callback])
    regression.fit(broken, [Scheduled({"learning_rate": rates[:7].tolist()})], epochs=1)
    regression.fit(broken, [callback], initial_epoch=1)
    np.testing.assert_allclose(callback.history["learning_rate"], rates[7:], rtol=1e-12)
    assert farthest(state(broken), state(whole)) < 1e-6


@pytest.mark.samples(1)
@pytest.mark.parametrize("rule", ["sgd", "adamw"])
def test_the_optimizer_is_a_stock_one_afterwards(regression, rule):
    model = regression.model(OPTIMIZERS[rule]())
    config = model.optimizer.get_config()
    regression.fit(model, [Scheduled({"clipnorm": 0.01, "weight_decay": (0.1, 0.2)})])
    assert model.optimizer.get_config() == config
    fresh = regression.model(OPTIMIZERS[rule]())
    for each in (model, fresh):
        each.set_weights(regression.weights)
        each.optimizer.build(each.trainable_variables)
        for variable in each.optimizer.variables:
            if "learning_rate" not in variable.path:
                variable.assign(ops.zeros_like(variable))
        regression.fit(each)
    np.testing.assert_array_equal(model.get_weights()[0], fresh.get_weights()[0])


def test_beside_a_cycle(regression):
    model = regression.model(OPTIMIZERS["adam"]())
    both = OneCycleLR(max_lr=0.1, verbose=False, also={"beta_2": (0.9, 0.5), "weight_decay": 0.1})
    history = regression.fit(model, [both]).history
    cycle = OneCycleLR(max_lr=0.1, verbose=False)
    regression.fit(regression.model(OPTIMIZERS["adam"]()), [cycle])
    assert {k: both.history[k] for k in ("lr", "momentum")} == cycle.history
    np.testing.assert_allclose(both.history["beta_2"], np.linspace(0.9, 0.5, STEPS), rtol=1e-12)
    assert both.history["weight_decay"] == [0.1] * STEPS
    assert history["beta_2"] == both.history["beta_2"][6::7]

    alone = regression.model(OPTIMIZERS["adam"]())
    tables = {"learning_rate": both.history["lr"], "momentum": both.history["momentum"]}
    tables |= {"beta_2": (0.9, 0.5), "weight_decay": 0.1}
    regression.fit(alone, [Scheduled(tables)])
    for ours, theirs in zip(model.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("values", "error", "sentence"),
    [
        ({"beta2": 0.9}, OptimizerError, "Adam has no 'beta2' to schedule; did you mean 'beta_2'"),
        (
            {"tau": 0.9},
            OptimizerError,
            "Adam has no 'tau' to schedule; the known ones are learning_rate, ",
        ),
        ({"beta_1": 0.9}, OptimizerError, "Adam has no 'beta_1' to schedule"),
        ({"ema_momentum": 0.9}, OptimizerError, "does nothing without use_ema; compile with use"),
        (
            {"clipnorm": 0.1, "clipvalue": 0.1},
            OptimizerError,
            "clipvalue does nothing where the optimizer clips by clipnorm; choose one of them",
        ),
        ({"epsilon": [1e-7] * 3}, ValueError, "epsilon has 3 values for 21 steps; give one number"),
        ({"epsilon": lambda n: [1] * (n - 1)}, ValueError, "epsilon has 20 values for 21 steps"),
        ({"epsilon": (1e-7, np.nan)}, ValueError, "epsilon must be finite and at least 0 at every"),
        ({"clipnorm": -1}, ValueError, "clipnorm must be finite and at least 0 at every step; got"),
        ({"beta_2": (0.9, 1)}, ValueError, r"beta_2 must be in \[0, 1\) at every step; got \(0.9"),
    ],
)
def test_what_cannot_be_scheduled_is_refused(regression, values, error, sentence):
    model = regression.model(OPTIMIZERS["adam"]())
    with pytest.raises(error, match=sentence):
        regression.fit(model, [Scheduled(values)])


@pytest.mark.parametrize("name", ["learning_rate", "momentum", "beta_1"])
def test_a_cycle_schedules_its_own_itself(name):
    with pytest.raises(ValueError, match=f"also: {name} is what OneCycleLR schedules itself"):
        OneCycleLR(max_lr=0.1, also={name: 0.9})


def test_no_tables_are_refused():
    with pytest.raises(ValueError, match="Scheduled needs tables"):
        Scheduled({})


KERAS = {name for name in dir(keras.callbacks.Callback()) if not name.startswith("_")}
OF_ALL = {"batch_size", "history", "num_samples", "release", "schedule", "step", "tables"}
OF_THE_CYCLE = {
    *("also", "end_percentage", "get_state", "layer_rates", "max_lr", "maximum_momentum"),
    *("minimum_momentum", "num_epoch", "options", "scale_percentage", "set_state", "shape"),
    "verbose",
}
OF_THE_FINDER = {
    *("findings", "loss_smoothing_beta", "losses", "lr_scale", "lrs", "max_lr", "min_lr"),
    *("num_steps", "plot_schedule", "plot_schedule_from_dir", "plot_schedule_from_file"),
    *("restore", "restore_after", "restore_schedule_from_dir", "restore_schedule_from_file"),
    *("save", "save_dir", "skip_begin", "skip_end", "smoothed_losses", "stop_reason"),
    *("stopping_criterion_factor", "suggestion", "validation_data", "validation_sample_rate"),
    "verbose",
}


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (lambda: Scheduled({"learning_rate": (0.1, 0.01)}), OF_ALL),
        (lambda: OneCycleLR(max_lr=0.1), OF_ALL | OF_THE_CYCLE),
        (lambda: LRFinder(), OF_ALL | OF_THE_FINDER),
    ],
)
def test_a_callback_shows_only_what_is_for_the_user(regression, make, names):
    callback = make()
    assert {name for name in dir(callback) if not name.startswith("_")} - KERAS == names
    regression.fit(regression.model("sgd"), [callback], epochs=1)
    assert {name for name in dir(callback) if not name.startswith("_")} - KERAS == names


def test_the_finder_and_the_cycle_are_schedules_of_their_own_tables(regression):
    """Given their tables by name, the plain callback trains to the same bits."""
    cycle, finder = OneCycleLR(max_lr=0.1, verbose=False), LRFinder(restore=False, verbose=False)
    for callback in (cycle, finder):
        assert isinstance(callback, Scheduled)
        models = [regression.model(keras.optimizers.SGD(0.05, momentum=0.9)) for _ in range(2)]
        regression.fit(models[0], [callback], epochs=1)
        regression.fit(models[1], [Scheduled(callback.schedule)], epochs=1)
        for ours, theirs in zip(*map(state, models), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert cycle.history == {
        "lr": cycle.schedule["learning_rate"],
        "momentum": cycle.schedule["momentum"],
    }
    assert finder.lrs == finder.history["learning_rate"] == finder.schedule["learning_rate"]


def test_callbacks_are_shown_in_a_few_lines_and_drawn_once_there_is_something(regression):
    tables = {"learning_rate": (0.1, 0.01), "beta_2": 0.9, "epsilon": lambda n: [1e-7] * n}
    callbacks = [
        Scheduled(tables),
        OneCycleLR(max_lr=0.1, verbose=False, also={"beta_2": (0.9, 0.5)}),
        LRFinder(min_lr=1e-3, max_lr=0.1, verbose=False),
    ]
    before = [
        "Scheduled\n  learning_rate  0.1 to 0.01\n  beta_2         0.9\n"
        "  epsilon        a function of the number of steps\n  steps done     none yet",
        "OneCycleLR\n  max_lr      0.1, shape smith\n  momentum    0.95 to 0.85\n"
        "  beta_2      0.9 to 0.5\n  steps done  none yet",
        "LRFinder\n  learning rates  0.001 to 0.1, exp\n  steps done      none yet",
    ]
    assert [repr(callback) for callback in callbacks] == before
    assert not any("<img" in callback._repr_html_() for callback in callbacks)
    for callback in callbacks:
        regression.fit(regression.model(OPTIMIZERS["adam"]()), [callback], epochs=1)
        assert "data:image/png;base64,iVBORw0KGgo" in callback._repr_html_()
    plain, cycle, finder = map(repr, callbacks)
    assert plain.endswith("steps done     7 of 7") and cycle.endswith("steps done  7 of 7")
    assert "steps done      7, completed" in finder and len(finder) < 1000
    callbacks[2].stop_reason = None  # as when a fit is interrupted
    assert "steps done      7, unfinished" in repr(callbacks[2])
    assert finder.splitlines()[-1].split()[0] == "max_lr"
