"""What holds on several devices; `test_together.py` runs this under each backend.

The processor passes for four devices, and trainings of this process take one, two or four of them.
"""

import functools
import json
import os
import signal
import textwrap

import numpy as np
import pytest

from onecycle_cli.engine.devices.present import names_of_devices, split_processor

split_processor(4)

import keras  # noqa: E402

from onecycle_cli import OneCycleLR  # noqa: E402
from onecycle_cli.config import load_config  # noqa: E402
from onecycle_cli.data.batches.pipeline import for_fit  # noqa: E402
from onecycle_cli.engine.devices.data_parallel import data_parallel, in_use  # noqa: E402
from onecycle_cli.engine.instruments import Instruments  # noqa: E402
from onecycle_cli.engine.state.snapshot import Snapshot  # noqa: E402
from onecycle_cli.engine.state.variables import variables_of  # noqa: E402
from onecycle_cli.errors import ConfigError  # noqa: E402
from onecycle_cli.experiments.find_lr import find_lr  # noqa: E402
from onecycle_cli.experiments.recipe.run import run  # noqa: E402
from onecycle_cli.experiments.session import workbench  # noqa: E402
from onecycle_cli.experiments.train import train  # noqa: E402
from onecycle_cli.observer import Observer  # noqa: E402
from onecycle_cli.training.interrupts import Terminated  # noqa: E402

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
MODELS = """
    import keras
    import numpy as np

    def plain(input_shape, num_classes):
        return network(input_shape, num_classes, [])

    def normalised(input_shape, num_classes):
        return network(input_shape, num_classes, [keras.layers.BatchNormalization()])

    def noisy(input_shape, num_classes):
        layers = [keras.layers.BatchNormalization(), keras.layers.Dropout(0.3)]
        return network(input_shape, num_classes, layers)

    def network(input_shape, num_classes, layers):
        return keras.Sequential([
            keras.Input(input_shape),
            keras.layers.Conv2D(6, 3),
            *layers,
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dense(num_classes, activation="softmax"),
        ])

    def clipping():
        return keras.optimizers.SGD(clipnorm=1.0)

    def own_loss(input_shape, num_outputs):
        model = keras.Sequential([keras.Input(input_shape), keras.layers.Dense(num_outputs)])
        model.compile(keras.optimizers.SGD(0.1), "log_cosh", metrics=["mae"], jit_compile=JIT)
        return model

    class Pipeline:
        def __len__(self):
            return 6

        def __iter__(self):
            random = np.random.default_rng(0)
            x = random.normal(size=(46, 4)).astype("float32")
            y = (x @ random.normal(size=(4, 2))).astype("float32")
            for first in range(0, 46, 8):
                yield x[first : first + 8], y[first : first + 8]

    def pipeline():
        return {"train": Pipeline(), "validation": Pipeline()}
"""


@pytest.fixture(scope="module")
def named(tmp_path_factory):
    """Return how a configuration names a function of `MODELS`."""
    path = tmp_path_factory.mktemp("models") / "models.py"
    path.write_text(textwrap.dedent(MODELS).replace("JIT", repr(not ON_TENSORFLOW)))
    return lambda name: {"name": f"{path}:{name}", "options": {}}


@pytest.fixture(scope="module")
def config(named):
    """Return a training of 359 digits by 48: eight steps an epoch, of which the last has 23."""

    def made(devices, model="plain", **sections):
        train = {"cycles": [{"epochs": 2}], "max_lr": 0.1, "weight_decay": 1e-3}
        train |= {"log_grad_norm": True} | sections.pop("train", {})
        return {
            "name": "small",
            "batch_size": 48,
            "devices": devices,
            "dataset": {"name": "digits", "limit": 399},
            "model": named(model),
            "train": train,
            **sections,
        }

    return made


@pytest.fixture(scope="module")
def trained(config, tmp_path_factory):
    """Return the training of a model by so many devices, which is run once."""

    @functools.cache
    def result(devices, model="plain"):
        return train(config(devices, model), out=tmp_path_factory.mktemp("trained"))

    return result


def weights_in(folder):
    return keras.models.load_model(folder / "model.keras").get_weights()


def weights_of(result):
    return weights_in(result.folder)


def assert_same_weights(weights, others, tolerance):
    for ours, theirs in zip(weights, others, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)


def assert_weights_agree(result, other, tolerance):
    assert_same_weights(weights_of(result), weights_of(other), tolerance)


