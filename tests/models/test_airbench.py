import keras
import numpy as np
import pytest
from onecycle_models import airbench

IMAGES = np.random.default_rng(3).normal(size=(700, 9, 8, 2))
IMAGES[:, 1:] += 0.9 * IMAGES[:, :-1]  # neighbours resemble each other
IMAGES += np.array([0.5, -1.0])
IMAGES = IMAGES.astype("float32")


def built(shape=(9, 8, 2), widths=(4, 8, 8), **options):
    keras.utils.set_random_seed(1)
    return airbench.build(shape, 3, widths=widths, **options)


def test_the_number_of_parameters():
    model = airbench.build((32, 32, 3), 10)
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    statistics = 4 * (64 + 256 + 256)
    assert trainable == 1_971_328
    assert model.count_params() == trainable + 288 + statistics


def test_feature_maps_have_the_sizes_of_the_paper():
    model = airbench.build((32, 32, 3), 10, widths=(4, 8, 8))
    sides = [
        model.get_layer(f"block{k}_conv{c}").output.shape[1] for k in (1, 2, 3) for c in (1, 2)
    ]
    assert sides == [31, 15, 15, 7, 7, 3]


@pytest.mark.parametrize("side", [2, 3, 5, 9])
def test_pooling_never_reaches_zero_pixels(side):
    probabilities = np.asarray(built((side, side, 1))(np.ones((2, side, side, 1), "float32")))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


def test_answers_to_patches_are_white_after_adapting():
    model = built()
    airbench.adapt(model, IMAGES)
    answers = np.asarray(model.get_layer("whitening")(IMAGES)).reshape(-1, 16)
    half, other = np.split(answers, 2, axis=1)
    np.testing.assert_allclose(half, -other, atol=1e-5)
    np.testing.assert_allclose(np.cov(half.T), np.eye(8), atol=0.02)


def test_adapting_is_repeatable_and_takes_a_batch_of_any_size():
    kernels = []
    for count in (700, 700, 501):
        model = built()
        airbench.adapt(model, IMAGES[:count])
        kernels.append(np.asarray(model.get_layer("whitening").kernel))
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


def test_constant_pixels_do_no_harm():
    model = built()
    airbench.adapt(model, np.ones((4, 9, 8, 2), "float32"))
    assert np.isfinite(np.asarray(model.get_layer("whitening").kernel)).all()


def test_the_whitening_stays_as_it_is_in_training():
    model = built()
    airbench.adapt(model, IMAGES)
    before = np.array(model.get_layer("whitening").kernel)
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    model.fit(IMAGES[:64], np.arange(64) % 3, batch_size=32, verbose=0)
    np.testing.assert_array_equal(np.array(model.get_layer("whitening").kernel), before)


def test_convolutions_hand_their_inputs_on():
    model = built((9, 8, 2), widths=(20, 6, 6))
    x = np.random.default_rng(0).normal(size=(2, 5, 5, 16)).astype("float32")
    passed = np.asarray(model.get_layer("block1_conv1")(x))
    np.testing.assert_allclose(passed[..., :16], x, atol=1e-6)
    assert not np.allclose(passed[..., 16:], 0)
    narrowing = np.asarray(model.get_layer("block2_conv1")(np.resize(x, (2, 5, 5, 20))))
    np.testing.assert_allclose(narrowing, np.resize(x, (2, 5, 5, 20))[..., :6], atol=1e-6)


@pytest.mark.parametrize("nonlinearity", ["relu", "silu", "gelu"])
def test_the_nonlinearity_can_be_chosen(nonlinearity):
    model = built(nonlinearity=nonlinearity)
    activations = [e for e in model.layers if isinstance(e, keras.layers.Activation)]
    used = {layer.activation.__name__ for layer in activations}
    assert used == {nonlinearity, "softmax"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"widths": []}, r"`widths` must be a list of integers >= 1; got \[\]\."),
        ({"widths": [4, 0]}, r"`widths` must be a list of integers >= 1; got \[4, 0\]\."),
        ({"widths": 64}, r"`widths` must be a list of integers >= 1; got 64\."),
        ({"nonlinearity": "rely"}, r"`nonlinearity` must be one of relu, silu, gelu; got 'rely'\."),
        ({"logit_scale": 0}, r"`logit_scale` must be a finite number > 0; got 0\."),
    ],
)
def test_options_out_of_range_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        airbench.build((32, 32, 3), 10, **options)


def test_images_of_any_size():
    whole = airbench.build((12, 12, 1), 3, widths=(4, 8, 8))
    free = airbench.build((None, None, 1), 3, widths=(4, 8, 8))
    free.set_weights(whole.get_weights())
    images = np.random.default_rng(0).random((2, 16, 16, 1), "float32")
    np.testing.assert_allclose(free(images[:, :12, :12]), whole(images[:, :12, :12]), rtol=1e-5)
    assert np.isfinite(np.asarray(free(images))).all()
