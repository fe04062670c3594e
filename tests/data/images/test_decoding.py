import threading
import warnings

import numpy as np
import pytest
from PIL import Image

from onecycle_cli.data.images import decoding
from onecycle_cli.data.images.decoding import Reduced, common_form, decoded, headers_of
from onecycle_cli.data.images.images import Form
from onecycle_cli.errors import DataError

COUNT = 50
PIXELS = np.random.default_rng(5).integers(0, 256, (COUNT, 6, 4, 3), dtype=np.uint8)
FORM = Form((4, 6), "RGB")


@pytest.fixture
def paths(tmp_path):
    found = [tmp_path / f"{i:02d}.png" for i in range(COUNT)]
    for path, pixels in zip(found, PIXELS, strict=True):
        Image.fromarray(pixels).save(path)
    return found


@pytest.mark.parametrize("count", [1, 15, 16, 17, 32, COUNT])
@pytest.mark.parametrize("cpus", [None, 1, 2, 64])
def test_images_keep_their_order(paths, monkeypatch, count, cpus):
    monkeypatch.setattr(decoding.os, "cpu_count", lambda: cpus)
    np.testing.assert_array_equal(decoded(paths[:count], FORM), PIXELS[:count])


def test_several_are_decoded_at_a_time(paths, monkeypatch):
    """Each of two waits until the other is there too."""
    together = threading.Barrier(2, timeout=10)

    def decode(path, form):
        if path in (paths[0], paths[16]):
            together.wait()
        return np.zeros(form.shape, np.uint8)

    monkeypatch.setattr(decoding.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(decoding, "decode", decode)
    assert decoded(paths, FORM).shape == (COUNT, 6, 4, 3)


def test_progress_is_told_by_the_calling_thread(paths):
    told = []
    decoded(paths, FORM, lambda *of: told.append((*of, threading.current_thread())))
    here = threading.current_thread()
    assert told == [(done, COUNT, here) for done in (16, 32, 48, 50)]


def test_after_many_images_that_fail_the_rest_is_left(paths, monkeypatch):
    monkeypatch.setattr(decoding.os, "cpu_count", lambda: 1)
    seen = []
    decode = decoding.decode
    monkeypatch.setattr(
        decoding, "decode", lambda path, form: seen.append(path) or decode(path, form)
    )
    for broken in (paths[20], paths[2]):
        broken.write_bytes(broken.read_bytes()[:60])
    with pytest.raises(DataError, match=r"02\.png cannot be read as an image.*remove it\. So it"):
        decoded(paths * 40, FORM)
    assert len(seen) < 40 * COUNT


def test_who_breaks_off_waits_for_little(paths, monkeypatch):
    monkeypatch.setattr(decoding.os, "cpu_count", lambda: 1)
    seen = []
    monkeypatch.setattr(
        decoding, "decode", lambda path, form: seen.append(path) or np.zeros(form.shape, np.uint8)
    )

    def interrupted(done, total):
        raise KeyboardInterrupt

    before = set(threading.enumerate())  # another test may have left one behind
    with pytest.raises(KeyboardInterrupt):
        decoded(paths * 40, FORM, interrupted)
    assert len(seen) < 40 * COUNT
    assert set(threading.enumerate()) <= before


def test_a_bomb_is_an_error_in_every_thread(paths, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 20)  # of 24: Pillow would only warn
    for action in (common_form, lambda paths: decoded(paths, FORM)):
        before = list(warnings.filters)
        with pytest.raises(DataError, match=r"00\.png is too large to be opened safely \("):
            action(paths)
        assert warnings.filters == before


def test_what_is_lost_is_counted(paths):
    for i in (3, 30):
        Image.fromarray(np.zeros((6, 4), np.uint16)).save(paths[i])
    frames = [Image.fromarray(PIXELS[0])]
    Image.fromarray(PIXELS[1]).save(paths[7], save_all=True, append_images=frames)
    assert common_form(paths) == (FORM, Reduced(frames=1, bits=2))
    assert common_form(paths[:3]) == (FORM, Reduced())


def test_sizes_must_agree_unless_one_is_asked_for(paths):
    Image.fromarray(PIXELS[0, :5]).save(paths[40])
    sentence = r"40\.png must have the size of .*00\.png, 4x6 pixels, got 4x5 pixels; set dataset"
    with pytest.raises(DataError, match=sentence):
        common_form(paths)
    assert common_form(paths, (9, 8), "crop")[0] == Form((9, 8), "RGB", "crop")
    with pytest.raises(DataError, match=r"40\.png must have the size of the training images, 4x6"):
        decoded(paths, FORM)


def test_they_are_grey_when_all_are(paths):
    for path in paths:
        with Image.open(path) as image:
            image.convert("L").save(path)
    assert common_form(paths)[0].mode == "L"
    Image.fromarray(PIXELS[0]).save(paths[-1])
    assert common_form(paths)[0].mode == "RGB"


@pytest.mark.parametrize("read", [headers_of, lambda paths: decoded(paths, FORM)])
def test_all_that_can_not_be_read_are_named_at_once(paths, read):
    for row in (40, 7, 18):
        paths[row].write_bytes(b"no image")
    with pytest.raises(DataError) as error:
        read(paths)
    assert str(error.value).startswith(f"{paths[7]} cannot be read as an image (")
    assert str(error.value).endswith(f" So it is with {paths[18]}, {paths[40]}.")
    for path in paths[20:]:
        path.write_bytes(b"no image")
    with pytest.raises(DataError, match=r"07\.png cannot be .*\.png and more\.$"):
        read(paths)
