"""Section `dataset`: which data, from where, and how they are split."""

from __future__ import annotations

import os
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from onecycle_cli.config.section import Section

DATASETS: dict[str, str] = {
    "digits": "1,797 handwritten digits of 8x8 pixels, part of scikit-learn: no download",
    "cifar10": "60,000 photos of 32x32 pixels in 10 classes",
    "cifar100": "60,000 photos of 32x32 pixels in 100 classes",
    "mnist": "70,000 handwritten digits of 28x28 pixels",
    "fashion_mnist": "70,000 pictures of clothing of 28x28 pixels in 10 classes",
    "arrays": "your own .npz file: x_train, y_train, optional x_val, y_val, x_test, y_test",
    "image_folder": "your own folder: train/<class>/*, optional val/<class>/*, test/<class>/*",
}

_NEED_A_PATH = ("arrays", "image_folder")
_FIND_NO_PATH = ("digits",)


class AugmentConfig(Section):
    """Random changes to each training image.

    Attributes:
        flip: mirror every second image, left to right; `alternate`: each in every second epoch.
        crop: pad by so many pixels, then cut the original size out at random; 0 is off.
        cutout: blank a square with sides of so many pixels; 0 is off.
    """

    flip: bool | Literal["alternate"] = True
    crop: Annotated[int, Field(ge=0)] = 4
    cutout: Annotated[int, Field(ge=0)] = 0


class DatasetConfig(Section):
    """Which data, from where, and how they are split."""

    name: Literal[
        "digits", "cifar10", "cifar100", "mnist", "fashion_mnist", "arrays", "image_folder"
    ]
    path: str | None = None
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.1
    limit: Annotated[int, Field(ge=2)] | None = None
    augment: AugmentConfig | None = None

    @field_validator("path")
    @classmethod
    def _path_exists(cls, path: str | None) -> str | None:
        if path is not None and not os.path.exists(path):  # noqa: PTH110  (it never raises)
            raise ValueError(f"there is nothing at this path: {path}")
        return path

    @model_validator(mode="after")
    def _path_fits(self) -> DatasetConfig:
        if self.path is None and self.name in _NEED_A_PATH:
            raise ValueError(f"{self.name} needs dataset.path: {DATASETS[self.name]}")
        if self.path is not None and self.name in _FIND_NO_PATH:
            raise ValueError(f"{self.name} comes with the program and takes no path; remove it")
        return self