def test_the_training_is_that_of_one_device(trained, table):
    one = trained(1)
    alone = table(one.folder / "steps.csv")
    assert alone["epoch"].tolist() == [1] * 8 + [2] * 8
    assert json.loads((one.folder / "manifest.json").read_text())["devices"] == 1
    for devices in (2, 4):
        several = trained(devices)
        together = table(several.folder / "steps.csv")
        assert list(alone) == list(together)
        for name, values in alone.items():
            np.testing.assert_allclose(together[name], values, rtol=2e-5, err_msg=name)
        assert_weights_agree(several, one, 2e-6)
        np.testing.assert_allclose(several.test_loss, one.test_loss, rtol=2e-5)
        assert load_config(several.folder / "config.yaml").devices == devices
        assert json.loads((several.folder / "manifest.json").read_text())["devices"] == devices


class Fed:
    """The batches of a `Regression`, the last one of 2 in each epoch of 7."""

    def __init__(self, regression, steps):
        self._regression, self._steps = regression, steps

    def __iter__(self):
        yield from self._regression.batches(self._steps)


def copies(variable):
    """Return the value of a variable on each device."""
    if ON_TENSORFLOW:
        return [np.array(value) for value in variable.value.values]
    return [np.array(shard.data) for shard in variable.value.addressable_shards]


@pytest.mark.parametrize(("rule", "devices"), [("nesterov", 2), ("nesterov", 4), ("adam", 2)])
def test_momentum_and_l2_act_on_every_device(rule, devices, regression, each_batch):
    make = {
        "nesterov": lambda: keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        "adam": lambda: keras.optimizers.Adam(0.1),
    }[rule]
    with data_parallel(names_of_devices()[:devices]):
        assert in_use() == devices
        model = regression.model(make())
        held = Instruments.attach(model, ["l2"], owner=regression)
        held.assign({"l2": 0.03})
        cycle = OneCycleLR(max_lr=0.05, verbose=False)
        losses = []
        heard = each_batch(end=lambda callback, _: losses.append((callback.model, held.batch_loss)))
        arguments = {"epochs": 3, "steps_per_epoch": 7, "shuffle": False, "verbose": 0}
        model.fit(for_fit(Fed(regression, 21)), callbacks=[cycle, heard], **arguments)
        of_devices = [copies(v) for v in model.trainable_variables]
        names = ("momentums",) if rule == "nesterov" else ("_momentums", "_velocities")
        slots = [[copies(v) for v in getattr(model.optimizer, name)] for name in names]
        held.release(regression)

    expected = regression.reference(rule).train(
        cycle.history["lr"], cycle.history["momentum"], l2=[0.03] * 21
    )
    assert np.ptp(cycle.history["momentum"]) > 0.05
    np.testing.assert_allclose([loss for _, loss in losses], expected.losses, rtol=2e-5)
    for values, weights in zip(of_devices, expected.weights, strict=True):
        assert len(values) == devices
        for value in values:
            np.testing.assert_allclose(value, weights, rtol=0, atol=1e-5)
    for name, found in zip("v" if rule == "nesterov" else "mv", slots, strict=True):
        for values, kept in zip(found, expected.slots, strict=True):
            assert len(values) == devices
            for value in values:
                np.testing.assert_allclose(value, kept[name], rtol=0, atol=1e-5)


@pytest.mark.parametrize("synchronized", [False, True] if ON_TENSORFLOW else [False])
def test_batch_normalization_sees_the_whole_batch_on_jax_and_a_share_on_tensorflow(synchronized):
    random = np.random.default_rng(0)
    x = (random.normal(size=(8, 3)) + 3 * np.arange(8)[:, None]).astype(np.float32)
    with data_parallel(names_of_devices()[:2]):
        normalise = keras.layers.BatchNormalization(momentum=0.0, synchronized=synchronized)
        model = keras.Sequential([keras.Input((3,)), normalise, keras.layers.Dense(1)])
        model.compile("sgd", "mse", jit_compile=not ON_TENSORFLOW)
        pairs = [(x, np.zeros((8, 1), np.float32))]

        class Once:
            def __iter__(self):
                yield from pairs

        model.fit(for_fit(Once()), steps_per_epoch=1, shuffle=False, verbose=0)
        found = np.array(keras.ops.convert_to_numpy(model.layers[0].moving_variance))
        mean = np.array(keras.ops.convert_to_numpy(model.layers[0].moving_mean))
        of_devices = np.transpose(copies(model.layers[0].moving_mean))
    by_share = ON_TENSORFLOW and not synchronized
    whole, shares = x.var(axis=0), (x[:4].var(axis=0) + x[4:].var(axis=0)) / 2
    assert (whole > 2 * shares).all()
    assert [len(set(values)) for values in of_devices] == [1, 1, 1]
    np.testing.assert_allclose(mean, x.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found, shares if by_share else whole, rtol=1e-4)


