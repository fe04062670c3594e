"""Image files as arrays of one form: upright, 8 bits a channel, never another program's work."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
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
_GREY = frozenset({"1", "L"})
_COLOUR = frozenset({"P", "PA", "LA", "La", "RGB", "RGBA", "RGBX", "RGBa", "CMYK", "YCbCr", "LAB"})


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


def common_form(
    paths: list[Path], size: tuple[int, int] | None = None, fit: str | None = None
) -> tuple[Form, int]:
    """Read every header, and return what the images share, and how many have several frames.

    Args:
        paths: of the images.
        size: width and height that they are to have; `None`: those of the first, and of all.
        fit: how they come to that size, as in `Form`.

    Raises:
        DataError: an image can't be read, or its size is not that of the first.
    """
    common, grey, with_frames = size, True, 0
    for path in paths:
        with _opened(path) as image:
            found = _upright_size(image)
            common = common or found
            if size is None and found != common:
                raise DataError(
                    f"{readable_name(path)} must have the size of {readable_name(paths[0])}, "
                    f"{_by(common)}, got {_by(found)}; set dataset.size: [HEIGHT, WIDTH] to have "
                    f"all images brought to one size."
                )
            grey = grey and image.mode in _GREY
            with_frames += _has_frames(image)
    return Form(common or (0, 0), "L" if grey else "RGB", fit if size else None), with_frames


def decoded(paths: list[Path], form: Form) -> NDArray[np.uint8]:
    """Return the images, of each the first frame, as an array of shape (n, *form.shape).

    Raises:
        DataError: an image can't be read, or is of another size.
    """
    x = np.empty((len(paths), *form.shape), np.uint8)
    for row, path in enumerate(paths):
        with _opened(path) as image:
            upright = _upright(image)
            if form.fit is None and upright.size != form.size:
                raise DataError(
                    f"{readable_name(path)} must have the size of the training images, "
                    f"{_by(form.size)}, got {_by(upright.size)}; set dataset.size: [HEIGHT, WIDTH] "
                    f"to have all images brought to one size."
                )
            x[row] = np.asarray(_fitted(upright.convert(form.mode), form)).reshape(form.shape)
    return x


def _fitted(image: Image, form: Form) -> Image:
    """Return the image in the form's size; where it shrinks, each pixel is a mean of several."""
    if image.size == form.size:
        return image
    from PIL import ImageOps
    from PIL.Image import Resampling

    if form.fit == "crop":
        return ImageOps.fit(image, form.size, Resampling.BILINEAR)
    return image.resize(form.size, Resampling.BILINEAR)


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]} pixels"


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


def _upright(image: Image) -> Image:
    """Return the image turned as its EXIF data say."""
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
    turn = turns.get(_orientation(image))
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

    Pillow's limit on the number of pixels, a warning by default, counts as an error here: a file
    of a few kilobytes can otherwise unpack to gigabytes.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=_FORMATS) as image:
                if image.mode not in _GREY | _COLOUR:
                    raise DataError(
                        f"{readable_name(path)} must have 8 bits a channel, got Pillow's mode "
                        f"{image.mode!r}; convert it, or use 'arrays' with floats."
                    )
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


def _why(error: Exception) -> str:
    """Return why, without the path that the system and Pillow repeat."""
    from PIL import UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return f"it is none of {', '.join(_FORMATS)}"
    return (isinstance(error, OSError) and error.strerror) or reason(error)
