import os
import stat
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from onecycle_cli.data.images.decoding import common_form, decoded
from onecycle_cli.data.images.images import Form, decode, read_header, safe_opening
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
    """Return the images, and how many are less than their files."""
    form, reduced = common_form(list(paths))
    return decoded(list(paths), form), reduced


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


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGBA", "CMYK"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_tiff_of_any_mode_is_turned(save, mode, orientation):
    """Pillow maps plain ones into memory, where it can, and then takes height for width."""
    plain = read(save(PIXELS, "a.tiff", mode))[0][0]
    (x,), _ = read(save(PIXELS, "b.tiff", mode, exif=turned(orientation)))
    np.testing.assert_array_equal(x, UPRIGHT[orientation](plain))


def test_sizes_are_those_of_the_upright_images(save):
    lying = save(PIXELS, "a.png", exif=turned(6))
    standing = save(PIXELS.swapaxes(0, 1).copy(), "b.png")
    assert read_header(lying).size == read_header(standing).size == (6, 4)
    assert read(lying, standing)[0].shape == (2, 4, 6, 3)


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
    for action in (read_header, lambda path: decode(path, Form((4, 6), "RGB"))):
        with pytest.raises(DataError, match=r"a\.png cannot be read as an image \(it is none of"):
            action(tmp_path / "a.png")
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize("ending", ["gif", "png", "webp", "tiff"])
def test_of_several_frames_the_first_is_taken(save, ending):
    first = np.full((6, 4, 3), 255, np.uint8)
    others = [Image.fromarray(PIXELS // 2), Image.fromarray(PIXELS // 3)]
    options = LOSSLESS.get(ending, {})
    moving = save(first, f"a.{ending}", save_all=True, append_images=others, **options)
    still = save(first, f"b.{ending}", **options)
    x, reduced = read(moving, still)
    assert (reduced.frames, reduced.bits) == (1, 0)
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
    ("channels", "name", "left"), [(2, "a.png", 1), (2, "a.tiff", 1), (4, "a.png", 3)]
)
@pytest.mark.parametrize("alpha", [0, 9, 255])
def test_transparency_is_dropped(save, channels, name, left, alpha):
    pixels = np.full((6, 4, channels), 200, np.uint8)
    pixels[..., -1] = alpha
    (x,), _ = read(save(pixels, name))
    assert x.shape == (6, 4, left)
    assert (x == 200).all()


def test_colours_below_transparency_are_kept(save):
    pixels = np.dstack([PIXELS, np.zeros((6, 4), np.uint8)])
    np.testing.assert_array_equal(read(save(pixels, "a.png"))[0][0], PIXELS)
    np.testing.assert_array_equal(
        read(save(pixels, "a.webp", lossless=True, exact=True))[0][0], PIXELS
    )


@pytest.mark.parametrize("transparent", [0, bytes([0, 128, 255])])
def test_a_palette_may_have_transparent_colours(save, transparent):
    with Image.open(save(PIXELS, "a.png", "P")) as image:
        expected = np.asarray(image.convert("RGB"))
    (x,), _ = read(save(PIXELS, "b.png", "P", transparency=transparent))
    np.testing.assert_array_equal(x, expected)


def test_grey_multiplied_by_its_transparency_is_divided_again(save, tmp_path):
    """Which some programs write to TIFF; Pillow reads it as a mode that converts to one other."""
    path = save(np.full((6, 4, 2), 100, np.uint8), "a.tiff")
    plain, multiplied = (struct.pack("<HHIHH", 338, 3, 1, kind, 0) for kind in (2, 1))
    assert plain in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(plain, multiplied))
    try:
        with Image.open(path) as image:
            assert image.mode == "La"
    except UnidentifiedImageError:
        pytest.skip("older versions of Pillow do not read it")
    (x,), _ = read(path)
    assert x.shape == (6, 4, 1)
    assert (x == 255).all()  # 100 of 100 parts of light


DEEP = (np.arange(24, dtype=np.uint16) * 2849).reshape(6, 4)  # 0 to 65527


