"""The sections of the finders: `find_lr`, `find_momentum` and `find_wd`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from onecycle_cli.config.section import (
    Count,
    Momentum,
    NotNegative,
    Positive,
    Section,
    Steps,
    distinct,
)


class FindLRConfig(Section):
    """The learning rate range test; `confirm`: then check candidates by short 1cycles."""

    min_lr: Positive = 1e-5
    max_lr: Positive = 10.0
    scale: Literal["exp", "linear"] = "exp"
    steps: Steps = "auto"
    repeats: Count = 3
    stop_factor: Annotated[float, Field(gt=1, allow_inf_nan=False)] | None = 4.0
    skip_begin: Annotated[int, Field(ge=0)] = 0
    skip_end: Annotated[int, Field(ge=0)] = 0
    confirm: bool = False

    @model_validator(mode="after")
    def _range_is_upright(self) -> FindLRConfig:
        if self.min_lr >= self.max_lr:
            raise ValueError(f"min_lr ({self.min_lr:g}) must be below max_lr ({self.max_lr:g})")
        return self


class FindMomentumConfig(Section):
    """The comparison of momentum values."""

    values: list[Momentum] = Field(default=[0.8, 0.85, 0.9, 0.95, 0.99], min_length=1)
    steps: Steps = "auto"
    repeats: Count = 3

    @field_validator("values")
    @classmethod
    def _all_different(cls, values: list[float]) -> list[float]:
        return distinct(values)


class FindWDConfig(Section):
    """The comparison of weight decays."""

    values: list[NotNegative] = Field(default=[1e-3, 1e-4, 1e-5, 1e-6, 1e-7], min_length=2)
    refine: bool = True
    steps: Steps = "auto"
    repeats: Count = 3

    @field_validator("values")
    @classmethod
    def _all_different(cls, values: list[float]) -> list[float]:
        return distinct(values)
