import numpy as np
import pytest
from onecycle_models import resnet


def trainable(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


@pytest.mark.parametrize(
    ("depth", "parameters"), [(20, 269_722), (32, 464_154), (44, 658_586), (56, 853_018)]
)
def test_trainable_parameters_are_those_of_the_paper(depth, parameters):
    assert trainable(resnet.build((32, 32, 3), 10, depth=depth)) == parameters


@pytest.mark.parametrize("depth", [8, 20])
def test_depth_counts_the_layers_with_kernels(depth):
    model = resnet.build((8, 8, 1), 10, depth=depth)
    kernels = [w for w in model.trainable_weights if w.path.endswith("kernel")]
    assert len(kernels) == depth


def test_the_first_block_of_stages_two_and_three_halves_the_image():
    model = resnet.build((32, 32, 3), 10)
    ends = [model.get_layer(f"stage{stage}_block3_relu").output.shape for stage in (1, 2, 3)]
    assert ends == [(None, 32, 32, 16), (None, 16, 16, 32), (None, 8, 8, 64)]


def test_a_widening_shortcut_takes_every_second_pixel_and_pads_channels_with_zeros():
    model = resnet.build((4, 4, 1), 2, depth=8)
    shortcut = model.get_layer("stage2_block1_subsample"), model.get_layer("stage2_block1_widen")
    x = np.random.default_rng(0).random((2, 5, 4, 16), "float32")
    y = np.asarray(shortcut[1](shortcut[0](x)))
    np.testing.assert_array_equal(y[..., 8:24], x[:, ::2, ::2])
    assert not y[..., :8].any()
    assert not y[..., 24:].any()


def test_halving_convolutions_are_centred_on_the_pixels_the_shortcut_takes():
    model = resnet.build((8, 8, 1), 2, depth=8)
    convolution = model.get_layer("stage2_block1_conv1")
    kernel = np.zeros(convolution.kernel.shape, "float32")
    kernel[1, 1, 0, 0] = 1
    convolution.kernel.assign(kernel)
    x = np.random.default_rng(0).random((1, 8, 8, 16), "float32")
    y = np.asarray(convolution(model.get_layer("stage2_block1_pad")(x)))
    np.testing.assert_array_equal(y[..., 0], x[:, ::2, ::2, 0])


@pytest.mark.parametrize("shape", [(4, 5, 1), (28, 28, 1)])
def test_outputs_are_probabilities(shape):
    probabilities = np.asarray(resnet.build(shape, 3, depth=8)(np.ones((2, *shape), "float32")))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize("depth", [21, 52, 18])
def test_depths_that_make_no_whole_blocks_are_refused(depth):
    with pytest.raises(ValueError, match=rf"`depth` must be 6n \+ 2 .*; got {depth}\."):
        resnet.build((32, 32, 3), 10, depth=depth)


@pytest.mark.parametrize("depth", [2, -4, 20.0])
def test_depths_that_are_no_large_enough_integers_are_refused(depth):
    with pytest.raises(ValueError, match=rf"`depth` must be an integer >= 8; got {depth}\."):
        resnet.build((32, 32, 3), 10, depth=depth)


@pytest.mark.parametrize("shape", [(32, 32), (2, 2, 3)])
def test_inputs_that_are_no_such_images_are_refused(shape):
    with pytest.raises(ValueError, match="`input_shape` must be"):
        resnet.build(shape, 10)
