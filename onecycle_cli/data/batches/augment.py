"""Random flips, crops and cutouts, as index arithmetic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.config import source_of
from onecycle_cli.errors import DataError

if TYPE_CHECKING:
    from onecycle_cli.config import DatasetConfig


@dataclass(frozen=True)
class Augment:
    """What happens to each training image, each time it is seen.

    An image is padded by `crop` pixels on each side, by reflection without repeating the edge, and
    a window of its own size is cut out at random; half of the windows are mirrored; a square of
    `cutout` pixels around a random pixel is set to the mean, clipped where it leaves the image
    (DeVries and Taylor, "Improved Regularization of Convolutional Neural Networks with Cutout",
    arXiv:1708.04552).

    Attributes:
        flip: mirror left and right, with probability 1/2. `alternate`: an image is mirrored in
            every second epoch, and half of the images start with it (Jordan, arXiv:2404.00498).
        crop: pixels of padding, 0 for none; below the image's sides.
        cutout: the square's side in pixels, 0 for none; below the image's sides.
    """

    flip: bool | Literal["alternate"] = True
    crop: int = 4
    cutout: int = 0

    def grid(
        self, draws: NDArray[np.float64], height: int, width: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return which row and column of an image each pixel of its window comes from.

        Args:
            draws: uniform in [0, 1), shape (5, b): mirrored below 1/2, the window's top and left,
                the square's centre.
            height: of the images, in pixels.
            width: alike.

        Returns:
            Rows of shape (b, height) and columns of shape (b, width).
        """
        rows = self._window(draws[1], height)
        columns = self._window(draws[2], width)
        if self.flip:
            mirrored = draws[0] < 0.5
            columns[mirrored] = columns[mirrored, ::-1]
        return rows, columns

    def hole(self, draws: NDArray[np.float64], height: int, width: int) -> NDArray[np.bool_]:
        """Return which pixels the square covers, shape (b, height, width); `draws` as in `grid`."""
        rows = self._covered(draws[3], height)
        columns = self._covered(draws[4], width)
        return rows[:, :, None] & columns[:, None, :]

    def _window(self, draws: NDArray[np.float64], length: int) -> NDArray[np.int64]:
        padded = np.pad(np.arange(length), self.crop, mode="reflect")
        starts = (draws * (2 * self.crop + 1)).astype(np.int64)
        return padded.take(starts[:, None] + np.arange(length))

    def _covered(self, draws: NDArray[np.float64], length: int) -> NDArray[np.bool_]:
        first = (draws * length).astype(np.int64)[:, None] - self.cutout // 2
        pixels = np.arange(length)
        return (first <= pixels) & (pixels < first + self.cutout)


def augmentation(config: DatasetConfig) -> Augment | None:
    """Return what the configuration asks for; None for nothing, or for a function of one's own.

    By default flips and crops of 4 pixels for cifar10 and cifar100, nothing elsewhere.
    """
    if config.augment is None:
        return Augment() if source_of(config.name).is_augmented else None
    if isinstance(config.augment, str):
        return None
    wanted = Augment(config.augment.flip, config.augment.crop, config.augment.cutout)
    return wanted if wanted.flip or wanted.crop or wanted.cutout else None


def check_augment(augment: Augment | None, input_shape: tuple[int, ...]) -> None:
    """Refuse an augmentation that does not fit the inputs.

    Raises:
        DataError: the inputs are no images, or are too small for the crop or the cutout.
    """
    if augment is None:
        return
    if len(input_shape) != 3:
        raise DataError(
            f"dataset.augment needs images, got inputs of shape {input_shape}; set flip to false, "
            "crop to 0 and cutout to 0."
        )
    side = min(input_shape[:2])
    for name, pixels in (("crop", augment.crop), ("cutout", augment.cutout)):
        if not 0 <= pixels < side:
            raise DataError(
                f"dataset.augment.{name} must be from 0 to {side - 1} pixels for images of "
                f"{input_shape[0]}x{input_shape[1]}, got {pixels}."
            )
