import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest

from onecycle_cli.data.images import image_cache
from onecycle_cli.data.images.decoding import Reduced
from onecycle_cli.data.images.image_cache import Decoded, ImageCache
from onecycle_cli.data.images.images import Form

IMAGES = Decoded(
    np.random.default_rng(2).integers(0, 256, (3, 6, 4, 3), dtype=np.uint8),
    Form((4, 6), "RGB", "crop"),
    Reduced(frames=2, bits=1),
)


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "images"
    (folder / "cat").mkdir(parents=True)
    for i in range(3):
        (folder / "cat" / f"{i}.png").write_bytes(b"a file")
    return folder


@pytest.fixture
def caches(tmp_path):
    """Where caches are kept: the fixture `own_caches` says so."""
    return tmp_path / "cache" / "onecycle" / "images"


class Reading:
    """Reads a folder through its cache, and counts how often that decodes it."""

    def __init__(self, root):
        self.root, self.decoded = root, 0

    def __call__(self, part="train", wanted=None, images=IMAGES):
        def decode():
            self.decoded += 1
            return images

        paths = sorted(self.root.glob("*/*"))
        found, self.notes = ImageCache(self.root, part, paths, wanted).get(decode)
        return found


@pytest.fixture
def read(root):
    return Reading(root)


def assert_same(images, expected=IMAGES):
    np.testing.assert_array_equal(images.x, expected.x)
    assert images.x.dtype == np.uint8
    assert (images.form, images.reduced) == (expected.form, expected.reduced)


def test_the_second_time_nothing_is_decoded(read, caches):
    assert_same(read())
    assert_same(read())
    assert read.decoded == 1
    assert read.notes == ()
    assert sorted(path.suffix for path in caches.iterdir()) == [".json", ".npy"]


def test_the_files_can_be_read_by_people(read, caches, root):
    read()
    (about,), (images,) = caches.glob("*.json"), caches.glob("*.npy")
    assert json.loads(about.read_text())["folder"] == str(root)
    np.testing.assert_array_equal(np.load(images), IMAGES.x)


replace = Path.replace


def edit(path):
    path.write_bytes(b"another")


def touch(path):
    os.utime(path, ns=(1, 1))


def edit_and_hide_it(path):
    """Same size, and the time of change put back, which some tools do."""
    before = path.stat()
    time.sleep(0.05)  # the clock of some file systems ticks slowly
    path.write_bytes(b"A FILE")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def rename(path):
    path.rename(path.with_name("9.png"))


def move_to_another_class(path):
    (path.parent.parent / "dog").mkdir()
    path.rename(path.parent.parent / "dog" / path.name)


@pytest.mark.parametrize("change", [edit, touch, edit_and_hide_it, rename, move_to_another_class])
def test_any_change_of_a_file_is_noticed(read, root, caches, change):
    read()
    change(root / "cat" / "1.png")
    changed = Decoded(IMAGES.x + 1, IMAGES.form, IMAGES.reduced)
    assert_same(read(images=changed), changed)
    assert_same(read(), changed)
    assert read.decoded == 2
    assert len(list(caches.iterdir())) == 2  # the old one is gone


@pytest.mark.parametrize("change", ["more", "fewer"])
def test_so_is_a_change_of_their_number(read, root, change):
    read()
    if change == "more":
        (root / "cat" / "3.png").touch()
    else:
        (root / "cat" / "2.png").unlink()
    count = 4 if change == "more" else 2
    changed = Decoded(np.resize(IMAGES.x, (count, 6, 4, 3)), IMAGES.form, IMAGES.reduced)
    assert_same(read(images=changed), changed)
    assert_same(read(), changed)
    assert read.decoded == 2


def test_what_is_wanted_belongs_to_it_and_so_does_pillow(read, monkeypatch):
    read(wanted=[[4, 6], "crop"])
    read(wanted=[[4, 6], "crop"])
    assert read.decoded == 1
    read(wanted=[[4, 6], "resize"])
    read(wanted=[None, "resize"])
    assert read.decoded == 3
    monkeypatch.setattr("PIL.__version__", "99.0")
    read(wanted=[None, "resize"])
    assert read.decoded == 4
    monkeypatch.setattr(image_cache, "_VERSION", 99)
    read(wanted=[None, "resize"])
    assert read.decoded == 5


def test_parts_and_folders_have_caches_of_their_own(read, root, caches, tmp_path):
    shutil.copytree(root, tmp_path / "copy")
    other = Reading(tmp_path / "copy")
    for _ in range(2):
        read("train")
        read("test")
        other("train")
    assert (read.decoded, other.decoded) == (2, 1)
    assert len(list(caches.iterdir())) == 6


def test_a_folder_is_the_same_by_another_path(read, root, monkeypatch, tmp_path):
    read()
    monkeypatch.chdir(tmp_path)
    other = Reading(root.relative_to(tmp_path))
    assert_same(other())
    assert other.decoded == 0


def cut(path):
    path.write_bytes(path.read_bytes()[:-1])


def empty(path):
    path.write_bytes(b"")


def flip(path):
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(bytes(content))


def replace_by_other_images(path):
    with path.open("wb") as file:
        np.save(file, IMAGES.x[:2])


