"""What all sections of a configuration have in common, and the types of their values."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Auto = Literal["auto"]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Momentum = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1, lt=2**31)]
Ends = Annotated[list[NotNegative], Field(min_length=2, max_length=2)]
Steps = Annotated[int, Field(ge=12, lt=2**31)] | Auto


class Section(BaseModel):
    """Some keys of a configuration: none but these, of exactly these types, and not to change."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def distinct(values: list[float]) -> list[float]:
    """Return values that are all different.

    Raises:
        ValueError: when they are not.
    """
    if len(set(values)) < len(values):
        raise ValueError(f"values must be different from each other; got {values}")
    return values
