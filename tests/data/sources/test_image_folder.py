import os
import sys

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from onecycle_cli.config import DatasetConfig
from onecycle_cli.data.images import decoding
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
            save(tmp_path / "pets" / "train" / name / f"{i}.png", pixels)
    return tmp_path / "pets"


def read(root, progress=None, **settings):
    config = DatasetConfig(name="image_folder", path=str(root), **settings)
    return image_folder.read(config, progress)


def test_images_are_read_class_by_class(root):
    (root / "train" / "cat" / "notes.txt").write_text("not an image")
    (root / "train" / "cat" / ".hidden.png").write_text("not an image")
    (root / "train" / ".hidden").mkdir()
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
    assert source.notes == (f"{root}: hidden files and folders are not used (1).",)


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
    for name in ("a.txt", "b.heic", "noending", ".hidden.png"):
        (cat / name).write_text("no image")
    (cat / "loop.png").symlink_to("loop.png")
    (root / "train" / "stray.png").write_text("in no class")
    save(root / "val" / "dog" / "a.png", np.zeros((6, 4, 3), np.uint8))
    save(root / "test" / "dog" / "a.png", np.zeros((6, 4, 3), np.uint8))
    (root / "val" / "dog" / ".git").mkdir()
    (root / "test" / ".hidden").touch()
    (root / "test" / "b.txt").touch()
    (root / "validation").mkdir()
    (root / ".git").mkdir()
    (root / "labels.csv").write_text("")
    assert read(root).notes == (
        f"{root}: files that are not images by name or place are not used (7): labels.csv, "
        "train/stray.png, train/cat/a.txt and 4 more.",
        f"{root}: hidden files and folders are not used (4).",
        f"{root}: not used: validation; the parts are called train, val and test.",
    )


@pytest.mark.parametrize("name", ["Thumbs.db", "desktop.ini", ".DS_Store", "._0.png", ".directory"])
def test_of_what_systems_leave_behind_nothing_is_said(root, name):
    for folder in (root, root / "train", root / "train" / "cat"):
        (folder / name).write_text("no image")
    source = read(root)
    assert (len(source.x), source.notes) == (6, ())


@pytest.mark.parametrize(("files", "named"), [(1, "0.md"), (3, "0.md, 1.md, 2.md")])
def test_few_are_all_named(root, files, named):
    for i in range(files):
        (root / f"{i}.md").touch()
    assert read(root).notes == (
        f"{root}: files that are not images by name or place are not used ({files}): {named}.",
    )


def test_a_pipe_that_is_called_an_image_is_not_opened(root):
    os.mkfifo(root / "train" / "cat" / "pipe.png")
    source = read(root)
    assert len(source.x) == 6
    assert "are not used (1): train/cat/pipe.png." in source.notes[0]


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
    with pytest.raises(DataError, match=r"train/dog cannot be read \(Permission denied\); make"):
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
    os.utime(root / "test" / "cat" / "b.png", ns=(1, 1))  # however fast the test is
    with pytest.raises(DataError, match="size of the training images, 4x6 pixels, got 5x6"):
        source.test()