def replace_by_floats(path):
    with path.open("wb") as file:
        np.save(file, IMAGES.x.astype(np.float32))


def replace_by_objects(path):
    with path.open("wb") as file:
        np.save(file, np.array([{}]), allow_pickle=True)


def replace_by_an_archive(path):
    with path.open("wb") as file:
        np.savez(file, IMAGES.x)


def replace_by_a_folder(path):
    path.unlink()
    path.mkdir()


def nest(path):
    path.write_text("[" * 100_000)


def change_a_number(path):
    path.write_text(path.read_text().replace('"frames": 2', '"frames": 3'))


def leave_something_out(path):
    path.write_text("{}")


@pytest.mark.parametrize(
    ("ending", "damage"),
    [
        *(("npy", damage) for damage in (cut, empty, flip, replace_by_other_images)),
        *(("npy", damage) for damage in (replace_by_floats, replace_by_objects)),
        *(("npy", damage) for damage in (replace_by_an_archive,)),
        *(("json", damage) for damage in (cut, empty, nest, change_a_number, leave_something_out)),
    ],
)
def test_a_damaged_cache_is_noted_and_made_anew(read, caches, ending, damage):
    read()
    (path,) = caches.glob(f"*.{ending}")
    damage(path)
    assert_same(read())
    (note,) = read.notes
    assert f"{path.with_suffix('.npy')}: this cache of decoded images cannot be read (" in note
    assert note.endswith("); they were decoded again.")
    assert len(note.splitlines()) == 1
    assert_same(read())
    assert read.notes == ()
    assert read.decoded == 2


@pytest.mark.parametrize("ending", ["npy", "json"])
def test_half_a_cache_is_none(read, caches, ending):
    read()
    next(caches.glob(f"*.{ending}")).unlink()
    assert_same(read())
    assert (read.decoded, read.notes) == (2, ())


@pytest.mark.parametrize("ending", ["npy", "json"])
def test_a_cache_that_cannot_be_replaced_is_noted(read, caches, ending):
    read()
    replace_by_a_folder(next(caches.glob(f"*.{ending}")))
    assert_same(read())
    (note,) = read.notes
    assert "cannot be kept for the next time ([Errno 21] Is a directory" in note
    assert note.endswith("let XDG_CACHE_HOME name a folder with room for them.")


def test_where_nothing_can_be_written_images_are_decoded_each_time(read, root, caches):
    caches.parent.parent.write_text("a file where the cache should be")
    for _ in range(2):
        assert_same(read())
        (note,) = read.notes
        assert note.startswith(f"{root}: the decoded images cannot be kept for the next time (")
    assert read.decoded == 2


def test_a_full_disk_leaves_nothing_behind(read, caches, monkeypatch):
    def full(file, x):
        file.write(b"a part of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(image_cache.np, "save", full)
    assert_same(read())
    assert "No space left on device" in read.notes[0]
    assert list(caches.iterdir()) == []


def test_no_home_is_no_obstacle(read, monkeypatch):
    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr("pathlib.Path.home", homeless)
    assert_same(read())
    assert "cannot be kept for the next time (There is no home folder" in read.notes[0]


class Killed(BaseException):
    pass


@pytest.mark.parametrize("renames", [0, 1])
def test_a_kill_leaves_nothing_half_and_the_next_tidies_up(read, caches, monkeypatch, renames):
    """Before either of the two files has its name; SIGKILL lets nothing be removed."""
    done = []

    def killed(path, target):
        if len(done) == renames:
            raise Killed
        done.append(target)
        replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", killed)
        patch.setattr("pathlib.Path.unlink", lambda path: None)
        with pytest.raises(Killed):
            read()
    assert len(list(caches.iterdir())) == renames + 1
    assert_same(read())
    assert (read.decoded, read.notes) == (2, ())
    assert len(list(caches.iterdir())) == 2
    assert_same(read())
    assert read.decoded == 2


def test_another_process_may_drop_what_is_being_written(read, caches, monkeypatch):
    def dropped(path, target):
        path.unlink()
        replace(path, target)

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.replace", dropped)
        assert_same(read())
    assert read.notes == ()
    assert list(caches.iterdir()) == []


def test_what_fails_to_decode_is_not_kept(read, root, caches):
    def decode():
        raise ValueError("no image")

    with pytest.raises(ValueError, match="no image"):
        ImageCache(root, "train", [], None).get(decode)
    assert not caches.exists()


def test_a_file_that_is_gone_by_now_is_for_decoding_to_tell(root):
    cache = ImageCache(root, "train", [root / "cat" / "gone.png"], None)
    images = Decoded(IMAGES.x[:1], IMAGES.form, IMAGES.reduced)
    assert cache.get(lambda: images)[0] is images


@pytest.mark.skipif(os.name == "nt", reason="Windows takes no such names")
def test_names_of_any_bytes_do(tmp_path):
    root = tmp_path / os.fsdecode(b"caf\xe9")
    (root / "cat").mkdir(parents=True)
    (root / "cat" / os.fsdecode(b"\xff.png")).touch()
    read = Reading(root)
    images = Decoded(IMAGES.x[:1], IMAGES.form, IMAGES.reduced)
    assert_same(read(images=images), images)
    assert_same(read(images=images), images)
    assert read.decoded == 1
