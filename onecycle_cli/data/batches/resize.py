"""Smaller images in the first part of a training, by averaging over areas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.errors import DataError

if TYPE_CHECKING:
    from onecycle_cli.config import TrainConfig


@dataclass(frozen=True)
class Resize:
    """Which size the images of a training step have.

    Attributes:
        ends: the first step, counted from 0 through the whole training, that is past each stretch.
        sizes: height and width of the images in each stretch, in pixels.
    """

    ends: tuple[int, ...]
    sizes: tuple[int, ...]

    def at(self, step: int) -> int | None:
        """Return the images' height and width at a step; None: as they are."""
        stretches = zip(self.ends, self.sizes, strict=True)
        return next((size for end, size in stretches if step < end), None)


def resizing(config: TrainConfig, total_steps: int) -> Resize | None:
    """Return what the configuration asks for in a training of so many steps; None for nothing."""
    if config.resize is None:
        return None
    ends = (math.floor(stretch.until * total_steps + 1e-9) for stretch in config.resize)
    return Resize(tuple(ends), tuple(stretch.size for stretch in config.resize))


def check_resize(sizes: Sequence[int], input_shape: tuple[int, ...]) -> None:
    """Refuse sizes that the images can't be brought to.

    Raises:
        DataError: the inputs are no images, are not square, or would have to grow.
    """
    if len(input_shape) != 3 or input_shape[0] != input_shape[1]:
        raise DataError(
            f"train.resize needs square images, got inputs of shape {input_shape}; remove it."
        )
    for size in sizes:
        if size > input_shape[0]:
            raise DataError(
                f"train.resize.size must be at most the images' {input_shape[0]} pixels, "
                f"got {size}."
            )


def shrink(images: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Average each image over areas, down to `size` x `size` pixels.

    Args:
        images: shape (b, height, width, channels), sides at least `size`.
        size: of the result, in pixels.
    """
    count, height, width, channels = images.shape
    rows = _areas(height, size) @ images.reshape(count, height, width * channels)
    columns = _areas(width, size) @ rows.reshape(count * size, width, channels)
    return columns.reshape(count, size, size, channels)


@lru_cache(maxsize=8)
def _areas(length: int, size: int) -> NDArray[np.float32]:
    """Return the share of each of `length` pixels in each of `size`; rows add up to 1."""
    edges = np.linspace(0, length, size + 1)
    first, last = edges[:-1, None], edges[1:, None]
    pixels = np.arange(length)
    overlap = np.minimum(last, pixels + 1) - np.maximum(first, pixels)
    return (np.clip(overlap, 0, None) * size / length).astype(np.float32)
