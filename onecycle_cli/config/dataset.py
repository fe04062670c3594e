"""Section `dataset`: which data, from where, and how they are split."""

from __future__ import annotations

import os
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from onecycle_cli.config.section import Auto, Count, FunctionName, Section, one_of
from onecycle_cli.config.sources import SOURCES, source_of
from onecycle_cli.plugin_names import names_a_file


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
    """Which data, from where, and how they are split.

    Attributes:
        name: one of `SOURCES`, or `path/to/file.py:function`.
        options: of the function.
        path: of the data, for those that have one.
        validation_fraction: of the training examples, where the data have no validation part.
        limit: use so many training examples only.
        size: [height, width] that all images of a folder are brought to, in pixels.
        fit: how: `resize` changes their proportions, `crop` cuts off what is too much of the
            longer side, evenly.
        target: the column of a table that is to be predicted, or several.
        ignore: columns of a table that are neither features nor targets.
        group: the column of a table that says what each example belongs to; no split divides it.
        normalise: take the mean from the inputs and divide them by their deviation; else the model
            sees them as they are, pixels from 0 to 255. `auto`: not what a function gives.
        augment: random changes to training images, or `path/to/file.py:function`.
    """

    name: Annotated[str, one_of(SOURCES)] | FunctionName
    options: dict[str, Any] = Field(default_factory=dict)
    path: str | None = None
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.1
    limit: Annotated[int, Field(ge=2)] | None = None
    size: Annotated[list[Count], Field(min_length=2, max_length=2)] | None = None
    fit: Literal["resize", "crop"] = "resize"
    target: str | list[str] | None = None
    ignore: list[str] = Field(default_factory=list)
    group: str | None = None
    normalise: bool | Auto = "auto"
    augment: AugmentConfig | FunctionName | None = None

    @field_validator("path")
    @classmethod
    def _path_exists(cls, path: str | None) -> str | None:
        if path is not None and not os.path.exists(path):  # noqa: PTH110  (it never raises)
            raise ValueError(f"there is nothing at this path: {path}")
        return path

    @model_validator(mode="after")
    def _path_fits(self) -> DatasetConfig:
        source = source_of(self.name)
        if self.options and not names_a_file(self.name):
            raise ValueError(f"options are for a function; {self.name} has none; remove them")
        if self.size is not None and not source.has_own_images:
            raise ValueError(f"size is for image_folder; {self.name} has its own; remove it")
        if self.path is None and source.path == "needed":
            raise ValueError(f"{self.name} needs dataset.path: {source.about}")
        if self.path is not None and source.path == "none":
            raise ValueError(f"{self.name} takes no path; remove it")
        return self

    @model_validator(mode="after")
    def _columns_fit(self) -> DatasetConfig:
        has_columns = source_of(self.name).has_columns
        for key in ("target", "ignore", "group"):
            if getattr(self, key) and not has_columns:
                raise ValueError(f"{key} is for table; {self.name} has no columns; remove it")
        if has_columns and not self.targets:
            raise ValueError(f"{self.name} needs dataset.target: the column to predict, or a list")
        named = [*self.targets, *self.ignore, *([self.group] if self.group else [])]
        twice = [name for place, name in enumerate(named) if name in named[:place]]
        if twice:
            raise ValueError(
                f"target, ignore and group name column {twice[0]!r} twice; name it once"
            )
        return self

    @property
    def is_normalised(self) -> bool:
        """Whether the inputs get mean 0 and deviation 1: not what a function gives by itself."""
        return not names_a_file(self.name) if self.normalise == "auto" else self.normalise

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns that are to be predicted."""
        if self.target is None:
            return ()
        return (self.target,) if isinstance(self.target, str) else tuple(self.target)
