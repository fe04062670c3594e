import numpy as np
import pytest
from onecycle_models import resnet9


def test_the_number_of_trainable_parameters():
    model = resnet9.build((32, 32, 3), 10)
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == 6_573_120


def test_nine_layers_have_kernels():
    model = resnet9.build((32, 32, 3), 10, width=4)
    assert len([w for w in model.trainable_weights if w.path.endswith("kernel")]) == 9


@pytest.mark.parametrize(
    ("side", "sides"),
    [(32, [16, 8, 4]), (28, [14, 7, 4]), (8, [4, 2, 1]), (2, [1, 1, 1]), (1, [1, 1, 1])],
)
def test_pooling_never_reaches_zero_pixels(side, sides):
    model = resnet9.build((side, side, 1), 3, width=2)
    pools = [model.get_layer(f"layer{k}_pool").output.shape[1] for k in (1, 2, 3)]
    assert pools == sides
    probabilities = np.asarray(model(np.ones((2, side, side, 1), "float32")))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


def test_scores_are_scaled():
    images = np.ones((2, 8, 8, 1), "float32")
    whole = resnet9.build((8, 8, 1), 3, width=2, logit_scale=1.0, activation="linear")
    eighth = resnet9.build((8, 8, 1), 3, width=2, activation="linear")
    eighth.set_weights(whole.get_weights())
    np.testing.assert_allclose(np.asarray(eighth(images)), np.asarray(whole(images)) / 8)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"width": 0}, r"`width` must be an integer >= 1; got 0\."),
        ({"width": True}, r"`width` must be an integer >= 1; got True\."),
        ({"logit_scale": 0.0}, r"`logit_scale` must be a finite number > 0; got 0.0\."),
    ],
)
def test_options_out_of_range_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        resnet9.build((32, 32, 3), 10, **options)


def test_images_of_any_size():
    whole = resnet9.build((12, 12, 1), 3, width=4)
    free = resnet9.build((None, None, 1), 3, width=4)
    free.set_weights(whole.get_weights())
    images = np.random.default_rng(0).random((2, 16, 16, 1), "float32")
    np.testing.assert_allclose(free(images[:, :12, :12]), whole(images[:, :12, :12]), rtol=1e-5)
    assert np.isfinite(np.asarray(free(images))).all()
