import os
import stat

import numpy as np
import pytest
from PIL import Image

from onecycle_cli.data.files.images import Form, common_form, decoded
from onecycle_cli.errors import DataError

PIXELS = np.random.default_rng(3).integers(0, 256, (6, 4, 3), dtype=np.uint8)
LOSSLESS = {"png": {}, "tiff": {}, "webp": {"lossless": True}}


@pytest.fixture
def save(tmp_path):
    def write(pixels, name="a.png", mode=None, **options):
        image = Image.fromarray(pixels)
        (image.convert(mode) if mode else image).save(tmp_path / name, **options)
        return tmp_path / name

    return write


def read(*paths):
    """Return the images, and how many have several frames."""
    form, with_frames = common_form(list(paths))
    return decoded(list(paths), form), with_frames


UPRIGHT = {
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: np.rot90(p, -1),
    7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
    8: lambda p: np.rot90(p),
}


def turned(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("ending", [*LOSSLESS, "jpg"])
def test_images_are_turned_as_exif_says(save, ending, orientation):
    smooth = PIXELS // 8 + np.arange(6, dtype=np.uint8)[:, None, None] * 30
    options = LOSSLESS.get(ending, {"quality": 100, "subsampling": 0})
    path = save(smooth, f"a.{ending}", exif=turned(orientation), **options)
    (x,), _ = read(path)
    expected = UPRIGHT[orientation](smooth)
    tolerance = 4 if ending == "jpg" else 0
    assert x.shape == expected.shape
    assert np.abs(x.astype(int) - expected).max() <= tolerance


def test_sizes_are_those_of_the_upright_images(save):
    lying = save(PIXELS, "a.png", exif=turned(6))
    standing = save(PIXELS.swapaxes(0, 1).copy(), "b.png")
    assert read(lying, standing)[0].shape == (2, 4, 6, 3)
    with pytest.raises(DataError, match=r"c\.png must have the size of .*a\.png, 6x4.*got 4x6"):
        read(lying, save(PIXELS, "c.png"))


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0nonsense", turned(99)]
)
def test_damaged_exif_data_turn_nothing(save, exif):
    (x,), _ = read(save(PIXELS, exif=exif))
    np.testing.assert_array_equal(x, PIXELS)


EPS = b"""%!PS-Adobe-3.0 EPSF-3.0
%%BoundingBox: 0 0 4 6
%%EndComments
(a program) print
showpage
%%EOF
"""


@pytest.mark.parametrize("content", [EPS, b"", b"%PDF-1.4\n", b"\x00\x00\x01\x00", b"II\xbc\x01"])
def test_only_images_are_opened_whatever_their_names(tmp_path, monkeypatch, content):
    """Pillow hands EPS to Ghostscript, which is found on the path."""
    ghostscript = tmp_path / "bin" / "gs"
    ghostscript.parent.mkdir()
    ghostscript.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    ghostscript.chmod(ghostscript.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(ghostscript.parent), prepend=os.pathsep)
    monkeypatch.setattr("PIL.EpsImagePlugin.gs_binary", None)
    (tmp_path / "a.png").write_bytes(content)
    for action in (common_form, lambda paths: decoded(paths, Form((4, 6), "RGB"))):
        with pytest.raises(DataError, match=r"a\.png cannot be read as an image \(it is none of"):
            action([tmp_path / "a.png"])
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("ending", ["gif", "png", "webp", "tiff"])
def test_of_several_frames_the_first_is_taken(save, ending):
    first = np.full((6, 4, 3), 255, np.uint8)
    others = [Image.fromarray(PIXELS // 2), Image.fromarray(PIXELS // 3)]
    options = LOSSLESS.get(ending, {})
    moving = save(first, f"a.{ending}", save_all=True, append_images=others, **options)
    still = save(first, f"b.{ending}", **options)
    x, with_frames = read(moving, still)
    assert with_frames == 1
    assert (x == 255).all()


def test_what_comes_after_the_first_frame_may_be_damaged(save):
    frames = {"save_all": True, "append_images": [Image.fromarray(PIXELS)]}
    path = save(np.full((6, 4, 3), 255, np.uint8), "a.gif", **frames)
    path.write_bytes(path.read_bytes()[:-40])
    assert (read(path)[0] == 255).all()


@pytest.mark.parametrize(
    ("mode", "name"),
    [("CMYK", "a.jpg"), ("CMYK", "a.tiff"), ("P", "a.png"), ("P", "a.gif"), ("YCbCr", "a.jpg")],
)
def test_other_colours_become_red_green_and_blue(save, mode, name):
    pixels = np.broadcast_to(np.uint8([255, 0, 0]), (6, 4, 3)).copy()
    (x,), _ = read(save(pixels, name, mode))
    assert np.abs(x.astype(int) - pixels).max() <= 3


@pytest.mark.parametrize(
    ("mode", "name"), [("L", "a.png"), ("1", "a.png"), ("L", "a.pgm"), ("L", "a.jpg")]
)
def test_grey_has_one_channel(save, mode, name):
    x, _ = read(save(np.full((6, 4), 255, np.uint8), name, mode))
    assert x.shape == (1, 6, 4, 1)
    assert (x == 255).all()


@pytest.mark.parametrize(
    ("pixels", "name", "mode"),
    [
        (np.zeros((6, 4), np.uint16), "a.png", "I;16"),
        (np.zeros((6, 4), np.uint16), "a.tiff", "I;16"),
        (np.zeros((6, 4), np.int32), "a.tiff", "I"),
        (np.zeros((6, 4), np.float32), "a.tiff", "F"),
    ],
)
def test_more_than_eight_bits_are_refused(save, pixels, name, mode):
    with pytest.raises(DataError, match=rf"must have 8 bits a channel, got Pillow's mode '{mode}'"):
        read(save(pixels, name))


@pytest.mark.parametrize("end", [0, 10, 40, 70])
def test_a_truncated_image_is_named(save, end):
    path = save(PIXELS)
    path.write_bytes(path.read_bytes()[:end])
    with pytest.raises(DataError, match=r"a\.png cannot be read as an image \("):
        read(path)


def test_a_folder_is_no_image(tmp_path):
    (tmp_path / "a.png").mkdir()
    with pytest.raises(DataError, match=r"a\.png cannot be read as an image \(Is a directory\)"):
        read(tmp_path / "a.png")


def test_a_bomb_is_an_error(save, monkeypatch):
    path = save(PIXELS)
    for limit in (20, 10):  # of 24 pixels: Pillow would only warn of the first
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(DataError, match=r"a\.png is too large to be opened safely \("):
            read(path)
