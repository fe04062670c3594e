import re
from pathlib import Path

import keras
import numpy as np
import pytest

from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError, DataError, ModelError
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.bench import Workbench

SOFTMAX = 'keras.layers.Dense(num_outputs, activation="softmax")'
BODY = """
x = keras.Input(input_shape)
return keras.Model(x, {head}(keras.layers.Flatten()(x)))
"""


@pytest.fixture
def bench():
    """Set up a workbench, and close it in the end."""
    open_ones = []

    def set_up(config):
        open_ones.append(Workbench(load_config(config), Observer()))
        return open_ones[-1]

    yield set_up
    for each in open_ones:
        each.close()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("raise ValueError('too wide')", "failed to build: ValueError: too wide .*line 5"),
        ("import nowhere", "failed to build: ModuleNotFoundError"),
        ("return 3", "must be a keras.Model; its function returned an object of type int"),
        (
            BODY.format(head="keras.layers.Dense(7)"),
            re.escape("must have outputs of shape (None, 10); it has (None, 7)"),
        ),
        (
            BODY.format(head="keras.layers.Dense(num_outputs)"),
            r"must end in probabilities, .* end it with a softmax, or set loss: .*from_logits",
        ),
        (
            BODY.format(head='keras.layers.Dense(num_outputs, activation="sigmoid")'),
            "must end in probabilities, .* add up to",
        ),
    ],
)
def test_a_model_that_does_not_fit(bench, small, user_model, body, error):
    with pytest.raises(ModelError, match=error):
        bench(small() | {"model": user_model(body)})


def test_logits_are_fine_where_they_are_said(bench, small, user_model):
    logits = user_model(BODY.format(head="keras.layers.Dense(num_outputs)"), name="logits")
    loss = {"name": "auto", "from_logits": True}
    from_logits = bench(small(loss=loss) | {"model": logits}).examine("validation")

    probabilities = user_model(BODY.format(head=SOFTMAX), name="probabilities")
    with pytest.raises(ModelError, match="its outputs are probabilities already"):
        bench(small(loss=loss) | {"model": probabilities})
    plain = bench(small() | {"model": probabilities}).examine("validation")

    np.testing.assert_allclose(from_logits.losses, plain.losses, rtol=1e-4)
    assert from_logits.accuracy == plain.accuracy


def test_models_of_ours_end_as_the_loss_needs_it(bench, small):
    ends = []
    for loss in ({"name": "auto"}, {"name": "auto", "from_logits": True}):
        ends.append(bench(small(loss=loss)).model.layers[-1].activation.__name__)
    assert ends == ["softmax", "linear"]


def test_a_loss_that_does_not_fit_the_targets(bench, small, arrays, linear):
    with pytest.raises(ConfigError, match=r"loss mse needs numbers as .*digits has class labels"):
        bench(small(loss="mse"))
    with pytest.raises(ConfigError, match="task multilabel needs zeros and ones for several"):
        bench(small(task="multilabel"))
    with pytest.raises(ConfigError, match=r"needs labels of two classes or zeros .*has class lab"):
        bench(small(loss="binary_crossentropy"))
    config = small(batch_size=8, dataset=arrays, loss="sparse_categorical_crossentropy")
    with pytest.raises(DataError, match="or one-hot rows for task: multiclass, got float32"):
        bench(config | {"model": linear})


@pytest.fixture
def targets(tmp_path):
    """Write 60 examples with certain targets; return their section."""

    def write(y):
        x = np.random.default_rng(2).normal(size=(60, 4)).astype(np.float32)
        np.savez(tmp_path / "mine.npz", x_train=x, y_train=y)
        return {"name": "arrays", "path": str(tmp_path / "mine.npz"), "limit": None}

    return write


LABELS = np.arange(60) % 3


