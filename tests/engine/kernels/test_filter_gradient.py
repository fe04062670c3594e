import keras
import numpy as np
import pytest

from onecycle_cli.engine.kernels import filter_gradient
from onecycle_cli.engine.kernels.filter_gradient import ConvolvedGradient, gradient_of_filters

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the slow operation is TensorFlow's"
)

RANDOM = np.random.default_rng(4)


class Convolution(keras.layers.Conv2D):
    """Not the stock layer."""


def exact(images, upstream, size, padding):
    """The gradient of the filters by its definition, in float64, without strides."""
    (height, width), (rows, columns) = size, upstream.shape[1:3]
    if padding == "SAME":
        around = [((side - 1) // 2, side // 2) for side in size]
        images = np.pad(images, [(0, 0), *around, (0, 0)])
    found = np.zeros((height, width, images.shape[-1], upstream.shape[-1]))
    for i in range(height):
        for j in range(width):
            part = images[:, i : i + rows, j : j + columns]
            found[i, j] = np.einsum("nhwc,nhwk->ck", part, upstream)
    return found


def stock_gradient(images, upstream, size, padding):
    import tensorflow as tf

    return tf.raw_ops.Conv2DBackpropFilter(
        input=images,
        filter_sizes=[*size, images.shape[-1], upstream.shape[-1]],
        out_backprop=upstream,
        strides=[1, 1, 1, 1],
        padding=padding,
    )


def as_float64(tensor):
    return np.array(keras.ops.cast(tensor, "float64"))


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize("size", [(3, 3), (2, 5), (1, 4)])
def test_it_is_as_exact_as_the_stock_gradient(size, padding, dtype):
    """Against sums in float64; bfloat16 has 8 bits, of which the last is rounded."""
    shape = (6, 5) if padding == "SAME" else (7 - size[0], 6 - size[1])
    images = keras.ops.cast(RANDOM.normal(size=(40, 6, 5, 3)), dtype)
    upstream = keras.ops.cast(RANDOM.normal(size=(40, *shape, 4)), dtype)
    expected = exact(as_float64(images), as_float64(upstream), size, padding)
    ours, stock = (
        np.abs(as_float64(way(images, upstream, size, padding)) - expected).max()
        for way in (gradient_of_filters, stock_gradient)
    )
    rounding = np.abs(expected).max() * {"float32": 2e-6, "bfloat16": 2**-8}[dtype]
    assert ours <= rounding
    assert ours <= 1.5 * stock or dtype == "float32"


def network(**options):
    """A layer that is called twice, one with an activation in a nested model, and others."""
    keras.utils.set_random_seed(3)
    layers = keras.layers
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        inner_input = keras.Input((8, 8, 5))
        inner = layers.Conv2D(6, (2, 3), activation="tanh", use_bias=False, name="nested")(
            inner_input
        )
        inner = keras.Model(inner_input, inner)
        x = keras.Input((8, 8, 2))
        shared = layers.Conv2D(5, 3, padding="same", use_bias=False, name="shared")
        y = layers.Conv2D(5, 3, padding="same", dilation_rate=2, name="dilated")(x)
        y = inner(shared(layers.ReLU()(shared(y))))
        y = layers.Conv2D(4, 3, strides=2, name="strided")(y)
        y = layers.Conv2D(4, 1, name="pixels")(y)
        y = layers.GlobalAveragePooling2D()(y)
        model = keras.Model(x, layers.Dense(3, activation="softmax", dtype="float32")(y))
    finally:
        keras.config.set_dtype_policy("float32")
    optimizer = keras.optimizers.SGD(0.05, momentum=0.9)
    options = {"jit_compile": False} | options
    model.compile(optimizer, "sparse_categorical_crossentropy", **options)
    return model


def batches(count, examples=16):
    random = np.random.default_rng(1)
    for _ in range(count):
        x = random.normal(size=(examples, 8, 8, 2)).astype("float32")
        yield x, random.integers(0, 3, examples)


def trained(model, data):
    losses = [float(model.train_on_batch(x, y)) for x, y in data]
    return losses, [np.array(v) for v in model.get_weights()]


def operations(model):
    """What a training step consists of, counted."""
    import tensorflow as tf

    x, y = next(batches(1))

    @tf.function
    def gradients(x):
        with tf.GradientTape() as tape:
            loss = model.compute_loss(x, y, model(x, training=True))
        variables = [v.value for v in model.trainable_variables]
        return tape.gradient(loss, variables)

    graph = gradients.get_concrete_function(x).graph
    return [op.type for op in graph.get_operations()].count("Conv2DBackpropFilter")


def test_it_trains_as_the_stock_layers_do():
    """The loss to the bit, and what a step of SGD changes."""
    stock, ours = network(), network()
    taken = {layer.name for layer in ConvolvedGradient(ours, 16).layers}
    assert taken == {"shared", "nested"}
    assert (operations(stock), operations(ours)) == (6, 3)
    before = stock.get_weights()
    expected, found = (trained(model, batches(1)) for model in (stock, ours))
    assert found[0] == expected[0]
    for a, b, start in zip(found[1], expected[1], before, strict=True):
        np.testing.assert_allclose(a - start, b - start, atol=2**-7 * np.abs(b - start).max())


def layer_of(padding="same", **options):
    options |= {"padding": padding, "use_bias": False, "dtype": "mixed_bfloat16"}
    layer = keras.layers.Conv2D(4, 3, **options)
    model = keras.Sequential([keras.Input((5, 5, 3)), layer])
    model.compile(jit_compile=False)
    return model


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_outputs_and_the_gradient_of_inputs_keep_their_bits(padding):
    import tensorflow as tf

    model = layer_of(padding)
    x = tf.constant(RANDOM.normal(size=(6, 5, 5, 3)).astype("float32"))
    weights = RANDOM.normal(size=model(x).shape).astype("float32")

    def passes():
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = tf.cast(model(x), "float32")
            loss = tf.reduce_sum(y * weights)
        return y.numpy(), tape.gradient(loss, x).numpy()

    expected = passes()
    assert ConvolvedGradient(model, 6).layers
    for ours, stock in zip(passes(), expected, strict=True):
        np.testing.assert_array_equal(ours, stock)


def test_gradients_of_gradients_are_right():
    """A penalty on the gradient of the inputs, of the filters, and of both by each other."""
    import tensorflow as tf

    model = layer_of()
    x = tf.constant(RANDOM.normal(size=(6, 5, 5, 3)).astype("float32"))
    kernel = model.layers[0].kernel.value

    def second():
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                loss = tf.reduce_sum(tf.square(tf.cast(model(x), "float32")))
            firsts = inner.gradient(loss, [x, kernel])
            penalty = sum(tf.reduce_sum(tf.square(first)) for first in firsts)
        return [g.numpy() for g in outer.gradient(penalty, [x, kernel])]

    expected = second()
    ConvolvedGradient(model, 6)
    for ours, stock in zip(second(), expected, strict=True):
        np.testing.assert_allclose(ours, stock, atol=2e-2 * np.abs(stock).max())


@pytest.mark.harness
def test_it_repeats_itself():
    results = []
    for _ in range(2):
        model = network()
        ConvolvedGradient(model, 16)
        results.append(trained(model, batches(2)))
    assert results[0][0] == results[1][0]
    for a, b in zip(results[0][1], results[1][1], strict=True):
        np.testing.assert_array_equal(a, b)


def test_frozen_layers_stay_as_they_are():
    model = network()
    ConvolvedGradient(model, 16)
    shared = model.get_layer("shared")
    shared.trainable = False
    model.compile("sgd", "sparse_categorical_crossentropy", jit_compile=False)
    before = np.array(shared.kernel)
    nested = np.array(model.layers[-5].get_weights()[0])
    trained(model, batches(2))
    np.testing.assert_array_equal(np.array(shared.kernel), before)
    assert (np.array(model.layers[-5].get_weights()[0]) != nested).any()


@pytest.mark.harness
def test_a_saved_model_is_a_stock_one(tmp_path):
    model = network()
    ConvolvedGradient(model, 16)
    trained(model, batches(1))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x, _ = next(batches(1))
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))
    assert operations(loaded) == 6


