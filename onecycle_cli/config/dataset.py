"""Section `dataset`: which data, from where, and how they are split."""

from __future__ import annotations

import os
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from onecycle_cli.config.section import Auto, Count, FunctionName, Section, one_of
from onecycle_cli.config.sources import IN_MEMORY, SOURCES, source_of
from onecycle_cli.plugin_names import names_a_file

PART_KEYS = {"val": "validation", "test": "test"}
"""The keys by which parts of the data lie elsewhere, by what these parts are called in files."""


class AugmentConfig(Section):
    """Random changes to each training image.

    Attributes:
        flip: mirror every second image, left to right; `alternate`: each in every second epoch.
        crop: pad by this many pixels, then cut out the original size at random; 0 is off.
        cutout: blank out a square with sides of this many pixels; 0 is off.
    """

    flip: bool | Literal["alternate"] = True
    crop: Annotated[int, Field(ge=0)] = 4
    cutout: Annotated[int, Field(ge=0)] = 0


class DatasetConfig(Section):
    """Which data, from where, and how they are split.

    Attributes:
        name: one of those that `onecycle list datasets` shows, or `path/to/file.py:function`.
        options: arguments of that function.
        path: the file or folder of the data.
        validation: the path of the validation part, if it is not in `path`.
        test: the path of the test part, if it is not in `path`.
        validation_rows: a file with the numbers of the rows of the training part to validate on.
        validation_fraction: the share of the training examples to validate on, if no other key says
            which ones.
        limit: use only this many training examples.
        size: [height, width] of all images of a folder, in pixels; they are brought to this size.
        fit: how images are brought to this size: `resize` changes their proportions, `crop` cuts
            the longer side off at both ends.
        target: the column of a table to predict, or several columns.
        ignore: columns of a table that are neither features nor targets.
        group: the column of a table with the group of each example; no split divides a group.
        normalise: subtract the mean from the inputs and divide them by their standard deviation.
            `false`: the model gets them as they are, pixels from 0 to 255. `auto`: normalise all
            data, except those that a function loads.
        augment: random changes to training images, or `path/to/file.py:function`.
    """

    main_key: ClassVar[str] = "name"

    name: Annotated[str, one_of(SOURCES, unlisted=(IN_MEMORY,))] | FunctionName
    options: dict[str, Any] = Field(default_factory=dict)
    path: str | None = None
    validation: str | None = None
    test: str | None = None
    validation_rows: str | None = None
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = 0.1
    limit: Annotated[int, Field(ge=2)] | None = None
    size: Annotated[list[Count], Field(min_length=2, max_length=2)] | None = Field(
        default=None, examples=[[64, 64]]
    )
    fit: Literal["resize", "crop"] = "resize"
    target: str | list[str] | None = None
    ignore: list[str] = Field(default_factory=list)
    group: str | None = None
    normalise: bool | Auto = "auto"
    augment: AugmentConfig | FunctionName | None = Field(
        default=None, examples=[{"flip": True, "crop": 4}]
    )

    @field_validator("path", "validation", "test", "validation_rows")
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
    def _parts_fit(self) -> DatasetConfig:
        for key, place in self.parts.items():
            if source_of(self.name).path != "needed":
                raise ValueError(
                    f"{key} is for {_those_with_a_path()}; {self.name} brings its own parts; "
                    "remove it"
                )
            if os.path.realpath(place) == os.path.realpath(self.path or ""):
                raise ValueError(
                    f"{key} and path are the same, {place}; a part within path is found by its "
                    "name; remove the key"
                )
        if self.validation and self.validation_rows:
            raise ValueError(
                "validation and validation_rows say both what to validate on; keep one"
            )
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
    def parts(self) -> dict[str, str]:
        """The paths of the parts that lie elsewhere, by their keys."""
        paths = {key: getattr(self, key) for key in PART_KEYS.values()}
        return {key: path for key, path in paths.items() if path is not None}

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


def _those_with_a_path() -> str:
    *others, last = (name for name, source in SOURCES.items() if source.path == "needed")
    return f"{', '.join(others)} and {last}"