@pytest.mark.samples(2)
@pytest.mark.parametrize(
    ("y", "what"),
    [
        (LABELS.astype(float), "whole numbers of 3 values"),
        (np.eye(3)[LABELS] * 0.7 + 0.1, "probabilities"),
    ],
)
def test_classes_as_floats_are_a_regression_only_if_asked_for(
    bench, small, linear, targets, y, what
):
    config = small(batch_size=8, dataset=targets(y)) | {"model": linear}
    with pytest.raises(DataError, match=rf"mine\.npz: the targets are .*{what}"):
        bench(config)
    for asked in ({"loss": "mse"}, {"loss": "mae"}, {"task": "regression"}):
        made = bench(config | asked)
        assert made.objective.task == "regression"
        assert made.loss_name == asked.get("loss", "mse")


@pytest.mark.parametrize(
    "y", [LABELS, LABELS[:, None].astype(np.uint8), LABELS == 1, np.eye(3)[LABELS]]
)
def test_integers_truth_values_and_one_hot_rows_are_classes(bench, small, targets, y):
    found = bench(small(batch_size=8, dataset=targets(y)))
    assert found.loss_name == "sparse_categorical_crossentropy"
    labels = y.argmax(axis=1) if y.shape == (60, 3) else y.reshape(60).astype(int)
    assert found.dataset.y.tolist() == labels.tolist()


def test_a_batch_larger_than_the_data(bench, small):
    with pytest.raises(DataError, match="batch_size must be at most the 360 training examples"):
        bench(small(batch_size=1000))


def test_a_limit_beyond_the_data_is_noted(bench, small, listener):
    Workbench(load_config(small(dataset={"limit": 5000})), listener).close()
    assert listener.warnings == ["dataset.limit is 5000: all 1617 training examples are used."]


def test_rewinding_brings_everything_back(bench, small, state_of):
    bench = bench(small(model={"options": {"hidden": 8, "layers": 1, "dropout": 0.5}}))
    start = state_of(bench.model)
    first_of = {}
    for replicate in (1, 0, 1, 0):
        bench.rewind(replicate)
        now = state_of(bench.model)
        known = first_of.setdefault(replicate, now)
        assert all(np.array_equal(a, b) for a, b in zip(known, now, strict=True))
        bench.train(4, [], replicate=replicate)
    assert all(np.array_equal(a, b) for a, b in zip(first_of[0], start, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first_of[1], start, strict=True))


SEEDED = """
keras.utils.set_random_seed(1)
x = keras.Input(input_shape)
h = keras.layers.Flatten()(x)
return keras.Model(x, keras.layers.Dense(num_outputs, "softmax"{})(h))
"""


@pytest.mark.samples(1)
@pytest.mark.parametrize(
    ("settings", "starts"),
    [("", 3), (", kernel_initializer=keras.initializers.HeNormal(3)", 3),
     (", kernel_initializer='zeros'", 1)],
)  # fmt: skip
def test_replicates_of_a_model_that_sets_seeds(small, user_model, listener, settings, starts):
    """They start from weights of their own, or it is said that they do not."""
    model = user_model(SEEDED.format(settings))
    bench = Workbench(load_config(small() | {"model": model}), listener)
    first = {}
    for replicate in (0, 1, 2, 1, 0):
        bench.rewind(replicate)
        kernel = np.array(bench.model.layers[-1].kernel)
        np.testing.assert_array_equal(first.setdefault(replicate, kernel), kernel)
    assert len({kernel.tobytes() for kernel in first.values()}) == starts
    alike = [w for w in bench.caveats if "starts every replicate from the same weights" in w]
    assert len(alike) == (starts == 1)
    assert listener.warnings == bench.caveats
    bench.close()