def test_release_gives_the_stock_layers_back():
    model = network()
    convolved = ConvolvedGradient(model, 16)
    convolved.release()
    convolved.release()
    assert operations(model) == 6
    assert not [la for la in model._flatten_layers() if "convolution_op" in vars(la)]


def test_large_maps_go_the_stock_way():
    """The limits are of one image's pixels, and of those of a batch."""
    model = network()
    convolved = ConvolvedGradient(model, filter_gradient.LARGEST_SUM // 42)
    assert operations(model) == 5  # 8 x 8 pixels are too many then, 7 x 6 are not
    convolved.release()
    ConvolvedGradient(model, filter_gradient.LARGEST_SUM // 41 + 1)
    assert operations(model) == 6


def test_maps_of_any_size_go_the_stock_way():
    layers = keras.layers
    convolution = layers.Conv2D(2, 3, use_bias=False, dtype="mixed_bfloat16")
    model = keras.Sequential([keras.Input((None, None, 1)), convolution])
    model.compile(jit_compile=False)
    assert ConvolvedGradient(model, 1).layers == [convolution]
    assert model(np.ones((1, 5, 5, 1), "float32")).shape == (1, 3, 3, 2)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (Convolution, {}),
        (keras.layers.Conv2D, {"dtype": "float32"}),
        (keras.layers.Conv2D, {"dtype": "mixed_float16"}),
        (keras.layers.Conv2D, {"use_bias": True}),
        (keras.layers.Conv2D, {"groups": 2}),
        (keras.layers.Conv2D, {"strides": 2}),
        (keras.layers.Conv2D, {"dilation_rate": (1, 2), "padding": "same"}),
        (keras.layers.Conv2D, {"kernel_size": 1}),
        (keras.layers.Conv2D, {"data_format": "channels_first"}),
        (keras.layers.DepthwiseConv2D, {}),
    ],
)
def test_other_layers_are_left_alone(kind, options):
    options = {"kernel_size": 3, "use_bias": False, "dtype": "mixed_bfloat16"} | options
    if kind is not keras.layers.DepthwiseConv2D:
        options["filters"] = 2
    model = keras.Sequential([keras.Input((4, 4, 4)), kind(**options)])
    model.compile(jit_compile=False)
    assert ConvolvedGradient(model, 1).layers == []


def test_models_compiled_by_xla_are_left_alone(allow_xla):
    assert ConvolvedGradient(network(jit_compile=True), 16).layers == []
