from types import SimpleNamespace

import keras
import numpy as np
import pytest

from onecycle_cli import OneCycleLR
from onecycle_cli.engine.steering.layer_rates import by_variable
from onecycle_cli.errors import OptimizerError

every_backend = pytest.mark.every_backend

OPTIMIZERS = {
    "sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.5, weight_decay=0.1),
    "nesterov": lambda: keras.optimizers.SGD(0.05, 0.5, nesterov=True),
    "rmsprop": lambda: keras.optimizers.RMSprop(0.05, momentum=0.5),
    "adam": lambda: keras.optimizers.Adam(0.05),
    "adamw": lambda: keras.optimizers.AdamW(0.05, weight_decay=0.2),
    "nadam": lambda: keras.optimizers.Nadam(0.05, weight_decay=0.2),
    "adamax": lambda: keras.optimizers.Adamax(0.05),
    "lion": lambda: keras.optimizers.Lion(0.05),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.05, 0.5)),
    "accumulating": lambda: keras.optimizers.SGD(
        0.05, 0.5, weight_decay=0.1, gradient_accumulation_steps=2
    ),
    "lamb": lambda: keras.optimizers.Lamb(0.05),
}
MODES = {
    "graph": {"jit_compile": False},
    "xla": {"jit_compile": True},
    "eager": {"run_eagerly": True},
    "several": {"jit_compile": False, "steps_per_execution": 3},
}


def two_parts(regression, optimizer, **arguments):
    """Return two equal regressions that share nothing but their optimizer."""
    inputs = keras.Input((4,))
    parts = [keras.layers.Dense(2, name=name)(inputs) for name in ("slow", "fast")]
    model = keras.Model(inputs, keras.layers.Concatenate()(parts))
    model.set_weights([*regression.weights, *regression.weights])
    model.compile(optimizer, lambda y, p: keras.ops.mean((y - p) ** 2, axis=-1), **arguments)
    return model


def fit(regression, model, callback):
    y = np.concatenate([regression.y, regression.y], axis=1)
    model.fit(
        *(regression.x, y), batch_size=8, epochs=1, shuffle=False, verbose=0, callbacks=[callback]
    )


def cycle(max_lr, **more):
    return OneCycleLR(
        max_lr=max_lr, maximum_momentum=0.9, minimum_momentum=0.3, verbose=False, **more
    )


def trained(regression, rule, max_lr, mode="graph", **more):
    model = two_parts(regression, OPTIMIZERS[rule](), **MODES[mode])
    fit(regression, model, cycle(max_lr, **more))
    weights = model.get_weights()
    return weights[:2], weights[2:], model


@pytest.mark.samples(2)
@pytest.mark.parametrize(
    ("rule", "mode"),
    [
        *(pytest.param(rule, "eager", marks=every_backend) for rule in OPTIMIZERS),
        *((rule, "graph") for rule in ("sgd", "adamw", "nadam", "scaled", "accumulating")),
        *(("sgd", mode) for mode in ("xla", "several")),
    ],
)
def test_a_group_is_trained_as_if_alone_at_its_own_rate(regression, rule, mode):
    """Each half's weights are those of a whole training at that half's rate, decay included."""
    slow, fast, _ = trained(regression, rule, 0.08, mode, layer_rates={"slow": 0.25})
    at_quarter, *_ = trained(regression, rule, 0.02, mode)
    at_whole, *_ = trained(regression, rule, 0.08, mode)
    for ours, theirs in ((slow, at_quarter), (fast, at_whole)):
        for mine, other in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(mine, other, rtol=2e-5, atol=2e-6)
    assert max(np.abs(a - b).max() for a, b in zip(slow, fast, strict=True)) > 1e-3


@every_backend
def test_against_numpy(regression):
    """By the name of the variable: the bias at a tenth of the rate, the kernel at the whole."""
    model = regression.model(keras.optimizers.SGD(0.05, 0.5))
    callback = cycle(0.08, layer_rates={"bias": 0.1})
    regression.fit(model, [callback])
    lrs, momenta = (np.array(callback.history[name]) for name in ("lr", "momentum"))
    expected = regression.reference("sgd").train(lrs, momenta).weights[0]
    slots, tenth = regression.reference("sgd"), regression.reference("sgd")
    rule = slots.rule
    tenth.rule = lambda s, g, lr, m, t: rule(s, g, 0.1 * lr if g.ndim == 1 else lr, m, t)
    tenth.train(lrs, momenta)
    assert tenth.error(model) < 1e-6
    assert np.abs(expected - model.get_weights()[0]).max() > 1e-3


@every_backend
def test_zero_freezes(regression):
    slow, _, _ = trained(regression, "adamw", 0.08, "eager", layer_rates={"slow*": 0})
    for ours, before in zip(slow, regression.weights, strict=True):
        np.testing.assert_array_equal(ours, before)


def test_afterwards_all_layers_have_one_rate_again(regression):
    _, _, model = trained(regression, "sgd", 0.08, layer_rates={"slow": 0.25})
    model.set_weights([*regression.weights, *regression.weights])
    for slot in model.optimizer.momentums:
        slot.assign(keras.ops.zeros(slot.shape))
    fit(regression, model, cycle(0.08))
    slow, fast = model.get_weights()[:2], model.get_weights()[2:]
    for ours, theirs in zip(slow, fast, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    assert not {"update_step", "_apply_weight_decay"} & set(vars(model.optimizer))


def test_a_pattern_that_fits_nothing_is_refused_and_leaves_a_stock_model(regression):
    model = two_parts(regression, OPTIMIZERS["sgd"]())
    with pytest.raises(OptimizerError, match="no trainable layer fits 'slwo'; did you mean 'slow'"):
        fit(regression, model, cycle(0.08, layer_rates={"slwo": 0.1}))
    assert model.optimizer.momentum == 0.5
    assert "compute_loss" not in vars(model)


@pytest.mark.parametrize("factor", [-1, float("nan"), float("inf")])
def test_a_factor_out_of_range_is_refused(factor):
    with pytest.raises(ValueError, match=r"layer_rates must be at least 0; got .* for 'conv\*'"):
        cycle(0.08, layer_rates={"conv*": factor})


PATHS = ["net/conv1/kernel", "net/conv1/bias", "net/conv10/kernel", "block/conv1_bn/gamma", "w"]


@pytest.mark.parametrize(
    ("pattern", "fitting"),
    [
        ("conv1", [0, 1]),
        ("conv1*", [0, 1, 2, 3]),
        ("conv1/bias", [1]),
        ("*/bias", [1]),
        ("net/*", [0, 1, 2]),
        ("net", [0, 1, 2]),
        ("*_bn", [3]),
        ("gamma", [3]),
        ("w", [4]),
        ("[ac]onv?", [0, 1]),
        ("*", [0, 1, 2, 3, 4]),
    ],
)
def test_what_a_pattern_fits(pattern, fitting):
    variables = [SimpleNamespace(path=path) for path in PATHS]
    found = by_variable(variables, {pattern: 0.5})
    assert [PATHS.index(v.path) for v, _ in found] == fitting


def test_the_first_pattern_that_fits_counts():
    variables = [SimpleNamespace(path=path) for path in PATHS]
    found = by_variable(variables, {"conv1": 0.1, "conv1*": 0.5, "*": 2})
    assert [factor for _, factor in found] == [0.1, 0.1, 0.5, 0.5, 2]
    with pytest.raises(OptimizerError, match="all that 'conv1' fits is taken by patterns before"):
        by_variable(variables, {"conv1*": 0.5, "conv1": 0.1})