def test_a_model_that_is_the_same_object_each_time(small, user_model, bench, monkeypatch):
    """Its replicates are told apart all the same."""
    body = SEEDED.format("").replace("return keras.Model(", "model = keras.Model(")
    body += """
import sys
holder = sys.modules["keras"]
holder._kept_by_a_test = getattr(holder, "_kept_by_a_test", model)
return holder._kept_by_a_test
"""
    monkeypatch.setattr(keras, "_kept_by_a_test", None, raising=False)
    monkeypatch.delattr(keras, "_kept_by_a_test")
    shared = bench(small() | {"model": user_model(body)})
    first = {}
    for replicate in (0, 1, 2, 1, 0):
        shared.rewind(replicate)
        kernel = np.array(shared.model.layers[-1].kernel)
        np.testing.assert_array_equal(first.setdefault(replicate, kernel), kernel)
    del keras._kept_by_a_test
    assert len({kernel.tobytes() for kernel in first.values()}) == 3
    assert shared.caveats == []


def test_replicates_are_compared_for_a_result_whose_runs_were_recalled(small, user_model, bench):
    """Nothing has been rewound then."""
    alike = user_model(SEEDED.format(", kernel_initializer='zeros'"))
    alike, apart = bench(small() | {"model": alike}), bench(small())
    assert [len(b.caveats_of(3)) for b in (alike, apart)] == [1, 0]
    assert len(bench(alike.config).caveats_of(1)) == 0


def test_a_function_that_sets_seeds_leaves_ours_alone(small, user_model, bench, state_of):
    """Noise is that of the seed in the config, replicate by replicate."""
    body = SEEDED.replace("Flatten()(x)", "Flatten()(keras.layers.GaussianNoise(0.1)(x))")
    model = user_model(body.format(""))
    noises = set()
    for seed in (0, 1):
        bench_of_seed = bench(small(seed=seed) | {"model": model})
        for replicate in (0, 1):
            bench_of_seed.rewind(replicate)
            noises.add(tuple(np.random.get_state()[1][:4]))
    assert len(noises) == 3


def test_a_network_of_another_shape_each_time_is_refused(small, user_model, bench):
    body = """
    import random
    x = keras.Input(input_shape)
    h = keras.layers.Dense(random.randint(3, 1000))(keras.layers.Flatten()(x))
    return keras.Model(x, keras.layers.Dense(num_outputs, activation="softmax")(h))
    """
    changing = bench(small() | {"model": user_model(body)})
    with pytest.raises(ModelError, match="made another network the next time it was called"):
        changing.rewind(1)


def test_a_closed_bench_leaves_a_stock_optimizer_and_the_callers_precision(small):
    import keras

    bench = Workbench(load_config(small(precision="mixed_bfloat16")), Observer())
    assert keras.config.dtype_policy().name == "float32"
    assert bench.model.layers[2].compute_dtype == "bfloat16"
    bench.close()
    bench.close()

    assert isinstance(bench.model.optimizer.momentum, float)
    assert type(bench.model.optimizer) is keras.optimizers.SGD


def test_an_examination_is_made_of_every_example(bench, small):
    bench = bench(small(batch_size=7))
    dataset = bench.dataset
    found = bench.examine("validation")

    inputs = dataset.normalise(dataset.x[dataset.validation])
    labels = dataset.y[dataset.validation]
    outputs = np.asarray(bench.model(inputs))
    expected = -np.log(outputs[np.arange(len(labels)), labels])
    np.testing.assert_allclose(found.losses, expected, rtol=1e-4)
    assert found.loss == found.losses.mean()
    assert found.accuracy == (outputs.argmax(1) == labels).mean()


def test_xla_is_for_those_who_ask(bench, small):
    assert bench(small()).model.jit_compile is False
    assert bench(small(jit_compile=True)).model.jit_compile is True
    assert bench(small(jit_compile=False)).model.jit_compile is False


ADAPTING = """
layer = keras.layers.Dense(num_outputs, activation="softmax", name="last")
x = keras.Input(input_shape)
return keras.Model(x, layer(keras.layers.Flatten()(x)))

def adapt(model, images):
    bias = model.get_layer("last").bias
    shares = [len(images), images.mean(), images.std()]
    bias.assign(shares + [model.get_layer("last").kernel.numpy().sum()] * 7)
"""


