import os
import sys

import numpy as np
import pytest
from PIL import Image

from onecycle_cli.config import DatasetConfig
from onecycle_cli.data.sources import image_folder
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


@pytest.mark.parametrize(
    "name", ["3.jfif", "3.JPE", "3.jif", "3.pnm", "3.apng", "3.dib", "3.jp2", "3.TIFF"]
)
def test_every_usual_ending_is_one_of_an_image(root, name):
    """Whatever is inside, so that a renamed file is none the worse."""
    (root / "train" / "cat" / name).write_bytes((root / "train" / "cat" / "1.png").read_bytes())
    source = read(root)
    assert source.y.tolist() == [0, 0, 0, 0, 1, 1, 1]
    np.testing.assert_array_equal(source.x[3], source.x[1])
    assert source.notes == ()


def test_images_of_subfolders_belong_to_the_class(root):
    for name, value in (("1a/deep/x.png", 7), ("0/y.png", 8), (".hidden/z.png", 9)):
        save(root / "train" / "cat" / name, np.full((6, 4, 3), value, np.uint8))
    save(root / "test" / "dog" / "w" / "t.png", np.full((6, 4, 3), 5, np.uint8))
    source = read(root)
    assert source.y.tolist() == [0, 0, 0, 0, 0, 1, 1, 1]
    assert source.x[[0, 3], 0, 0, 0].tolist() == [8, 7]  # before 0.png, and after 1.png
    assert source.test()[1].tolist() == [1]
    assert source.notes == ()


def test_links_are_followed_and_loops_are_not(root, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    save(elsewhere / "far" / "a.png", np.full((6, 4, 3), 3, np.uint8))
    cat = root / "train" / "cat"
    (cat / "linked").symlink_to(elsewhere, target_is_directory=True)
    (elsewhere / "back").symlink_to(cat, target_is_directory=True)
    (cat / "self").symlink_to(cat, target_is_directory=True)
    (root / "train" / "mouse").symlink_to(elsewhere / "far", target_is_directory=True)
    source = read(root)
    assert source.classes == ("cat", "dog", "mouse")
    assert source.y.tolist() == [0] * 4 + [1] * 3 + [2]


def test_what_is_not_used_is_said(root):
    cat = root / "train" / "cat"
    for name in ("a.txt", "b.heic", "noending", "Thumbs.db", "desktop.ini", ".DS_Store"):
        (cat / name).write_text("no image")
    (cat / "loop.png").symlink_to("loop.png")
    (root / "train" / "stray.png").write_text("in no class")
    (root / "validation").mkdir()
    (root / "labels.csv").write_text("")
    assert read(root).notes == (
        f"{root}: train/stray.png, train/cat/a.txt, train/cat/b.heic and 2 more: no image by its "
        "name or place, and not used.",
        f"{root}: validation: not used; the parts are called train, val and test.",
    )


def test_a_pipe_that_is_called_an_image_is_not_opened(root):
    os.mkfifo(root / "train" / "cat" / "pipe.png")
    source = read(root)
    assert len(source.x) == 6
    assert "train/cat/pipe.png: no image" in source.notes[0]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems take no such names")
@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"caf\xe9", r"caf\xe9"),
        (b"\xff\xfe", r"\xff\xfe"),
        (b"two\nlines", r"two\nlines"),
        (b"red\x1b[31m", r"red\x1b[31m"),
        ("turned\u202egnp".encode(), r"turned\u202egnp"),
        ("\u05e9\u05dc\u05d5\u05dd".encode(), "\u05e9\u05dc\u05d5\u05dd"),
        ("na\u00efve \U0001f408".encode(), "na\u00efve \U0001f408"),
    ],
)
def test_names_of_any_bytes_are_text(root, raw, shown):
    folder = root / "train" / os.fsdecode(raw)
    (root / "train" / "dog").rename(folder)
    source = read(root)
    assert shown in source.classes
    assert all(name.encode() and "\n" not in name for name in source.classes)
    (folder / f"9{folder.name}.png").touch()
    with pytest.raises(DataError) as error:
        read(root)
    assert f"9{shown}.png cannot be read as an image" in str(error.value)
    assert len(str(error.value).splitlines()) == 1
    assert str(error.value).encode()


def test_a_folder_that_cannot_be_listed_is_named(root, monkeypatch):
    entries = type(root).iterdir

    def forbidden(path):
        if path.name == "dog":
            raise PermissionError(13, "Permission denied")
        return entries(path)

    monkeypatch.setattr(type(root), "iterdir", forbidden)
    with pytest.raises(DataError, match=r"train/dog cannot be read \(Permission denied\); get"):
        read(root)


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
