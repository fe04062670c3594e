import keras
import numpy as np
import pytest
from keras import ops

from onecycle_cli.engine.steering import optimizers
from onecycle_cli.engine.steering.gradient_norm import GradientNorm
from onecycle_cli.engine.steering.live_hyper_parameters import LiveHyperparameters
from onecycle_cli.errors import OptimizerError
from onecycle_cli.registry.optimizers import load

STEPS = 21
WAVE = np.sin(np.arange(STEPS) / 3)
LRS, MOMENTA = 0.05 + 0.04 * WAVE, 0.6 - 0.3 * WAVE
DECAYS = 0.1 + 0.09 * WAVE[::-1]

MODES = {
    "graph": {"jit_compile": False},
    "xla": {"jit_compile": True},
    "eager": {"run_eagerly": True},
}

every_backend = pytest.mark.every_backend


def steered(model, names):
    live = LiveHyperparameters(model, names)
    model.make_train_function(force=True)
    return live


def steer(each_batch, live, **values):
    """Return a callback that assigns the values of each step."""
    touch = "model"  # on JAX, brings the variables up to date

    def assign(callback, step):
        getattr(callback, touch)
        live.assign({name: table[step] for name, table in values.items()})

    def check(callback, step):
        getattr(callback, touch)
        live.check({name: table[step] for name, table in values.items()})

    return each_batch(assign, check)


@every_backend
@pytest.mark.parametrize("mode", ["graph", "eager"])
def test_l2_is_the_gradient_of_lambda_times_the_sum_of_squared_kernels(
    regression, each_batch, mode
):
    model = regression.model(keras.optimizers.SGD(0.1, momentum=0.5), **MODES[mode])
    live = steered(model, ["learning_rate", "momentum", "l2"])
    driver = steer(each_batch, live, learning_rate=LRS, momentum=MOMENTA, l2=DECAYS)
    regression.fit(model, [driver])
    live.release()
    assert regression.reference("sgd").train(LRS, MOMENTA, l2=DECAYS).error(model) < 1e-6
    assert regression.reference("sgd").train(LRS, MOMENTA).error(model) > 1e-2


@every_backend
def test_l2_after_another_hyperparameter_is_not_taken_for_it(regression, each_batch):
    """Both are one more scalar in the training step, which must be traced anew."""
    model = regression.model(keras.optimizers.SGD(0.1, momentum=0.5))
    momentum = np.full(STEPS, 0.5)
    for name in ("weight_decay", "l2"):
        model.set_weights(regression.weights)
        live = steered(model, ["learning_rate", name])
        for slot in model.optimizer.momentums:
            slot.assign(ops.zeros(slot.shape))
        regression.fit(model, [steer(each_batch, live, learning_rate=LRS, **{name: DECAYS})])
        live.release()
    assert regression.reference("sgd").train(LRS, momentum, l2=DECAYS).error(model) < 1e-6


@pytest.mark.samples(2)
@pytest.mark.parametrize("rule", ["adam", "nadam", "rmsprop"])
def test_l2_goes_through_any_optimizer(regression, each_batch, rule):
    optimizer = keras.optimizers.get({"class_name": rule, "config": {"learning_rate": 0.1}})
    model = regression.model(optimizer)
    live = steered(model, ["learning_rate", "momentum", "l2"])
    driver = steer(each_batch, live, learning_rate=LRS, momentum=MOMENTA, l2=DECAYS)
    regression.fit(model, [driver])
    assert regression.reference(rule).train(LRS, MOMENTA, l2=DECAYS).error(model) < 1e-5


def test_l2_is_added_after_clipping(regression, each_batch):
    model = regression.model(keras.optimizers.SGD(0.1, momentum=0.5, clipvalue=0.1))
    live = steered(model, ["learning_rate", "momentum", "l2"])
    driver = steer(each_batch, live, learning_rate=LRS, momentum=MOMENTA, l2=DECAYS)
    regression.fit(model, [driver])
    reference = regression.reference("sgd")
    assert reference.train(LRS, MOMENTA, l2=DECAYS, clipvalue=0.1).error(model) < 1e-6