class TestCache:
    """A second reading of the same files."""

    @pytest.fixture
    def decodings(self, monkeypatch):
        """The paths of the images that were decoded."""
        paths = []
        decode = decoding.decode
        monkeypatch.setattr(
            decoding, "decode", lambda path, form: paths.append(path) or decode(path, form)
        )
        return paths

    def test_nothing_is_decoded_twice(self, root, decodings):
        save(root / "val" / "dog" / "a.png", np.full((6, 4, 3), 1, np.uint8))
        save(root / "train" / "dog" / "9.png", np.full((6, 4), 65535, np.uint16))
        frames = [Image.fromarray(np.zeros((6, 4, 3), np.uint8))]
        Image.fromarray(np.full((6, 4, 3), 9, np.uint8)).save(
            root / "train" / "cat" / "9.gif", save_all=True, append_images=frames
        )
        first, second = read(root), read(root)
        assert len(decodings) == 9
        np.testing.assert_array_equal(second.x, first.x)
        np.testing.assert_array_equal(second.y, first.y)
        assert second.validation == first.validation == 1
        assert (
            first.notes
            == second.notes
            == (
                f"{root}: only the first frame of images with several is used (1).",
                f"{root}: only the upper 8 bits of images with 16 bits a channel are used (1).",
            )
        )

    def test_the_test_set_is_decoded_when_it_is_asked_for_and_kept_too(self, root, decodings):
        save(root / "test" / "cat" / "t.png", np.full((6, 4, 3), 2, np.uint8))
        source = read(root)
        assert root / "test" / "cat" / "t.png" not in decodings
        for again in (source, source, read(root)):
            x, y = again.test()
            assert (x.shape, y.tolist()) == ((1, 6, 4, 3), [0])
            assert (x == 2).all()
        assert len(decodings) == 7
        save(root / "test" / "cat" / "t.png", np.full((6, 4, 3), 3, np.uint8))
        os.utime(root / "test" / "cat" / "t.png", ns=(1, 1))  # however fast the test is
        assert (read(root).test()[0] == 3).all()
        assert len(decodings) == 8

    def test_the_test_set_takes_the_form_of_the_training(self, root, decodings):
        save(root / "test" / "cat" / "t.png", np.full((6, 4, 3), 2, np.uint8))
        assert read(root).test()[0].shape == (1, 6, 4, 3)
        for path in (root / "train").glob("*/*.png"):
            with Image.open(path) as image:
                image.convert("L").save(path)
        assert read(root).test()[0].shape == (1, 6, 4, 1)

    def test_an_image_of_another_class_is_another_set(self, root, decodings):
        read(root)
        (root / "train" / "cat" / "0.png").rename(root / "train" / "dog" / "0a.png")
        source = read(root)
        assert len(decodings) == 12
        assert source.y.tolist() == [0, 0, 1, 1, 1, 1]

    def test_another_size_is_decoded_anew(self, root, decodings):
        assert read(root).x.shape == (6, 6, 4, 3)
        assert read(root, size=[3, 2]).x.shape == (6, 3, 2, 3)
        assert len(decodings) == 12
        np.testing.assert_array_equal(read(root, size=[3, 2]).x, read(root, size=[3, 2]).x)
        assert len(decodings) == 12

    def test_a_cache_out_of_reach_is_noted_with_the_rest(self, root, decodings, tmp_path):
        (tmp_path / "cache").write_text("a file where the cache should be")
        for _ in range(2):
            (note,) = read(root).notes
            assert "the decoded images cannot be kept for the next time (" in note
        assert len(decodings) == 12

    def test_progress_is_of_images_and_there_is_none_from_the_cache(self, root):
        save(root / "test" / "cat" / "t.png", np.full((6, 4, 3), 2, np.uint8))
        told = []
        source = read(root, lambda *of: told.append(of))
        assert told == [(6, 6)]
        source.test()
        assert told == [(6, 6), (1, 1)]
        read(root, lambda *of: told.append(of)).test()
        assert len(told) == 2


def test_sizes_must_agree(root):
    save(root / "train" / "dog" / "1.png", np.zeros((6, 5, 3), np.uint8))
    with pytest.raises(DataError, match=r"dog/1\.png must have the size of .*cat/0\.png, 4x6"):
        read(root)


def test_folders_must_be_as_described(root, tmp_path):
    with pytest.raises(DataError, match=r"must hold a folder train/ .* got .*0\.png without them"):
        read(root / "train/cat/0.png")
    (root / "other" / "test").mkdir(parents=True)
    with pytest.raises(DataError, match=r"must hold a folder train/ .* got .*other without them"):
        read(root / "other")
    (root / "train" / "empty").mkdir()
    with pytest.raises(DataError, match="train/empty must hold images, got none"):
        read(root)
    (root / "train" / "empty").rmdir()
    (root / "val").mkdir()
    with pytest.raises(DataError, match="val must hold images, got none; fill or remove it"):
        read(root)
    (root / "val" / "horse").mkdir()
    with pytest.raises(
        DataError, match=r"val must hold classes of the training part only, got horse"
    ):
        read(root)


