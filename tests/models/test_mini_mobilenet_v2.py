import numpy as np
import pytest
from onecycle_models import mini_mobilenet_v2

EXPANDED = [
    name
    for k in range(2, 11)
    for part in ("expand", "dw", "pw")
    for name in (f"conv_{part}_{k}", f"conv_{part}_{k}_bn")
]
WITH_WEIGHTS = [
    *("conv1", "conv1_bn", "conv_dw_1", "conv_dw_1_bn", "conv_pw_1", "conv_pw_1_bn"),
    *EXPANDED,
    *("conv18", "conv18_bn", "conv_preds"),
]


@pytest.fixture(scope="module")
def model():
    return mini_mobilenet_v2.build((32, 32, 3), 10)


def channels(model):
    return [model.get_layer(f"conv_pw_{k}").output.shape[-1] for k in range(1, 11)]


def test_the_number_of_parameters(model):
    assert model.count_params() == 647_946


def test_layers_with_weights_have_the_published_names_and_order(model):
    assert [layer.name for layer in model.layers if layer.weights] == WITH_WEIGHTS


def test_layers_without_weights_keep_their_published_names(model):
    names = [layer.name for layer in model.layers]
    assert {"conv1_relu", "conv_dw_1_relu", "conv_expand_10_relu", "conv18_relu"} <= set(names)
    assert names[-5:] == ["reshape_1", "dropout", "conv_preds", "reshape_2", "act_softmax"]


def test_identities_are_added_where_stride_and_channels_allow(model):
    added = [layer.name for layer in model.layers if layer.name.startswith("add_")]
    assert added == ["add_3", "add_5", "add_6", "add_8", "add_9", "add_10"]


def test_the_image_is_halved_by_blocks_2_and_7(model):
    sides = [model.get_layer(f"conv_pw_{k}").output.shape[1] for k in range(1, 11)]
    assert sides == [32, 16, 16, 16, 16, 16, 8, 8, 8, 8]


def test_channels_are_multiples_of_eight(model):
    assert model.get_layer("conv1").filters == 48  # 44.8
    assert channels(model) == [24, 32, 32, 48, 48, 48, 88, 88, 88, 88]  # 22.4, 33.6, 44.8, 89.6
    assert model.get_layer("conv18").filters == 1792


def test_a_narrow_network_never_has_less_than_eight_channels_and_keeps_its_last_layer():
    model = mini_mobilenet_v2.build((8, 8, 1), 10, alpha=0.1)
    assert channels(model) == [8] * 10
    assert model.get_layer("conv18").filters == 1280


def test_rounding_never_takes_more_than_a_tenth():
    model = mini_mobilenet_v2.build((8, 8, 1), 10, alpha=0.6)
    assert channels(model)[3] == 24  # 19.2: 16 would be less than 90 %


def test_without_expansion_no_block_is_widened():
    model = mini_mobilenet_v2.build((8, 8, 1), 10, alpha=0.5, expansion=1)
    assert not [layer for layer in model.layers if "expand" in layer.name]


def test_l2_penalises_every_kernel_and_nothing_else():
    model = mini_mobilenet_v2.build((4, 4, 1), 2, alpha=0.25, l2=0.5)
    kernels = [w for w in model.trainable_weights if w.path.endswith("kernel")]
    assert len(kernels) == 32
    expected = sum(0.5 * float(np.sum(np.square(kernel))) for kernel in kernels)
    np.testing.assert_allclose(float(sum(model.losses)), expected, rtol=1e-5)


def test_no_penalty_by_default(model):
    assert model.losses == []


@pytest.mark.parametrize("shape", [(4, 4, 1), (8, 8, 1)])
def test_outputs_are_probabilities(shape):
    small = mini_mobilenet_v2.build(shape, 3, alpha=0.25)
    probabilities = np.asarray(small(np.ones((2, *shape), "float32")))
    assert probabilities.shape == (2, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"alpha": 0}, r"`alpha` must be a finite number > 0; got 0\."),
        ({"alpha": float("inf")}, r"`alpha` must be a finite number > 0; got inf\."),
        ({"expansion": 0}, r"`expansion` must be an integer >= 1; got 0\."),
        ({"expansion": 1.5}, r"`expansion` must be an integer >= 1; got 1.5\."),
        ({"dropout": 1.0}, r"`dropout` must be a number in \[0, 1\); got 1.0\."),
        ({"l2": -1e-4}, r"`l2` must be a finite number >= 0; got -0.0001\."),
    ],
)
def test_options_out_of_range_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        mini_mobilenet_v2.build((8, 8, 1), 10, **options)


@pytest.mark.parametrize("shape", [(64,), (3, 32, 1)])
def test_inputs_that_are_no_such_images_are_refused(shape):
    with pytest.raises(ValueError, match="`input_shape` must be"):
        mini_mobilenet_v2.build(shape, 10)
