"""An image file as an array of a given form: upright, 8 bits a channel, never a program's work."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.files.names import readable_name
from onecycle_cli.data.sources.source import reason
from onecycle_cli.errors import DataError

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMATS = ("AVIF", "BMP", "DIB", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
"""What a file may be, whatever it is called: for EPS, Pillow would start another program."""

_WITH_FRAMES = frozenset({"AVIF", "GIF", "PNG", "TIFF", "WEBP"})
_DEEP_GREY = frozenset({"I;16", "I;16B", "I;16L", "I;16N"})
_GREY = frozenset({"1", "L", "LA", "La"}) | _DEEP_GREY
_COLOUR = frozenset({"P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "LAB"})

_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0  # a tag of TIFF, and its value in a negative


@dataclass(frozen=True)
class Form:
    """What all images share.

    Attributes:
        size: width and height in pixels.
        mode: grey or colour, `L` or `RGB` in Pillow's words.
        fit: how images of another size come to this one: `resize` changes their proportions, `crop`
            cuts off what is too much of the longer side; `None`: they are refused.
    """

    size: tuple[int, int]
    mode: str
    fit: str | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of an image as an array: height, width, channels."""
        return self.size[1], self.size[0], 1 if self.mode == "L" else 3


@dataclass(frozen=True)
class Header:
    """What is known of an image before its pixels are decoded.

    Attributes:
        size: width and height in pixels, of the upright image.
        is_grey: whether it has no colours, going by its mode.
        has_frames: whether it moves or has pages.
        is_deep: whether it has more than 8 bits a channel, where Pillow tells.
    """

    size: tuple[int, int]
    is_grey: bool
    has_frames: bool
    is_deep: bool


def read_header(path: Path) -> Header:
    """Read what an image is like, within `safe_opening`.

    Raises:
        DataError: it can't be read as an image, or its channels have neither 8 nor 16 bits.
    """
    with _opened(path) as image:
        return Header(_upright_size(image), _is_grey(image), _has_frames(image), _is_deep(image))


def decode(path: Path, form: Form) -> NDArray[np.uint8]:
    """Return an image, its first frame, as an array of shape `form.shape`, within `safe_opening`.

    Raises:
        DataError: it can't be read, or is of another size and has no `form.fit` to come to it.
    """
    with _opened(path) as image:
        upright = _turned(_with_eight_bits(image), _orientation(image))
        _check_size(path, upright.size, form)
        return np.asarray(_fitted(upright.convert(form.mode), form)).reshape(form.shape)


def check_size(paths: Iterable[Path], form: Form) -> None:
    """Refuse images of another size where nothing brings them to this one; reads headers only.

    Raises:
        DataError: one is of another size, or can't be read.
    """
    with safe_opening():
        for path in paths:
            _check_size(path, read_header(path).size, form)


@contextmanager
def safe_opening() -> Iterator[None]:
    """Let images of too many pixels be errors, and other warnings of Pillow's be silent.

    The limit on pixels, a warning by default, counts as an error here: a file of a few kilobytes
    can otherwise unpack to gigabytes. Filters of warnings belong to all threads, so this is entered
    once, around all that read images at the same time.
    """
    from PIL import Image

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


def by(size: tuple[int, int]) -> str:
    """Return a width and height in words."""
    return f"{size[0]}x{size[1]} pixels"


def _check_size(path: Path, size: tuple[int, int], form: Form) -> None:
    if form.fit is None and size != form.size:
        raise DataError(
            f"{readable_name(path)} must have the size of the training images, "
            f"{by(form.size)}, got {by(size)}; set dataset.size: [HEIGHT, WIDTH] "
            f"to have all images brought to one size."
        )


def _fitted(image: Image, form: Form) -> Image:
    """Return the image in the form's size; where it shrinks, each pixel is a mean of several."""
    if image.size == form.size:
        return image
    from PIL import ImageOps
    from PIL.Image import Resampling

    if form.fit == "crop":
        return ImageOps.fit(image, form.size, Resampling.BILINEAR)
    return image.resize(form.size, Resampling.BILINEAR)


