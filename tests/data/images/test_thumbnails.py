import io

import numpy as np
import pytest
from PIL import Image

from onecycle_cli.data.images.thumbnails import LONGEST, can_be_shown, thumbnail


def pixels(shown):
    return np.asarray(Image.open(io.BytesIO(shown.data)))


def test_a_small_image_keeps_every_pixel():
    image = np.random.default_rng(0).integers(0, 256, (32, 20, 3), np.uint8)
    shown = thumbnail(image, 0, 255)
    assert (shown.type, shown.width, shown.height) == ("image/png", 20, 32)
    np.testing.assert_array_equal(pixels(shown), image)


def test_a_large_one_is_shrunk_in_its_shape_and_is_small():
    grey = np.linspace(0, 255, 480).astype(np.uint8)
    image = np.broadcast_to(grey[:, None, None], (480, 240, 3))
    shown = thumbnail(image, 0, 255)
    assert (shown.type, shown.width, shown.height) == ("image/jpeg", LONGEST // 2, LONGEST)
    np.testing.assert_allclose(pixels(shown)[:, 0, 0], np.linspace(0, 255, LONGEST), atol=5)
    assert len(shown.data) < 4000


def test_values_lie_between_black_and_white():
    image = np.array([[-9.0, -1.0, 0.0, 1.0, 9.0, np.nan]])[..., np.newaxis]
    assert pixels(thumbnail(image, -1, 1)).tolist() == [[0, 0, 128, 255, 255, 128]]
    assert pixels(thumbnail(np.full((1, 1, 1), 4.0), 4, 4)).tolist() == [[0]]


@pytest.mark.parametrize(
    ("shape", "dtype", "expected"),
    [
        ((2, 8, 8, 1), np.uint8, True),
        ((2, 8, 8, 3), np.float32, True),
        ((2, 8, 8, 4), np.uint8, False),
        ((2, 8), np.float32, False),
        ((0, 8, 8, 1), np.uint8, False),
        ((2, 8, 8, 1), object, False),
    ],
)
def test_only_grey_and_coloured_images_are_shown(shape, dtype, expected):
    assert can_be_shown(np.zeros(shape, dtype)) is expected
    assert not can_be_shown({"image": np.zeros(shape, dtype)})