def test_a_model_adapts_to_training_images_in_every_replicate(bench, small, user_model):
    model = user_model(ADAPTING)
    path = Path(model["name"].partition(":")[0])
    path.write_text(path.read_text().replace("    def adapt", "def adapt"))
    bench = bench(small() | {"model": model})
    pool = bench.dataset.normalise(bench.dataset.x[bench.dataset.train])
    adapted = {}
    for replicate in (0, 1, 0, 1):
        bench.rewind(replicate)
        kernel, bias = (np.array(w) for w in bench.model.get_layer("last").weights)
        expected = [len(pool), pool.mean(), pool.std(), *[kernel.sum()] * 7]
        np.testing.assert_allclose(bias, expected, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(adapted.setdefault(replicate, bias), bias)
        bench.train(2, [], replicate=replicate)
    assert not np.array_equal(adapted[0], adapted[1])


def test_labels_are_smoothed_in_training_only(bench, small, user_model):
    model = user_model(BODY.format(head=SOFTMAX))
    plain = bench(small() | {"model": model})
    smooth = bench(small(train={"label_smoothing": 0.2}) | {"model": model})
    probabilities, labels = first_batch_of(smooth)
    logs = np.log(probabilities)
    targets = 0.8 * np.eye(10)[labels] + 0.2 / 10

    smooth.train(1, [])
    recorded = smooth._instruments.batch_loss
    assert recorded == pytest.approx(-(targets * logs).sum(1).mean(), rel=1e-4)
    plain.train(1, [])
    right = logs[np.arange(len(labels)), labels]
    assert plain._instruments.batch_loss == pytest.approx(-right.mean(), rel=1e-4)

    smooth.rewind(), plain.rewind()
    examined = smooth.examine("validation").losses, plain.examine("validation").losses
    np.testing.assert_array_equal(*examined)


def first_batch_of(bench):
    from onecycle_cli.data import batch

    x, labels = batch(bench.dataset, seed=0, epoch=0, step=0, batch_size=64)
    return np.asarray(bench.model(x), np.float64), labels


def test_chance_is_that_of_the_loss_trained_on(bench, small):
    smooth, plain = bench(small(train={"label_smoothing": 0.2})), bench(small())
    shares = np.bincount(plain.dataset.y[plain.dataset.train]) / len(plain.dataset.train)
    smoothed = 0.8 * shares + 0.2 / 10
    assert plain.chance == pytest.approx(-(shares * np.log(shares)).sum())
    assert smooth.chance == pytest.approx(-(smoothed * np.log(smoothed)).sum())


@pytest.mark.parametrize("part", ["validation", "test"])
def test_flipped_images_have_a_say_in_an_evaluation(bench, small, part):
    bench = bench(small(train={"flip_evaluation": True}))
    dataset = bench.dataset
    x, labels = dataset.x[dataset.validation], dataset.y[dataset.validation]
    if part == "test":
        x, labels = dataset.test()
    straight, mirrored = (np.asarray(bench.model(dataset.normalise(i))) for i in (x, x[:, :, ::-1]))
    outputs = (straight + mirrored) / 2

    found = bench.examine(part)
    expected = -np.log(outputs[np.arange(len(labels)), labels])
    np.testing.assert_allclose(found.losses, expected, rtol=1e-4)
    assert found.accuracy == (outputs.argmax(1) == labels).mean()


def test_options_that_do_not_fit_the_data(bench, small, arrays, linear):
    regression = small(batch_size=8, dataset=arrays) | {"model": linear}
    with pytest.raises(ConfigError, match="label_smoothing needs class labels, and arrays has num"):
        bench(regression | {"train": {"label_smoothing": 0.1}})
    with pytest.raises(ConfigError, match=r"flip_evaluation needs images, .* the shape \(4,\)"):
        bench(regression | {"train": {"flip_evaluation": True}})


POOLED = """
x = keras.Input(input_shape)
h = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 1, activation="relu")(x))
return keras.Model(x, keras.layers.Dense(num_outputs, activation="softmax")(h))
"""


def test_training_on_small_images_is_what_anybody_would_compute(bench, small, user_model):
    """In graph mode, with one training step for images of all sizes."""
    import keras

    from onecycle_cli.data import Resize, batch
    from onecycle_cli.data.batches.resize import shrink

    plan = [{"until": 0.5, "size": 4}]
    bench = bench(small(train={"resize": plan}) | {"model": user_model(POOLED)})
    assert bench.model.input_shape == (None, None, None, 1)
    twin = keras.models.clone_model(bench.model)
    twin.set_weights(bench.model.get_weights())
    twin.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", run_eagerly=True)
    bench.assign({"learning_rate": 0.1, "momentum": 0.0})
    bench.train(4, [], resize=Resize((2,), (4,)))
    for step in range(4):
        x, y = batch(bench.dataset, seed=0, epoch=0, step=step, batch_size=64)
        twin.train_on_batch(shrink(x, 4) if step < 2 else x, y)
    for ours, theirs in zip(bench.model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6)
    bench.examine("validation")


def test_a_network_for_one_size_only_is_refused(bench, small):
    with pytest.raises(ModelError, match=r"train\.resize needs a network that takes images of any"):
        bench(small(train={"resize": [{"until": 0.5, "size": 4}]}))
    with pytest.raises(DataError, match="must be at most the images' 8 pixels, got 16"):
        bench(small(train={"resize": [{"until": 0.5, "size": 16}]}))


def test_batch_normalization_is_fused_while_the_bench_is_open(bench, small, user_model):
    """And not where it is switched off, nor after."""
    body = """
    x = keras.Input(input_shape)
    y = keras.layers.BatchNormalization()(x)
    y = keras.layers.Dense(num_outputs, activation="softmax")(keras.layers.Flatten()(y))
    return keras.Model(x, y)
    """
    config = small() | {"model": user_model(body)}
    fused, stock = bench(config), bench(config | {"fused_batch_norm": False})
    on_tensorflow = keras.backend.backend() == "tensorflow"
    assert fused.fusion.is_on is on_tensorflow
    assert not stock.fusion.is_on
    assert [_is_fused(b) for b in (fused, stock)] == [on_tensorflow, False]
    fused.close()
    assert not _is_fused(fused)


def test_filter_gradients_are_convolved_while_the_bench_is_open(bench, small, user_model):
    """In bfloat16 on TensorFlow; not in float32, and not afterwards."""
    body = """
    x = keras.Input(input_shape)
    y = keras.layers.Reshape((4, 4, -1))(keras.layers.Flatten()(x))
    y = keras.layers.Conv2D(2, 3, use_bias=False)(y)
    y = keras.layers.Dense(num_outputs, activation="softmax")(keras.layers.Flatten()(y))
    return keras.Model(x, y)
    """
    config = small() | {"model": user_model(body), "jit_compile": False}
    ours = bench(config | {"precision": "mixed_bfloat16"})
    on_tensorflow = keras.backend.backend() == "tensorflow"
    assert len(ours.convolved.layers) == on_tensorflow
    assert _is_convolved(ours) == on_tensorflow
    assert not _is_convolved(bench(config))
    ours.close()
    assert not _is_convolved(ours)


def _is_convolved(bench):
    return any("convolution_op" in vars(layer) for layer in bench.model.layers)


def _is_fused(bench):
    return any("call" in vars(layer) for layer in bench.model.layers)


def test_a_hyperparameter_that_the_optimizer_has_not_is_refused_with_its_place(small):
    config = small(train={"also": {"beta_2": 0.9}})
    with pytest.raises(ConfigError, match=r"train.also: SGD has no 'beta_2' to schedule; the"):
        Workbench(load_config(config), Observer())


def test_a_rate_for_layers_that_there_are_not_is_refused_with_its_place(small):
    config = small(train={"layer_rates": {"hidden_9": 0.1}})
    with pytest.raises(ConfigError, match=r"train.layer_rates: no trainable layer fits 'hidden_9'"):
        Workbench(load_config(config), Observer())
