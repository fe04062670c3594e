import numpy as np
import pytest

from onecycle_cli.config import TrainConfig
from onecycle_cli.data.batches.resize import Resize, check_resize, resizing, shrink
from onecycle_cli.errors import DataError

RANDOM = np.random.default_rng(0)


def by_small_pixels(image, size):
    """Cut every pixel into size x size equal ones, then average blocks of length x length."""
    length = len(image)
    fine = image.repeat(size, axis=0).repeat(size, axis=1).astype(np.float64)
    blocks = fine.reshape(size, length, size, length, -1)
    return blocks.mean(axis=(1, 3))


@pytest.mark.parametrize(("length", "size"), [(8, 4), (8, 6), (9, 5), (7, 7), (5, 1)])
def test_an_image_is_averaged_over_areas(length, size):
    images = RANDOM.normal(size=(3, length, length, 2)).astype("float32")
    small = shrink(images, size)
    assert small.dtype == np.float32
    expected = [by_small_pixels(image, size) for image in images]
    np.testing.assert_allclose(small, expected, rtol=1e-4, atol=1e-5)


def test_which_size_a_step_has():
    plan = {"resize": [{"until": 0.25, "size": 4}, {"until": 0.5, "size": 6}]}
    resize = resizing(TrainConfig.model_validate(plan), 20)
    assert [resize.at(step) for step in range(20)] == [4] * 5 + [6] * 5 + [None] * 10


def test_nothing_is_resized_by_default():
    assert resizing(TrainConfig(), 20) is None
    assert Resize((), ()).at(0) is None


@pytest.mark.parametrize(
    ("sizes", "shape", "sentence"),
    [
        ([4], (64,), r"needs square images, got inputs of shape \(64,\)"),
        ([4], (8, 6, 1), r"needs square images, got inputs of shape \(8, 6, 1\)"),
        ([4, 9], (8, 8, 1), "must be at most the images' 8 pixels, got 9"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(sizes, shape, sentence):
    with pytest.raises(DataError, match=sentence):
        check_resize(sizes, shape)
