import keras
import numpy as np
import pytest
import yaml

from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.find_lr import find_lr
from onecycle_cli.experiments.recipe.run import run
from onecycle_cli.experiments.speed import fusion
from onecycle_cli.experiments.speed.fusion import settle_fusion
from onecycle_cli.experiments.speed.precision import with_precision
from onecycle_cli.experiments.speed.steps import train_a_little
from onecycle_cli.experiments.train import train
from onecycle_cli.observer import Observer

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the fused kernel is TensorFlow's"
)

HARNESS = pytest.mark.harness
NORMALISED = """
x = keras.Input(input_shape)
y = keras.layers.BatchNormalization()(keras.layers.Conv2D(3, 3)(x))
y = keras.layers.Dense(num_outputs, activation="softmax")(keras.layers.Flatten()(y))
return keras.Model(x, y)
"""
FLAT = """
x = keras.Input(input_shape)
y = keras.layers.BatchNormalization()(keras.layers.Flatten()(x))
return keras.Model(x, keras.layers.Dense(num_outputs, activation="softmax")(y))
"""


@pytest.fixture
def config(small, user_model):
    """Return a configuration of a small network with BatchNormalization."""

    def make(body=NORMALISED, **sections):
        return small(**sections) | {"model": user_model(body)}

    return make


@pytest.fixture
def machine(timing):
    """A machine on which a step takes as long as it is told, fused or not; two are really taken."""

    def make(fused, stock, **share):
        def told(bench):
            assert is_fused(bench) == bench.fusion.is_on
            train_a_little(bench, 2)
            way = bench.config.precision, bench.fusion.is_on
            return way, fused if bench.fusion.is_on else stock

        return timing(told, fusion, **share)

    return make


def is_fused(bench):
    return any("call" in vars(layer) for layer in bench.model.layers)


def are_equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.harness
@pytest.mark.parametrize(
    ("stock", "fused"),
    [(0.29, False), *(pytest.param(n, True, marks=HARNESS) for n in (0.295, 0.3, 0.5))],
)
def test_auto_takes_the_faster_one_and_trains_as_if_it_had_been_fixed(config, machine, bench, trained, listener, stock, fused):  # fmt: skip # noqa: E501
    """And as if nothing had been timed: to the bit."""
    machine(0.3, stock)
    settled = bench(config())
    settle_fusion(settled, listener)
    fixed, other = (bench(config(fused_batch_norm=on)) for on in (fused, not fused))
    assert is_fused(settled) == fused
    weights = trained(settled)
    assert are_equal(weights, trained(fixed))
    assert not are_equal(weights, trained(other))
    assert listener.notes[-1].startswith(f"fused_batch_norm {str(fused).lower()}: the fused kernel")
    assert not listener.warnings


@HARNESS
def test_it_is_timed_once_and_for_each_precision(config, machine, bench, listener):
    timed = machine(0.3, 0.2)
    for precision in ("float32", "float32", "mixed_float16"):
        opened = bench(config(precision=precision))
        settle_fusion(opened, listener)
        assert not is_fused(opened)
    floats = [("float32", True), ("float32", False)]
    assert timed == [*floats, ("mixed_float16", True), ("mixed_float16", False)]
    assert len([n for n in listener.notes if n.startswith("fused_batch_norm false")]) == 3


@HARNESS
def test_what_was_timed_of_the_precision_is_not_timed_again(config, machine, bench):
    timed = machine(0.3, 0.2)
    settled = with_precision(load_config(config(precision="auto")), Observer())
    settle_fusion(bench(settled), Observer())
    assert timed == [("float32", True), ("mixed_bfloat16", True), ("float32", False)]


@pytest.mark.parametrize("epochs", [2, 78])
def test_a_short_training_is_not_worth_a_step(config, machine, bench, listener, epochs):
    """Of 6 steps an epoch: the 33 steps of three timings are 2 % of 3.5 times 79 epochs."""
    timed = machine(0.3, 0.2, share=0.02)
    opened = bench(config(train={"cycles": [{"epochs": epochs}]}))
    settle_fusion(opened, listener)
    assert is_fused(opened)
    assert not timed
    assert not listener.notes