class TestSixteenBits:
    """The upper 8 are kept."""

    @pytest.mark.parametrize(
        ("pixels", "name", "options"),
        [
            (DEEP, "a.png", {}),
            (DEEP, "a.tiff", {}),
            (DEEP, "a.tiff", {"compression": "tiff_adobe_deflate"}),
            (DEEP.astype(">u2"), "a.tiff", {}),
            (DEEP.astype(">u2"), "a.tiff", {"compression": "tiff_lzw"}),
            (DEEP, "a.pgm", {}),
            (DEEP, "a.jp2", {"irreversible": False}),
        ],
    )
    def test_grey_has_one_channel(self, save, pixels, name, options):
        path = save(pixels, name, **options)
        with Image.open(path) as image:
            assert image.mode.startswith("I")
        (x,), reduced = read(path)
        np.testing.assert_array_equal(x[..., 0], DEEP >> 8)
        assert (reduced.frames, reduced.bits) == (0, 1)

    @pytest.mark.parametrize(("value", "upper"), [(0, 0), (255, 0), (256, 1), (65535, 255)])
    def test_the_lower_are_cut_off(self, save, value, upper):
        assert (read(save(np.full((6, 4), value, np.uint16)))[0] == upper).all()

    def test_of_twelve_the_upper_eight_are_kept(self, tmp_path):
        """Two pixels in three bytes, which Pillow reads and does not write."""
        rows = bytes([0x12, 0x3F, 0xFF, 0x80, 0x00, 0x00])
        tags = [(256, 2), (257, 2), (258, 12), (259, 1), (262, 1), (273, 0), (278, 2), (279, 6)]
        head = b"II*\0" + struct.pack("<I", 8 + len(rows)) + rows
        fields = [struct.pack("<HHII", tag, 4, 1, value or 8) for tag, value in tags]
        table = struct.pack("<H", len(fields)) + b"".join(fields) + bytes(4)
        (tmp_path / "a.tiff").write_bytes(head + table)
        (x,), reduced = read(tmp_path / "a.tiff")
        assert x[..., 0].tolist() == [[0x12, 0xFF], [0x80, 0x00]]
        assert reduced.bits == 1

    def test_a_negative_becomes_a_positive(self, save):
        """As Pillow does by itself where there are 8 bits."""
        positive = 255 - (DEEP >> 8).astype(np.uint8)
        eight = save(positive, "a.tiff", tiffinfo={262: 0})  # Pillow writes its negative, but
        sixteen = save(DEEP, "b.tiff", tiffinfo={262: 0})  # these values as they are
        assert positive.tobytes() not in eight.read_bytes()
        assert DEEP.tobytes() in sixteen.read_bytes()
        for x in read(eight, sixteen)[0]:
            np.testing.assert_array_equal(x[..., 0], positive)

    @pytest.mark.parametrize("ending", ["png", "tiff"])
    def test_they_are_turned_as_exif_says(self, save, ending):
        path = save(DEEP, f"a.{ending}", exif=turned(6))
        assert read_header(path).size == (6, 4)
        np.testing.assert_array_equal(read(path)[0][0, ..., 0], np.rot90(DEEP, -1) >> 8)

    @pytest.mark.parametrize(("kind", "channels"), [(2, 3), (4, 1), (6, 3)])
    def test_colour_and_transparency_may_have_them_too(self, tmp_path, kind, channels):
        """Of a PNG with 16 bits a channel: colours, grey with transparency, and both."""
        count = {2: 3, 4: 2, 6: 4}[kind]
        pixels = np.dstack([DEEP] * count).astype(">u2")
        (tmp_path / "a.png").write_bytes(png(pixels, kind))
        (x,), reduced = read(tmp_path / "a.png")
        assert x.shape == (6, 4, channels)
        assert (x == (DEEP >> 8)[..., None]).all()
        assert reduced.bits == 1

    def test_among_colours_they_become_colour(self, save):
        x, reduced = read(save(DEEP), save(PIXELS, "b.png"))
        np.testing.assert_array_equal(x[0], np.dstack([DEEP >> 8] * 3))
        assert reduced.bits == 1


def png(pixels, kind):
    """Return a PNG of 16 bits a channel, which Pillow writes for grey only."""
    height, width = pixels.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


@pytest.mark.parametrize(
    ("pixels", "name", "got"),
    [
        (np.zeros((6, 4), np.float32), "a.tiff", r"floats \(Pillow's mode 'F'\)"),
        (np.zeros((6, 4), np.float32), "a.pfm", r"floats \(Pillow's mode 'F'\)"),
        (np.zeros((6, 4), np.int32), "a.tiff", r"whole numbers .* \(Pillow's mode 'I'\)"),
    ],
)
def test_what_has_no_eight_upper_bits_is_refused(save, pixels, name, got):
    path = save(pixels, name)
    sentence = rf"a\.\w+ must have 8 or 16 bits a channel, got {got}; convert it, or use 'arrays'"
    for action in (read_header, lambda path: decode(path, Form((4, 6), "L"))):
        with pytest.raises(DataError, match=sentence):
            action(path)


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
        with safe_opening(), pytest.raises(DataError, match=r"a\.png is too large to be opened sa"):
            read_header(path)
