"""What is learned is compared with Keras' own way, and where PyTorch reads images is looked at."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from onecycle_cli.engine.kernels.channels_last import channels_last

ON_PYTORCH = keras.backend.backend() == "torch"

pytestmark = pytest.mark.every_backend

RUN_AS_WRITTEN = SimpleNamespace(jit_compile=False)
"""What is asked of a model."""

LAYERS = {
    "convolution": lambda: keras.layers.Conv2D(5, 3, padding="same"),
    "even filters": lambda: keras.layers.Conv2D(5, 2, padding="same"),
    "strides": lambda: keras.layers.Conv2D(5, 3, strides=2),
    "each channel": lambda: keras.layers.DepthwiseConv2D(3, padding="same"),
    "transposed": lambda: keras.layers.Conv2DTranspose(5, 3, strides=2),
    "largest": lambda: keras.layers.MaxPooling2D(2),
    "largest, padded": lambda: keras.layers.MaxPooling2D(2, padding="same"),
    "mean": lambda: keras.layers.AveragePooling2D(3, strides=2, padding="same"),
}
"""For images of 7 by 6 pixels and 4 channels."""


@pytest.fixture
def losses_of():
    """Train a small network around a layer for some steps, and return the losses."""

    def train(make):
        keras.utils.set_random_seed(3)
        random = np.random.default_rng(3)
        images, targets = random.normal(size=(32, 7, 6, 4)), random.normal(size=(32, 2))
        layers = [keras.Input((7, 6, 4)), make(), keras.layers.Flatten(), keras.layers.Dense(2)]
        model = keras.Sequential(layers)
        model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse", jit_compile=False)
        arguments = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
        model.fit(images.astype("float32"), targets.astype("float32"), **arguments)
        return [*model.history.history["loss"], *map(np.sum, model.get_weights())]

    return train


@pytest.mark.skipif(not ON_PYTORCH, reason="elsewhere nothing is changed")
@pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
def test_the_same_is_learned(losses_of, make):
    stock = losses_of(make)
    with channels_last(RUN_AS_WRITTEN):
        ours = losses_of(make)
    np.testing.assert_allclose(ours, stock, rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(not ON_PYTORCH, reason="elsewhere nothing is changed")
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("conv2d", lambda: keras.layers.Conv2D(2, 3)),
        ("max_pool2d", lambda: keras.layers.MaxPooling2D(2)),
    ],
)
def test_images_are_read_where_they_are(monkeypatch, name, make):
    operations = pytest.importorskip("torch").nn.functional
    images = keras.ops.convert_to_tensor(np.ones((2, 6, 6, 3), "float32"))
    stock, places = getattr(operations, name), []

    def seen(inputs, *arguments, **named):
        places.append(inputs.data_ptr())
        return stock(inputs, *arguments, **named)

    monkeypatch.setattr(operations, name, seen)
    layer = make()
    with channels_last(RUN_AS_WRITTEN):
        layer(images)
    assert places[-1] == images.data_ptr()
    layer(images)
    assert places[-1] != images.data_ptr()  # Keras' own way again, by a copy
    with channels_last(SimpleNamespace(jit_compile=True)):
        layer(images)
    assert places[-1] != images.data_ptr()


@pytest.mark.skipif(ON_PYTORCH, reason="there it does something")
def test_other_backends_are_left_alone():
    with channels_last(RUN_AS_WRITTEN):
        assert keras.ops.shape(keras.layers.MaxPooling2D(2)(np.ones((1, 4, 4, 2)))) == (1, 2, 2, 2)