def test_l2_under_gradient_accumulation(regression, each_batch):
    model = regression.model(keras.optimizers.SGD(0.1, momentum=0.5, gradient_accumulation_steps=3))
    live = steered(model, ["learning_rate", "momentum", "l2"])
    driver = steer(each_batch, live, learning_rate=LRS, momentum=MOMENTA, l2=DECAYS)
    regression.fit(model, [driver])
    reference = regression.reference("sgd", accumulate=3)
    assert reference.train(LRS, MOMENTA, l2=DECAYS).error(model) < 1e-6


def test_l2_reaches_the_rows_of_an_embedding_that_a_batch_does_not_use():
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Embedding(5, 2), keras.layers.Flatten()]
    )
    model.compile(keras.optimizers.SGD(0.1), "mse")
    before = model.get_weights()[0]
    live = steered(model, ["l2"])
    live.assign({"l2": 0.5})
    x, y = np.full((8, 1), 3), np.zeros((8, 2), "float32")
    model.fit(x, y, batch_size=8, verbose=0)
    after = before - 0.1 * 2 * 0.5 * before
    after[3] -= 0.1 * before[3]
    np.testing.assert_allclose(model.get_weights()[0], after, rtol=1e-6)


@pytest.mark.samples(2)
@every_backend
@pytest.mark.parametrize(
    ("rule", "tolerance"), [("sgd", 1e-6), ("adamw", 1e-5), ("rmsprop", 1e-5), ("nadam", 1e-5)]
)
def test_decoupled_decay_spares_all_but_the_kernels(regression, each_batch, rule, tolerance):
    model = regression.model(keras.optimizers.SGD(0.1))
    optimizer = optimizers.adapted(load(rule), model, momentum=0.9, nesterov=False, decoupled=True)
    model.compile(optimizer, "mse")
    live = steered(model, ["learning_rate", "momentum", "weight_decay"])
    driver = steer(each_batch, live, learning_rate=LRS, momentum=MOMENTA, weight_decay=DECAYS)
    regression.fit(model, [driver])
    reference = regression.reference(rule)
    assert reference.train(LRS, MOMENTA, weight_decay=DECAYS).error(model) < tolerance


def test_kernels_are_what_has_two_axes_or_more():
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.DepthwiseConv2D(3, name="depthwise"),
            keras.layers.BatchNormalization(name="normalisation"),
            keras.layers.Flatten(),
            keras.layers.Dense(2, name="dense"),
            keras.layers.Dense(2, name="frozen", trainable=False),
        ]
    )
    names = [v.path.split("/")[-2] for v in optimizers.kernels(model)]
    assert names == ["depthwise", "dense"]


# --- mixed precision ----------------------------------------------------------------------------


@pytest.fixture
def half_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    yield
    keras.config.set_dtype_policy(before)


@pytest.mark.parametrize(("rule", "tolerance"), [("nesterov", 1e-6), ("adam", 1e-5)])
def test_under_mixed_float16_the_optimizer_updates_as_in_double_precision(
    regression, half_precision, rule, tolerance
):
    import tensorflow as tf

    del half_precision
    optimizer = {
        "nesterov": keras.optimizers.SGD(0.1, momentum=0.5, nesterov=True),
        "adam": keras.optimizers.Adam(0.1),
    }[rule]
    model = regression.model(optimizer)
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    live = LiveHyperparameters(model, ["learning_rate", "momentum"])
    scale = float(ops.convert_to_numpy(model.optimizer.dynamic_scale))

    @tf.function
    def update(gradients):
        model.optimizer.apply([g * scale for g in gradients], model.trainable_variables)

    random = np.random.default_rng(0)
    reference = regression.reference(rule)
    for step in range(1, STEPS):
        gradients = [random.normal(size=w.shape).astype("float32") for w in regression.weights]
        live.assign({"learning_rate": LRS[step], "momentum": MOMENTA[step]})
        update([tf.constant(g) for g in gradients])
        reference.weights = [
            w + reference.rule(slots, g.astype(np.float64), LRS[step], MOMENTA[step], step)
            for w, g, slots in zip(reference.weights, gradients, reference.slots, strict=True)
        ]
    assert reference.error(model) < tolerance


