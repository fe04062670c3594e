"""Images as small pictures that a browser shows."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

LONGEST = 96
"""Pixels along the longer side; larger images are shrunk to it."""

PNG, JPEG = "image/png", "image/jpeg"

_CHANNELS = (1, 3)
_QUALITY = 85


@dataclass(frozen=True)
class Thumbnail:
    """A small picture.

    Attributes:
        type: `image/png` or `image/jpeg`.
        width: in pixels.
        height: in pixels.
        data: the bytes of its file.
    """

    type: str
    width: int
    height: int
    data: bytes


def can_be_shown(images: Any) -> bool:
    """Tell whether inputs are grey or coloured images, of shape (n, height, width, channels)."""
    if not isinstance(images, np.ndarray):
        return False
    is_real = images.dtype.kind in "buif"
    return images.ndim == 4 and is_real and images.shape[-1] in _CHANNELS and 0 not in images.shape


def thumbnail(image: NDArray[Any], black: float, white: float) -> Thumbnail:
    """Return an image as a small picture.

    Small images keep every pixel, as PNG. Larger ones are shrunk, and become JPEG.

    Args:
        image: of shape (height, width, channels), with 1 or 3 channels.
        black: the value that is shown black; less is black, too.
        white: the value that is shown white; more is white, too.
    """
    span = (white - black) or 1.0
    shares = (np.nan_to_num(image.astype(np.float64)) - black) / span
    pixels = np.rint(255 * np.clip(shares, 0, 1)).astype(np.uint8)
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    file = io.BytesIO()
    if max(picture.size) <= LONGEST:
        kind = PNG
        picture.save(file, "PNG", optimize=True)
    else:
        kind = JPEG
        picture.thumbnail((LONGEST, LONGEST), Image.Resampling.LANCZOS)
        picture.save(file, "JPEG", quality=_QUALITY)
    return Thumbnail(kind, *picture.size, file.getvalue())
