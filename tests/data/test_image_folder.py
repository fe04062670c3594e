import numpy as np
import pytest
from PIL import Image

from onecycle_cli.config import DatasetConfig
from onecycle_cli.data import image_folder
from onecycle_cli.errors import ConfigError, DataError


def save(path, pixels, mode=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    (image.convert(mode) if mode else image).save(path)


@pytest.fixture
def root(tmp_path):
    """Two classes, three colour images each, 6 pixels high and 4 wide."""
    rng = np.random.default_rng(0)
    for name in ("dog", "cat"):
        for i in range(3):
            pixels = rng.integers(0, 256, (6, 4, 3), dtype=np.uint8)
            save(tmp_path / "train" / name / f"{i}.png", pixels)
    return tmp_path


def read(root):
    return image_folder.read(DatasetConfig(name="image_folder", path=str(root)), None)


def test_images_are_read_class_by_class(root):
    (root / "train" / "cat" / "notes.txt").write_text("not an image")
    (root / "train" / "cat" / ".hidden.png").write_text("not an image")
    source = read(root)
    assert source.classes == ("cat", "dog")
    assert source.y.tolist() == [0, 0, 0, 1, 1, 1]
    assert source.x.shape == (6, 6, 4, 3)
    for row, path in enumerate(sorted((root / "train").glob("*/[0-9].png"))):
        np.testing.assert_array_equal(source.x[row], np.asarray(Image.open(path)))
    assert source.validation == 0
    assert source.test is None


def test_grey_images_have_one_channel_unless_one_has_colour(root):
    for path in (root / "train").glob("*/*.png"):
        with Image.open(path) as image:
            image.convert("L").save(path)
    assert read(root).x.shape == (6, 6, 4, 1)
    save(root / "val" / "cat" / "a.png", np.full((6, 4, 3), 9, np.uint8))
    assert read(root).x.shape == (7, 6, 4, 3)


@pytest.mark.parametrize("mode", ["P", "RGBA", "L", "1"])
def test_other_modes_become_colour(root, mode):
    save(root / "train" / "cat" / "0.png", np.full((6, 4, 3), 255, np.uint8), mode)
    source = read(root)
    assert (source.x[0] == 255).all()


def test_val_and_test_are_used_and_test_is_decoded_late(root):
    save(root / "val" / "dog" / "a.png", np.full((6, 4, 3), 1, np.uint8))
    save(root / "test" / "cat" / "b.png", np.full((6, 4, 3), 2, np.uint8))
    source = read(root)
    assert source.validation == 1
    assert source.y.tolist() == [0, 0, 0, 1, 1, 1, 1]
    x, y = source.test()
    assert (x == 2).all()
    assert y.tolist() == [0]
    save(root / "test" / "cat" / "b.png", np.zeros((6, 5, 3), np.uint8))
    with pytest.raises(DataError, match="size of the training images, 4x6 pixels, got 5x6"):
        source.test()


def test_sizes_must_agree(root):
    save(root / "train" / "dog" / "1.png", np.zeros((6, 5, 3), np.uint8))
    with pytest.raises(DataError, match=r"dog/1\.png must have the size of .*cat/0\.png, 4x6"):
        read(root)


def test_a_bomb_is_an_error(root, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)  # 24 pixels: Pillow would only warn
    with pytest.raises(DataError, match=r"0\.png is too large to be opened safely \("):
        read(root)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(DataError, match=r"0\.png is too large to be opened safely \("):
        read(root)


def test_sixteen_bits_are_refused(root):
    save(root / "train" / "cat" / "0.png", np.zeros((6, 4), np.uint16))
    with pytest.raises(DataError, match=r"must have 8 bits a channel, got Pillow's mode 'I;16'"):
        read(root)


@pytest.mark.parametrize("end", [0, 10, 40, 70])
def test_a_truncated_image_is_named(root, end):
    path = root / "train" / "dog" / "2.png"
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(DataError, match=r"dog/2\.png cannot be read as an image \("):
        read(root)


def test_folders_must_be_as_described(root, tmp_path):
    with pytest.raises(DataError, match=r"must hold a folder train/ .* got .*train without it"):
        read(root / "train")
    (root / "train" / "empty").mkdir()
    with pytest.raises(DataError, match="train/empty must hold images, got none"):
        read(root)
    (root / "train" / "empty").rmdir()
    (root / "val").mkdir()
    with pytest.raises(DataError, match="val must hold images, got none; fill or remove it"):
        read(root)
    (root / "val" / "horse").mkdir()
    with pytest.raises(DataError, match=r"val must hold classes of train/ only, got horse"):
        read(root)


def test_two_classes_are_needed(tmp_path):
    (tmp_path / "train" / "cat").mkdir(parents=True)
    with pytest.raises(DataError, match=r"two or more classes, got \['cat'\]"):
        read(tmp_path)


def test_a_path_is_needed():
    config = DatasetConfig.model_construct(name="image_folder", path=None)
    with pytest.raises(ConfigError, match="must name the folder with train"):
        image_folder.read(config, None)