def test_a_step_that_takes_long_to_compile_is_not_compiled_twice_more(config, machine, bench):
    """The fused way, which is compiled already, is timed; that is kept for a longer training."""
    timed = machine(0.3, 0.2, share=0.02)
    for epochs, way in ((79, [True]), (79, [True]), (10**6, [True, False])):
        opened = bench(config(train={"cycles": [{"epochs": epochs}]}))
        opened.replay = {"seconds": 1000.0}
        settle_fusion(opened, Observer())
        assert [on for _, on in timed] == way
        assert is_fused(opened) == (len(way) == 1)


@pytest.mark.parametrize(("body", "asked"), [(FLAT, "auto"), (NORMALISED, False)])
def test_without_anything_to_fuse_nothing_is_timed(config, machine, bench, listener, body, asked):
    timed = machine(0.3, 0.2)
    settle_fusion(bench(config(body, fused_batch_norm=asked)), listener)
    assert not timed
    assert not listener.notes


@pytest.mark.samples(1)
@pytest.mark.parametrize(("stock", "warned"), [(0.1, True), (0.295, False), (0.5, False)])
def test_a_fixed_true_stays_and_is_warned_of_where_it_is_slower(config, machine, bench, listener, stock, warned):  # fmt: skip # noqa: E501
    machine(0.3, stock)
    opened = bench(config(fused_batch_norm=True))
    settle_fusion(opened, listener)
    assert is_fused(opened)
    assert listener.warnings == warned * [
        "the fused kernel is 3 times slower than Keras' own operations here (0.3 against 0.1 "
        "seconds a step); set fused_batch_norm to auto."
    ]


@HARNESS
def test_where_the_other_fails_the_kernel_stays(config, machine, bench, trained, monkeypatch):
    machine(0.3, 0.2)
    seconds = fusion.seconds_of_a_step

    def fails(bench, **more):
        took = seconds(bench, **more)
        if not bench.fusion.is_on:
            raise RuntimeError("of the backend")
        return took

    monkeypatch.setattr(fusion, "seconds_of_a_step", fails)
    opened = bench(config())
    settle_fusion(opened, Observer())
    assert are_equal(trained(opened), trained(bench(config(fused_batch_norm=True))))


@pytest.mark.harness
def test_a_run_is_resumed_as_it_began(config, machine, tmp_path, listener):
    """To the bits of a run without a break, whatever would be chosen by now."""
    machine(0.3, 0.2)

    def stop(now):
        if now == 8:
            raise KeyboardInterrupt

    listener.each_step, listener.steps = stop, 0
    with pytest.raises(KeyboardInterrupt):
        train(config(), out=tmp_path / "broken", observer=listener)
    timed = machine(0.2, 0.3)
    (folder,) = (tmp_path / "broken/small/train").iterdir()
    with pytest.raises(ConfigError, match="fused_batch_norm False, now True"):
        train(config(fused_batch_norm=True), resume=folder)
    resumed = train(config(), resume=folder)
    assert yaml.safe_load((folder / "config.yaml").read_text())["fused_batch_norm"] is False
    unbroken = train(config(fused_batch_norm=False), out=None)
    assert resumed.history == unbroken.history
    assert resumed.test_loss == unbroken.test_loss
    assert not timed


@HARNESS
def test_a_recipe_settles_it_for_all_its_stages(config, machine, tmp_path):
    timed = machine(0.3, 0.2)
    found = run(config(), out=tmp_path)
    assert not found.refused
    written = sorted(tmp_path.glob("small/*/001/config.yaml"))
    assert len(written) == len(found.recipe.stages)
    assert all("fused_batch_norm: false\n" in path.read_text() for path in written)
    assert [on for _, on in timed] == [True, False]


@HARNESS
def test_a_rate_that_was_found_the_other_way_is_taken(config, tmp_path, listener):
    raw = config(train={"max_lr": "auto"}, find_lr={"method": "sweep", "steps": 60})
    found = find_lr(raw | {"fused_batch_norm": True, "jit_compile": True}, out=tmp_path)
    result = train(raw | {"fused_batch_norm": False}, out=tmp_path, observer=listener)
    assert result.values.max_lr == found.suggestion.value
    assert not [text for text in listener.warnings if "max_lr" in text]