# --- what is left behind ------------------------------------------------------------------------


@every_backend
@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(0.1),
        lambda: keras.optimizers.SGD(0.1, momentum=0.8, weight_decay=0.1),
        lambda: keras.optimizers.RMSprop(0.1, centered=True),
        lambda: keras.optimizers.AdamW(0.1),
        lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1)),
    ],
    ids=["sgd", "sgd-momentum", "rmsprop", "adamw", "loss-scale"],
)
def test_the_optimizer_is_a_stock_one_again(regression, optimizer):
    model = regression.model(optimizer())
    model.optimizer.build(model.trainable_variables)
    kept = model.optimizer
    core = optimizers.core(kept)
    config, names = kept.get_config(), [v.path for v in kept.variables]
    attributes = set(vars(core))
    live = LiveHyperparameters(model, ["learning_rate", "momentum", "weight_decay", "l2"])
    assert live.names == {"learning_rate", "momentum", "weight_decay", "l2"}
    live.assign({"momentum": 0.3, "weight_decay": 0.2, "l2": 0.1})
    assert live.read("momentum") == pytest.approx(0.3)
    live.release()
    live.release()
    assert model.optimizer is kept
    assert kept.get_config() == config
    assert [v.path for v in kept.variables] == names
    assert set(vars(core)) == attributes
    numbers = (core.weight_decay, *(getattr(core, a) for a in optimizers.momentum_attributes(core)))
    assert all(n is None or type(n) is float for n in numbers)


def test_slots_keep_their_values(regression, state_of):
    model = regression.model(keras.optimizers.Nadam(0.1))
    regression.fit(model)
    before = state_of(model)
    LiveHyperparameters(model, ["momentum", "l2"]).release()
    for old, new in zip(before, state_of(model), strict=True):
        np.testing.assert_array_equal(old, new)


def test_methods_that_the_optimizer_was_given_come_back(regression):
    model = regression.model(keras.optimizers.SGD(0.1))

    def own_config():
        return {"learning_rate": 1.0}

    model.optimizer.get_config = own_config
    LiveHyperparameters(model, ["learning_rate"]).release()
    assert model.optimizer.get_config is own_config


@pytest.mark.samples(1)
@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_under_a_distribution_strategy(regression, each_batch, momentum):
    import tensorflow as tf

    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        model = regression.model(keras.optimizers.SGD(0.1, momentum=momentum))
    live = steered(model, ["learning_rate", "momentum"])
    regression.fit(model, [steer(each_batch, live, learning_rate=LRS, momentum=MOMENTA)])
    live.check_effect()
    live.release()
    assert regression.reference("sgd").train(LRS, MOMENTA).error(model) < 1e-6
    assert model.optimizer.momentum == momentum


def test_more_can_be_added(regression):
    live = LiveHyperparameters(regression.model(keras.optimizers.SGD(0.1)), ["learning_rate"])
    assert live.add(["learning_rate"]) is False
    assert live.add(["learning_rate", "momentum"]) is True
    assert live.names == {"learning_rate", "momentum"}


# --- refusals -----------------------------------------------------------------------------------


class Custom(keras.optimizers.SGD):
    @property
    def _learning_rate(self):
        return 0.1

    @_learning_rate.setter
    def _learning_rate(self, value):
        pass


@pytest.mark.parametrize(
    ("optimizer", "name", "sentence"),
    [
        (
            lambda: keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 9, 0.9)),
            "learning_rate",
            "is a ExponentialDecay; compile the model with a plain number as learning_rate",
        ),
        (
            lambda: keras.optimizers.SGD(lambda: 0.1),
            "learning_rate",
            "is a function; compile the model with a plain number as learning_rate",
        ),
        (
            lambda: keras.optimizers.Adagrad(0.1),
            "momentum",
            "Adagrad has no momentum .* maximum_momentum=None and minimum_momentum=None",
        ),
        (
            lambda: keras.optimizers.Adam(0.1, beta_1=np.float32(0.9)),
            "momentum",
            "beta_1 of this Adam is a float32, not a number; compile the model with a plain number",
        ),
    ],
)
def test_what_cannot_be_changed_is_refused_with_the_way_out(regression, optimizer, name, sentence):
    model = regression.model(optimizer())
    attributes = set(vars(model.optimizer))
    with pytest.raises(OptimizerError, match=sentence):
        LiveHyperparameters(model, [name])
    assert {"get_config", "save_own_variables"}.isdisjoint(vars(model.optimizer))
    assert attributes <= set(vars(model.optimizer))