@pytest.mark.skipif(ON_TENSORFLOW, reason="the statistics are those of a device's share")
def test_on_jax_noise_and_normalization_are_those_of_one_device(trained):
    assert_weights_agree(trained(2, "noisy"), trained(1, "noisy"), 5e-6)


@pytest.mark.skipif(not ON_TENSORFLOW, reason="the kernel is TensorFlow's")
def test_the_fused_kernel_does_the_same_on_several_devices(config, tmp_path):
    fused, stock = (
        train(config(2, "normalised", fused_batch_norm=way), out=tmp_path / str(way))
        for way in (True, False)
    )
    assert_weights_agree(fused, stock, 1e-4)


def values_of(model):
    return [np.array(keras.ops.convert_to_numpy(v)) for v in variables_of(model)]


def test_a_model_is_rewound_bit_for_bit(config):
    with workbench(load_config(config(2, "noisy")), Observer()) as bench:
        before, state = values_of(bench.model), Snapshot(bench.model).generators
        bench.train(5, [])
        assert any((a != b).any() for a, b in zip(before, values_of(bench.model), strict=True))
        bench.rewind()
        for ours, theirs in zip(values_of(bench.model), before, strict=True):
            np.testing.assert_array_equal(ours, theirs)
        assert Snapshot(bench.model).generators == state
        assert bench.replay["exact"]


def test_a_search_repeats_itself_to_the_same_bits(config, tmp_path, tree):
    made = config(2, "noisy", find_lr={"budget": 1}, train={"cycles": [{"epochs": 6}]})
    first, again = (find_lr(made, out=tmp_path / name) for name in ("first", "again"))
    tables = [path for path in tree(first.folder) if path.endswith(".csv")]
    assert tables
    for path in tables:
        assert (first.folder / path).read_bytes() == (again.folder / path).read_bytes()


def stopped_after(listener, step):
    def stop(now):
        if now == step:
            os.kill(os.getpid(), signal.SIGTERM)

    listener.each_step = stop
    return listener


