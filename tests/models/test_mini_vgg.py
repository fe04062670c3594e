import keras
import numpy as np
import pytest
from onecycle_models import mini_vgg

WITH_WEIGHTS = ["conv1", "conv1_bn", "conv2", "conv2_bn", "conv3", "conv3_bn", "conv_preds"]


def test_the_number_of_parameters():
    assert mini_vgg.build((32, 32, 3), 10).count_params() == 77_290


def test_layers_with_weights_have_the_published_names_and_order():
    model = mini_vgg.build((32, 32, 3), 10)
    assert [layer.name for layer in model.layers if layer.weights] == WITH_WEIGHTS


def test_the_image_keeps_its_resolution():
    model = mini_vgg.build((32, 24, 3), 10)
    assert model.get_layer("conv3").output.shape == (None, 32, 24, 96)
    assert model.get_layer("concat_pool").output.shape == (None, 192)


@pytest.mark.parametrize("shape", [(3, 3, 1), (8, 8, 1), (28, 28, 1)])
def test_outputs_are_probabilities(shape):
    probabilities = np.asarray(mini_vgg.build(shape, 4)(np.ones((2, *shape), "float32")))
    assert probabilities.shape == (2, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


def test_dropout_follows_the_global_seed():
    images = np.random.default_rng(0).random((2, 8, 8, 1), "float32")

    def outputs(seed):
        keras.utils.set_random_seed(seed)
        return np.asarray(mini_vgg.build((8, 8, 1), 4, dropout=0.5)(images, training=True))

    np.testing.assert_array_equal(outputs(1), outputs(1))
    assert not np.array_equal(outputs(1), outputs(2))


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ((64,), r"`input_shape` must be \(height, width, channels\).*; got \(64,\)\."),
        ((28, 28), r"`input_shape` must be \(height, width, channels\).*; got \(28, 28\)\."),
        ((None, 8, 1), r"`input_shape` must be .* three integers >= 1; got \(None, 8, 1\)\."),
        ((8, 2, 1), r"`input_shape` must be an image of at least 3 x 3 pixels; got \(8, 2, 1\)\."),
    ],
)
def test_inputs_that_are_no_such_images_are_refused(shape, sentence):
    with pytest.raises(ValueError, match=sentence):
        mini_vgg.build(shape, 10)


@pytest.mark.parametrize("dropout", [-0.1, 1, 1.5, float("nan"), "high"])
def test_dropout_out_of_range_is_refused(dropout):
    with pytest.raises(ValueError, match=r"`dropout` must be a number in \[0, 1\); got"):
        mini_vgg.build((8, 8, 1), 10, dropout=dropout)
