import numpy as np
import pytest
from onecycle_models import mlp


def test_the_number_of_parameters():
    # 64*128+128, 128*128+128, 128*10+10
    assert mlp.build((64,), 10).count_params() == 8_320 + 16_512 + 1_290


def test_no_hidden_layer_leaves_a_linear_model():
    assert mlp.build((64,), 10, layers=0).count_params() == 650


@pytest.mark.parametrize("shape", [(), (5,), (8, 8), (4, 4, 3), (2, 2, 2, 2)])
def test_any_input_is_flattened(shape):
    probabilities = np.asarray(mlp.build(shape, 3, hidden=4)(np.ones((2, *shape), "float32")))
    assert probabilities.shape == (2, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"hidden": 0}, r"`hidden` must be an integer >= 1; got 0\."),
        ({"layers": -1}, r"`layers` must be an integer >= 0; got -1\."),
        ({"dropout": 1}, r"`dropout` must be a number in \[0, 1\); got 1\."),
    ],
)
def test_options_out_of_range_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        mlp.build((5,), 2, **options)


def test_no_outputs_are_refused():
    with pytest.raises(ValueError, match=r"`num_classes` must be an integer >= 1; got 0\."):
        mlp.build((5,), 0)
