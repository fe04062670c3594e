import keras
import numpy as np
import pytest

from onecycle_cli.engine.kernels.fusion import FusedBatchNormalization
from onecycle_cli.engine.state.snapshot import Snapshot

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the fused kernel is TensorFlow's"
)

TOLERANCE = {"float32": 2e-5, "mixed_bfloat16": 2e-2}


class Scaled(keras.layers.BatchNormalization):
    """Not the stock layer."""


def normaliser(**options):
    return keras.layers.BatchNormalization(momentum=0.6, epsilon=1e-5, **options)


def network(precision="float32", size=6, **options):
    keras.utils.set_random_seed(3)
    layers = keras.layers
    keras.config.set_dtype_policy(precision)
    try:
        inner_input = keras.Input((size, size, 5))
        inner = layers.ReLU()(normaliser(**options)(inner_input))
        inner = keras.Model(inner_input, layers.Conv2D(4, 1)(inner))
        x = keras.Input((size, size, 2))
        y = normaliser(**options)(layers.Conv2D(5, 3, padding="same", use_bias=False)(x))
        y = layers.GlobalAveragePooling2D()(inner(layers.ReLU()(y)))
        model = keras.Model(x, layers.Dense(3, activation="softmax", dtype="float32")(y))
    finally:
        keras.config.set_dtype_policy("float32")
    optimizer = keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True)
    model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=False)
    return model


def batches(count, size=6, examples=8):
    random = np.random.default_rng(1)
    for _ in range(count):
        x = random.normal(3.0, 2.0, size=(examples, size, size, 2)).astype("float32")
        yield x, random.integers(0, 3, examples)


def trained(model, data):
    losses = [float(model.train_on_batch(x, y)) for x, y in data]
    return losses, [np.array(v) for v in model.get_weights()]


def uses_the_kernel(model):
    x, _ = next(batches(1))
    traced = keras.src.backend.tensorflow.trainer.tf.function(lambda x: model(x, training=True))
    names = {op.type for op in traced.get_concrete_function(x).graph.get_operations()}
    return "FusedBatchNormV3" in names or any(
        "FusedBatchNormV3" in {op.type for op in function.graph.get_operations()}
        for function in traced.get_concrete_function(x).graph._functions.values()
    )


@pytest.mark.samples(1)
@pytest.mark.parametrize(
    ("precision", "options"),
    [
        ("float32", {}),
        ("float32", {"axis": 3, "scale": False}),
        ("float32", {"center": False}),
        ("mixed_bfloat16", {}),
    ],
)
def test_it_trains_as_the_stock_layer_does(precision, options):
    """Losses, weights and moving statistics after 20 steps of SGD."""
    stock, fused = network(precision, **options), network(precision, **options)
    assert len(FusedBatchNormalization(fused).layers) == 2
    assert uses_the_kernel(fused)
    assert not uses_the_kernel(stock)
    expected, found = (trained(model, batches(20)) for model in (stock, fused))
    np.testing.assert_allclose(found[0], expected[0], rtol=TOLERANCE[precision])
    for ours, theirs in zip(found[1], expected[1], strict=True):
        scale = np.abs(theirs).max()
        np.testing.assert_allclose(ours, theirs, atol=TOLERANCE[precision] * scale)


def test_the_moving_variance_is_the_biased_one():
    """By hand, where the difference is large: a batch of two pixels."""
    layer = normaliser()
    model = keras.Sequential([keras.Input((1, 1, 1)), layer])
    FusedBatchNormalization(model)
    outputs = model(np.array([1.0, 5.0], "float32").reshape(2, 1, 1, 1), training=True)
    np.testing.assert_allclose(np.ravel(outputs), [-1, 1], rtol=1e-5)
    assert np.ravel(layer.moving_mean)[0] == pytest.approx(0.4 * 3)
    assert np.ravel(layer.moving_variance)[0] == pytest.approx(0.6 + 0.4 * 4)


def test_a_single_value_leaves_the_statistics_finite():
    layer = normaliser()
    model = keras.Sequential([keras.Input((1, 1, 1)), layer])
    FusedBatchNormalization(model)
    model(np.full((1, 1, 1, 1), 5.0, "float32"), training=True)
    assert np.ravel(layer.moving_variance)[0] == pytest.approx(0.6)


def test_it_repeats_itself_and_can_be_rewound():
    model = network()
    FusedBatchNormalization(model)
    snapshot = Snapshot(model)
    first = trained(model, batches(5))
    snapshot.restore()
    again = trained(model, batches(5))
    assert first[0] == again[0]
    for a, b in zip(first[1], again[1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_inference_and_frozen_layers_go_the_stock_way():
    stock, fused = network(), network()
    FusedBatchNormalization(fused)
    x, _ = next(batches(1))
    np.testing.assert_array_equal(fused.predict(x, verbose=0), stock.predict(x, verbose=0))
    stock.trainable = fused.trainable = False
    frozen = [np.array(model(x, training=True)) for model in (stock, fused)]
    np.testing.assert_array_equal(*frozen)
    assert not uses_the_kernel(fused)


def test_a_saved_model_is_a_stock_one(tmp_path):
    model = network()
    FusedBatchNormalization(model)
    trained(model, batches(3))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x, _ = next(batches(1))
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert not uses_the_kernel(loaded)


def test_release_gives_the_stock_layers_back():
    model = network()
    fusion = FusedBatchNormalization(model)
    fusion.release()
    fusion.release()
    assert not uses_the_kernel(model)
    assert not [layer for layer in model._flatten_layers() if "call" in vars(layer)]


def test_it_is_switched_between_steps_and_acts_on_the_next():
    """Also where a step was traced before."""
    data, models = list(batches(4)), {on: network() for on in (True, False)}
    fusions = {on: FusedBatchNormalization(model, is_on=on) for on, model in models.items()}
    start = {on: Snapshot(model) for on, model in models.items()}
    before = {on: trained(model, data)[1] for on, model in models.items()}
    for on, fusion in fusions.items():
        assert len(fusion.layers) == 2
        fusion.switch(not on)
        start[on].restore()
        assert fusion.is_on == uses_the_kernel(models[on]) == (not on)
    after = {on: trained(model, data)[1] for on, model in models.items()}
    for on in (True, False):
        assert are_equal(after[on], before[not on])
        assert not are_equal(after[on], before[on])


def are_equal(one, other):
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def test_other_layers_are_left_alone():
    channels_first = normaliser(axis=1)
    model = keras.Sequential([keras.Input((4, 4, 2)), Scaled(), channels_first])
    assert FusedBatchNormalization(model).layers == []


def test_flat_inputs_go_the_stock_way():
    x = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    outputs = []
    for fuse in (False, True):
        model = keras.Sequential([keras.Input((3,)), normaliser()])
        if fuse:
            assert FusedBatchNormalization(model).layers == []
        outputs.append(np.array(model(x, training=True)))
    np.testing.assert_array_equal(*outputs)