def _with_eight_bits(image: Image) -> Image:
    """Return the image with 8 bits a channel, the upper ones of 16, in a mode that converts."""
    if image.mode == "La":  # Pillow takes it no further than this
        return image.convert("LA")
    if not _is_deep_grey(image):
        return image
    from PIL.Image import fromarray

    lower_bits = 4 if _layout(image) == "I;12" else 8
    upper = (np.asarray(image) >> lower_bits).astype(np.uint8)
    is_negative = getattr(image, "tag_v2", {}).get(_PHOTOMETRIC) == _WHITE_IS_ZERO
    return fromarray(~upper if is_negative else upper)  # Pillow turns negatives of 8 bits by itself


def _is_deep(image: Image) -> bool:
    """Tell of more than 8 bits a channel; of colours, Pillow itself keeps the upper 8."""
    return _is_deep_grey(image) or ";16" in _layout(image)


def _is_deep_grey(image: Image) -> bool:
    return image.mode in _DEEP_GREY or (image.mode == "I" and image.format == "PPM")


def _is_grey(image: Image) -> bool:
    return image.mode in _GREY or _is_deep_grey(image) or _layout(image).startswith("LA;16")


def _layout(image: Image) -> str:
    """Return how the pixels lie in the file, in Pillow's words, before they are decoded."""
    tiles = getattr(image, "tile", None)
    found = tiles[0][3] if tiles else ""
    return str(found[0] if isinstance(found, tuple) and found else found)


def _has_frames(image: Image) -> bool:
    """Tell whether it moves or has pages; the first counts, whatever the others are like."""
    with suppress(Exception):
        return image.format in _WITH_FRAMES and bool(getattr(image, "is_animated", False))
    return False


def _upright_size(image: Image) -> tuple[int, int]:
    """Return width and height after turning, from the header alone."""
    if image.format == "PNG" and "exif" not in image.info:  # else Pillow would read all of it
        return image.size
    width, height = image.size
    return (height, width) if _orientation(image) in (5, 6, 7, 8) else (width, height)


def _turned(image: Image, orientation: int) -> Image:
    """Return the image turned as a number of EXIF says."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    turn = turns.get(orientation)
    return image if turn is None else image.transpose(turn)


def _orientation(image: Image) -> int:
    """Return the number that EXIF has for it; 1, as it is, where there is none that can be read."""
    from PIL.ExifTags import Base

    if image.format == "TIFF":  # Pillow turns these by itself
        return 1
    with suppress(Exception):  # damaged EXIF data can raise nearly anything
        return int(image.getexif().get(Base.Orientation, 1))
    return 1


@contextmanager
def _opened(path: Path) -> Iterator[Image]:
    """Open an image; turn whatever goes wrong with it into one sentence.

    Pillow gets no path: it would map some files into memory, and lose pixels of turned TIFFs so.
    """
    from PIL import Image

    try:
        with path.open("rb") as file, Image.open(file, formats=_FORMATS) as image:
            _check_mode(path, image)
            yield image
    except DataError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise DataError(
            f"{readable_name(path)} is too large to be opened safely ({reason(error)})."
        ) from error
    except Exception as error:  # a damaged image can raise nearly anything
        raise DataError(
            f"{readable_name(path)} cannot be read as an image ({_why(error)}); replace or "
            "remove it."
        ) from error


def _check_mode(path: Path, image: Image) -> None:
    if image.mode not in _GREY | _COLOUR and not _is_deep_grey(image):
        what = "floats" if image.mode == "F" else "whole numbers of 32 bits, or with a sign"
        raise DataError(
            f"{readable_name(path)} must have 8 or 16 bits a channel, got {what} (Pillow's mode "
            f"{image.mode!r}); convert it, or use 'arrays' with floats."
        )


def _why(error: Exception) -> str:
    """Return why, without the path that the system and Pillow repeat."""
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return f"it is none of {', '.join(_FORMATS)}"
    return (isinstance(error, OSError) and error.strerror) or reason(error)