def test_the_folder_may_hold_its_classes_directly(root):
    (root / "train" / "readme.txt").write_text("not an image")
    parts, whole = read(root), read(root / "train")
    assert whole.classes == ("cat", "dog")
    np.testing.assert_array_equal(whole.x, parts.x)
    np.testing.assert_array_equal(whole.y, parts.y)
    assert (whole.validation, whole.test) == (0, None)
    (note,) = whole.notes
    assert note.endswith("name or place are not used (1): readme.txt.")


@pytest.mark.parametrize("names", [("training", "more"), ("a", "Validation"), ("old", "new")])
def test_parts_of_other_names_are_not_taken_for_classes(root, names):
    """They hold the same classes each, or are called as parts are called elsewhere."""
    (root / "train").rename(root / names[0])
    for name in ("cat", "dog"):
        save(root / names[1] / name / "0.png", np.zeros((6, 4, 3), np.uint8))
    with pytest.raises(DataError, match=r"looks like a part of the data; call the parts train, v"):
        read(root)


def test_folders_within_classes_are_no_parts(root):
    for name, inner in (("cat", "home"), ("dog", "home"), ("dog", "wild")):
        save(root / "train" / name / inner / "0.png", np.zeros((6, 4, 3), np.uint8))
    assert read(root / "train").y.tolist() == [0] * 4 + [1] * 5


class TestSize:
    """Of a picture that is half black, half white, and twice as wide as it is high."""

    @pytest.fixture
    def halves(self, root):
        pixels = np.zeros((20, 40, 3), np.uint8)
        pixels[:, 20:] = 255
        save(root / "train" / "cat" / "wide.png", pixels)
        return root

    def test_without_one_all_must_have_the_same(self, halves):
        sentence = (
            r"wide\.png must have the size of .*, 4x6 pixels, got 40x20 pixels; set dataset\.size"
        )
        with pytest.raises(DataError, match=sentence):
            read(halves)

    @pytest.mark.parametrize("fit", ["resize", "crop"])
    def test_all_are_brought_to_it(self, halves, fit):
        save(halves / "test" / "dog" / "t.png", np.full((50, 3, 3), 7, np.uint8))
        source = read(halves, size=[10, 10], fit=fit)
        assert source.x.shape == (7, 10, 10, 3)
        assert (source.test()[0] == 7).all()
        wide = source.x[3]
        assert (wide[:, :4] == 0).all()
        assert (wide[:, 6:] == 255).all()

    def test_height_comes_first(self, halves):
        assert read(halves, size=[8, 12]).x.shape == (7, 8, 12, 3)

    def test_resizing_keeps_all_of_it_and_a_crop_the_middle(self, halves):
        marked = np.zeros((20, 40), np.uint8)
        marked[:, :8] = 255  # outside of the square in the middle
        save(halves / "train" / "cat" / "wide.png", marked)
        resized, cropped = (read(halves, size=[10, 10], fit=fit).x[3] for fit in ("resize", "crop"))
        assert (resized[:, 0] == 255).all()
        assert (resized[:, 3:] == 0).all()
        assert (cropped == 0).all()

    def test_where_it_shrinks_every_pixel_counts(self, halves):
        lines = np.zeros((40, 40), np.uint8)
        lines[::2] = 255
        save(halves / "train" / "cat" / "wide.png", lines)
        shrunk = read(halves, size=[5, 5]).x[3].astype(int)
        assert np.abs(shrunk - 127.5).max() < 8

    def test_an_image_of_that_size_is_left_as_it_is(self, root):
        np.testing.assert_array_equal(read(root, size=[6, 4]).x, read(root).x)

    def test_a_turned_image_is_turned_first(self, halves):
        with Image.open(halves / "train" / "cat" / "wide.png") as image:
            exif = image.getexif()
            exif[0x0112] = 6  # a quarter to the right
            image.save(halves / "train" / "cat" / "wide.png", exif=exif)
        wide = read(halves, size=[10, 10]).x[3]
        assert (wide[:4] == 0).all()
        assert (wide[6:] == 255).all()

    @pytest.mark.parametrize("size", [[8], [8, 8, 8], [0, 8], 8, [8.5, 8]])
    def test_what_is_no_size(self, root, size):
        with pytest.raises(ValidationError, match=r"size"):
            read(root, size=size)

    def test_data_with_a_size_of_their_own_have_none(self):
        with pytest.raises(ValidationError, match="size is for image_folder; digits has its own"):
            DatasetConfig(name="digits", size=[8, 8])