def test_a_training_that_broke_off_goes_on_to_the_same_bits(config, trained, tmp_path, listener):
    whole = trained(2, "noisy")
    with pytest.raises(Terminated):
        train(config(2, "noisy"), out=tmp_path / "runs", observer=stopped_after(listener, 11))
    resumed = train(resume=tmp_path / "runs/small")
    for name in ("steps.csv", "history.csv"):
        assert (resumed.folder / name).read_bytes() == (whole.folder / name).read_bytes()
    for ours, theirs in zip(weights_of(resumed), weights_of(whole), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_training_goes_on_with_other_devices_that_are_asked_for(
    config, trained, tmp_path, listener
):
    devices = 4
    whole = trained(2)
    with pytest.raises(Terminated):
        train(config(2), out=tmp_path / "runs", observer=stopped_after(listener, 11))
    resumed = train(config(devices), resume=tmp_path / "runs/small", observer=listener)
    assert sum(f"devices 2, now {devices}. It goes on" in text for text in listener.warnings) == 1
    assert_weights_agree(resumed, whole, 2e-6)
    assert load_config(resumed.folder / "config.yaml").devices == devices


@pytest.mark.skipif(ON_TENSORFLOW, reason="it takes long there, and goes the same way")
def test_a_recipe_goes_on_with_other_devices_that_are_asked_for(config, tmp_path, listener):
    skip = ["find-wd", "find-momentum"]
    run(config(2), out=tmp_path / "whole", skip=skip)
    with pytest.raises(Terminated):
        run(config(2), out=tmp_path / "runs", observer=stopped_after(listener, 11), skip=skip)
    run(config(1), resume=tmp_path / "runs/small")
    resumed, before = (tmp_path / name / "small/train/001" for name in ("runs", "whole"))
    assert load_config(resumed / "config.yaml").devices == 1
    assert load_config(before / "config.yaml").devices == 2
    assert_same_weights(weights_in(resumed), weights_in(before), 2e-6)


def test_the_average_of_the_weights_is_that_of_one_device(config, tmp_path):
    one, two = (train(config(n, train={"ema": 0.9}), out=tmp_path / str(n)) for n in (1, 2))
    assert_weights_agree(two, one, 2e-6)


def test_scores_are_exact_where_a_batch_cannot_be_shared(config):
    """The 41 examples of the validation part are scored by 12: the last batch has 5."""
    found = {}
    for devices in (1, 4):
        made = config(devices, batch_size=12, train={"flip_evaluation": True})
        made["dataset"]["limit"] = 409
        with workbench(load_config(made), Observer()) as bench:
            found[devices] = bench.examine("validation")
            assert len(bench.dataset.validation) == 41
    assert len(found[4].losses) == 41
    np.testing.assert_allclose(found[4].losses, found[1].losses, rtol=1e-5)
    np.testing.assert_array_equal(found[4].confusion, found[1].confusion)


def test_a_models_own_loss_and_metrics_are_exact_in_evaluation(named, arrays):
    """15 examples by 8: batches of 8 and of 7."""
    made = {"name": "own", "batch_size": 8, "devices": 4, "dataset": arrays | {"normalise": False}}
    made |= {"model": named("own_loss")}
    with workbench(load_config(made), Observer()) as bench:
        rows = bench.dataset.validation
        x, y = (array[rows].astype(float) for array in (bench.dataset.x, bench.dataset.y))
        errors = x @ bench.model.get_weights()[0] + bench.model.get_weights()[1] - y
        found = bench.examine("validation")
    assert found.counts.tolist() == [8, 7]
    np.testing.assert_allclose(found.loss, np.log(np.cosh(errors)).mean(), rtol=1e-5)
    np.testing.assert_allclose(found.scores["mae"], np.abs(errors).mean(), rtol=1e-5)


def test_a_pipeline_is_shared_too(named, tmp_path, table):
    """46 examples by 8: the last batch has 6, which four devices can't share."""
    runs = []
    for devices in (1, 4):
        made = {"name": "piped", "batch_size": 8, "devices": devices, "model": named("own_loss")}
        made |= {"dataset": {"name": named("pipeline")["name"]}}
        made |= {"train": {"cycles": [{"epochs": 2}], "max_lr": 0.1}}
        runs.append(train(made, out=tmp_path / str(devices)))
    losses = [table(run.folder / "steps.csv")["loss"] for run in runs]
    assert len(losses[0]) == 12
    np.testing.assert_allclose(*losses, rtol=2e-5)
    assert_weights_agree(*runs, 2e-6)
    validated = [[epoch.val_loss for epoch in run.history] for run in runs]
    np.testing.assert_allclose(*validated, rtol=2e-5)


def refusal_of(made, **sections):
    with pytest.raises(ConfigError) as error, workbench(load_config(made | sections), Observer()):
        pass
    return str(error.value)


def test_what_can_not_be_done_is_refused(config, named):
    assert refusal_of(config(5)).startswith("devices must be at most 4, the devices that ")
    assert refusal_of(config(4), batch_size=50) == (
        "batch_size must be divisible by the 4 devices, each of which takes its share of a batch; "
        "got 50; set it to 48 or 52, or devices to 1."
    )
    if ON_TENSORFLOW:
        assert refusal_of(config(2), jit_compile=True).startswith("jit_compile must be auto or ")
        text = refusal_of(config(2), precision="mixed_float16")
        assert text.startswith("precision must not be mixed_float16 with several devices ")
        clipping = named("clipping")["name"]
        text = refusal_of(config(2), optimizer={"name": clipping, "decay": "l2"})
        assert text.startswith("devices must be 1 with clipnorm: ")


def test_several_steps_together_are_refused(config, tmp_path):
    with pytest.raises(ConfigError, match="steps_per_execution must be 1 with "):
        train(config(2, steps_per_execution=2), out=tmp_path)


def test_a_model_in_hand_stays_where_it_is(regression):
    model = regression.model(keras.optimizers.SGD(0.1, momentum=0.9))
    with pytest.raises(ConfigError, match="devices must be 1 for a model in hand"):
        find_lr(model, regression.x, regression.y, out=None, settings={"devices": 2})


def test_nothing_of_it_is_left():
    with data_parallel(names_of_devices()[:2]):
        assert in_use() == 2
        with data_parallel(names_of_devices()):
            assert in_use() == 2  # those that are at work stay
    assert in_use() == 1
    assert keras.distribution.distribution() is None