@pytest.mark.parametrize("name", ["learning_rate", "momentum", "weight_decay"])
def test_a_value_that_something_else_has_set_is_noticed(regression, name):
    model = regression.model(keras.optimizers.SGD(0.1))
    live = LiveHyperparameters(model, [name])
    live.assign({name: 0.3})
    live.check({name: 0.3})
    live.assign({name: 0.4})
    with pytest.raises(OptimizerError, match=f"{name} was set to 0.3 but the optimizer holds 0.4"):
        live.check({name: 0.3})


# --- adapting optimizers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["sgd", "rmsprop", "adam", "adamw", "nadam", "adamax", "lamb", "lion"]
)
@pytest.mark.parametrize("decoupled", [True, False])
def test_an_adapted_optimizer_is_a_stock_one(regression, name, decoupled):
    model, new = regression.model("sgd"), load(name)
    optimizer = optimizers.adapted(new, model, momentum=0.7, nesterov=True, decoupled=decoupled)
    assert type(optimizer).__name__.lower() == name
    assert type(optimizer).__module__.startswith("keras.")
    config = optimizer.get_config()
    assert config.get("momentum", config.get("beta_1")) == 0.7
    assert config.get("nesterov", True) is True
    assert not config["weight_decay"]
    assert (config["weight_decay"] is not None) == (decoupled or name == "adamw")
    kernel, bias = model.trainable_variables
    assert optimizer._use_weight_decay(kernel)
    assert optimizer._use_weight_decay(bias) != decoupled


def test_momentum_is_refused_where_there_is_none(regression):
    model, new = regression.model("sgd"), load("adagrad")
    options = {"nesterov": False, "decoupled": False}
    with pytest.raises(OptimizerError, match=r"Adagrad has no momentum; set optimizer\.momentum t"):
        optimizers.adapted(new, model, momentum=0.9, **options)
    optimizer = optimizers.adapted(new, model, momentum=0.0, **options)
    assert type(optimizer) is keras.optimizers.Adagrad


@pytest.mark.samples(1)
@pytest.mark.parametrize("name", ["adagrad", "adadelta", "ftrl"])
def test_a_momentum_of_0_is_that_of_an_optimizer_without_one(regression, each_batch, name):
    """And its learning rate and decay are steered as those of any other."""
    model = regression.model("sgd")
    before = model.get_weights()
    optimizer = optimizers.adapted(load(name), model, momentum=0.0, nesterov=False, decoupled=True)
    model.compile(optimizer, "mse")
    live = steered(model, ["learning_rate", "momentum", "weight_decay"])
    driver = steer(
        each_batch, live, learning_rate=LRS, momentum=[0.0] * len(LRS), weight_decay=DECAYS
    )
    regression.fit(model, [driver])
    live.release()
    ours = model.get_weights()

    model.set_weights(before)
    stock = type(optimizer)(weight_decay=0.0)
    stock.exclude_from_weight_decay(var_names=["bias"])
    model.compile(stock, "mse", run_eagerly=True)

    def at_each(callback, step):
        stock.learning_rate, stock.weight_decay = LRS[step], DECAYS[step]

    regression.fit(model, [each_batch(begin=at_each)])
    for own, stock_weights in zip(ours, model.get_weights(), strict=True):
        np.testing.assert_allclose(own, stock_weights, rtol=1e-5, atol=1e-7)