def test_two_classes_are_needed(tmp_path):
    (tmp_path / "train" / "cat").mkdir(parents=True)
    with pytest.raises(DataError, match=r"two or more classes, got \['cat'\]"):
        read(tmp_path)


def test_a_path_is_needed():
    config = DatasetConfig.model_construct(name="image_folder", path=None)
    with pytest.raises(ConfigError, match="must name the folder with a folder for each class"):
        image_folder.read(config, None)


class TestPartsElsewhere:
    @pytest.fixture
    def away(self, root, tmp_path):
        """Two folders beside the pets, each with an image of a dog, of one colour."""
        for name, value in (("held", 50), ("asked", 90)):
            save(tmp_path / name / "dog" / "a.png", np.full((6, 4, 3), value, np.uint8))
        return {"validation": str(tmp_path / "held"), "test": str(tmp_path / "asked")}

    def test_are_validated_and_tested_on(self, root, away):
        for place in (root, root / "train"):
            source = read(place, **away)
            assert source.y.tolist() == [0, 0, 0, 1, 1, 1, 1]
            assert (source.validation, int(source.x[6].max())) == (1, 50)
            x, y = source.test()
            assert (x.max(), y.tolist()) == (90, [1])
            assert [file.parent.parent.name for file in source.test_files] == ["asked"]
            assert source.notes == ()

    def test_are_decoded_once_and_again_when_a_file_changes(self, root, away, tmp_path):
        first, heard = read(root, **away), []
        first.test()
        alone = read(root)

        def listen(*of):
            heard.append(of)

        again = read(root, listen, **away)
        np.testing.assert_array_equal(again.x, first.x)
        again.test()
        np.testing.assert_array_equal(read(root, listen).x, alone.x)
        assert heard == []
        save(tmp_path / "held" / "dog" / "a.png", np.full((6, 4, 3), 51, np.uint8))
        assert read(root, listen, **away).x[6].max() == 51
        assert heard

    def test_beside_the_training_folder_are_no_strangers(self, root, away, tmp_path):
        (tmp_path / "held").rename(root / "valid")
        (root / "more").mkdir()
        (note,) = read(root, validation=str(root / "valid")).notes
        assert ": not used: more; the parts are called" in note

    def test_what_is_not_used_of_them_is_noted_by_their_names(self, root, away, tmp_path):
        (tmp_path / "held" / "readme.txt").write_text("")
        (note,) = read(root, **away).notes
        assert note.startswith(f"{tmp_path}/held: files that are not images")
        assert note.endswith("used (1): readme.txt.")

    @pytest.mark.parametrize("key", ["validation", "test"])
    def test_those_that_do_not_fit_are_refused_at_once(self, root, tmp_path, key):
        other = tmp_path / "other"
        save(other / "cow" / "a.png", np.zeros((6, 4, 3), np.uint8))
        with pytest.raises(DataError, match=r"other must hold classes of the training .* got cow"):
            read(root, **{key: str(other)})
        (other / "cow").rename(other / "cat")
        save(other / "cat" / "a.png", np.zeros((7, 4, 3), np.uint8))
        with pytest.raises(DataError, match=r"other/cat/a\.png must have the size of"):
            read(root, **{key: str(other)})
        assert read(root, size=[6, 4], **{key: str(other)}).classes == ("cat", "dog")
        with pytest.raises(DataError, match=rf"dataset\.{key} must be a folder with a folder for"):
            read(root, **{key: str(other / "cat" / "a.png")})
        with pytest.raises(DataError, match=rf"dataset\.{key} must not lie within the training"):
            read(root / "train", **{key: str(root / "train" / "cat")})
        save(
            root / {"validation": "val", "test": "test"}[key] / "cat" / "a.png",
            np.zeros((6, 4), np.uint8),
        )
        with pytest.raises(DataError, match=rf"has a {key} part already"):
            read(root, **{key: str(other)})