@pytest.mark.skipif(not hasattr(keras.optimizers, "Muon"), reason="an older Keras")
def test_both_decays_of_muon_are_steered_as_one(regression):
    model = regression.model("sgd")
    optimizer = optimizers.adapted(load("muon"), model, momentum=0.9, nesterov=True, decoupled=True)
    assert (optimizer.weight_decay, optimizer.adam_weight_decay) == (0, 0)
    assert (optimizer.momentum, optimizer.adam_beta_1) == (0.9, 0.9)
    model.compile(optimizer, "mse")
    live = steered(model, ["weight_decay"])
    live.assign({"weight_decay": 0.25})
    assert [float(optimizer.weight_decay), float(optimizer.adam_weight_decay)] == [0.25] * 2
    live.release()
    assert (optimizer.weight_decay, optimizer.adam_weight_decay) == (0, 0)


class Forgetful(keras.optimizers.SGD):
    def __init__(self, *, strength):
        super().__init__(strength)


def test_an_optimizer_that_cannot_be_made_anew_is_refused(regression):
    options = {"momentum": 0.9, "nesterov": False, "decoupled": False}
    with pytest.raises(OptimizerError, match="Forgetful can't be made anew from its get_config, "):
        optimizers.adapted(Forgetful(strength=0.1), regression.model("sgd"), **options)


# --- gradient norms -----------------------------------------------------------------------------


def norms_into(norms, gradient_norm, each_batch):
    """Return a callback that takes the norm of each step."""
    touch = "model"  # on JAX, brings the variables up to date

    def take(callback, _):
        getattr(callback, touch)
        norms.append(gradient_norm.take())

    return each_batch(end=take)


@pytest.mark.samples(1)
@every_backend
@pytest.mark.parametrize("mode", ["graph", "xla", "eager"])
def test_the_norm_is_of_the_data_gradient_before_clipping_and_without_l2(
    regression, each_batch, mode
):
    if mode == "xla" and keras.backend.backend() == "torch":
        pytest.skip("torch compiles by other means")
    optimizer = keras.optimizers.SGD(0.1, momentum=0.5, clipvalue=0.2)
    model = regression.model(optimizer, **MODES[mode])
    live, norms = LiveHyperparameters(model, ["learning_rate", "momentum", "l2"]), []
    gradient_norm = GradientNorm(model)
    model.make_train_function(force=True)
    driver = steer(each_batch, live, learning_rate=LRS, momentum=MOMENTA, l2=DECAYS)
    regression.fit(model, [driver, norms_into(norms, gradient_norm, each_batch)])
    gradient_norm.release()
    live.release()

    reference = regression.reference("sgd").train(LRS, MOMENTA, l2=DECAYS, clipvalue=0.2)
    np.testing.assert_allclose(norms, reference.norms, rtol=1e-5)
    assert min(norms) > 1 > 0.2 * np.sqrt(10)  # the longest that ten clipped numbers can be
    assert reference.error(model) < 1e-6


@every_backend
def test_a_step_that_loss_scaling_leaves_out_has_no_norm(regression, each_batch):
    optimizer = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=1e38)
    model = regression.model(optimizer, auto_scale_loss=False)
    live, norms = LiveHyperparameters(model, ["learning_rate"]), []
    gradient_norm = GradientNorm(model)
    model.make_train_function(force=True)
    regression.y *= 1e3
    regression.fit(model, [norms_into(norms, gradient_norm, each_batch)])
    live.release()

    left_out = int(np.isnan(norms).sum())
    assert 0 < left_out < len(norms)
    assert int(model.optimizer.iterations) == len(norms) - left_out
    first = int(np.flatnonzero(np.isfinite(norms))[0])
    reference = regression.reference("sgd").train([0.0] * (first + 1), [0.0] * (first + 1))
    assert norms[first] == pytest.approx(reference.norms[first], rel=1e-4)


@every_backend
def test_a_released_optimizer_measures_no_more(regression):
    model = regression.model(keras.optimizers.SGD(0.1))
    regression.fit(model, epochs=1)
    attributes, variables = set(vars(model.optimizer)), len(model.optimizer.variables)
    gradient_norm = GradientNorm(model)
    assert len(model.optimizer.variables) == variables + 1
    gradient_norm.release()
    assert set(vars(model.optimizer)) == attributes
    assert len(model.optimizer.variables) == variables
