"""Section `train`: one or more 1cycle passes."""

from __future__ import annotations

import itertools
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from onecycle_cli import schedules
from onecycle_cli.config.section import (
    Auto,
    Count,
    Ends,
    FunctionName,
    Momentum,
    NotNegative,
    Positive,
    Section,
    one_of,
)

_HAVE_THEIR_OWN_KEY = {
    "learning_rate": "max_lr",
    "momentum": "momentum",
    "beta_1": "momentum",
    "weight_decay": "weight_decay",
    "l2": "weight_decay",
}


class MomentumRange(Section):
    """Momentum where the learning rate is low (`max`) and where it peaks (`min`)."""

    max: Momentum
    min: Momentum

    @model_validator(mode="after")
    def _range_is_upright(self) -> MomentumRange:
        if self.min > self.max:
            raise ValueError(f"min ({self.min:g}) must not be above max ({self.max:g})")
        return self


class CycleConfig(Section):
    """One 1cycle pass; `max_lr` here goes before `train.max_lr`."""

    epochs: Count
    max_lr: Positive | None = None


class EarlyFinishConfig(Section):
    """After so many epochs without a better one, past the peak, cool down and finish."""

    patience: Count


class ResizeConfig(Section):
    """Training images of another size; `until`: the share of all steps at which it ends."""

    until: Annotated[float, Field(gt=0, le=1)]
    size: Count


class TrainConfig(Section):
    """One or more 1cycle passes; weights and optimizer slots carry over from one to the next.

    Attributes:
        cycles: the passes, one after the other: `epochs` of each, and `max_lr` of its own if it is
            to have one.
        max_lr: the highest learning rate; `auto`: what `find-lr` suggested.
        momentum: `max` where the learning rate is low, `min` where it is highest; `auto`: what
            `find-momentum` suggested, else 0.95 to 0.85.
        weight_decay: of the kind that `optimizer.decay` says; `auto`: what `find-wd` suggested,
            else that of `optimizer.weight_decay`.
        shape: how the learning rate goes through a cycle: one of those that `onecycle list shapes`
            shows, or `path/to/file.py:function`.
        shape_options: options of the shape.
        layer_rates: what the learning rate of some layers is multiplied by, by pattern of names:
            `{conv1*: 0.1}`.
        also: further hyper-parameters of the optimizer: a number, or the first and the last value
            of each cycle, such as `{beta_2: [0.99, 0.999]}`.
        end_percentage: share of the steps in the final fall, at the end of each cycle.
        scale_percentage: the first learning rate as a share of `max_lr`; `null`: the same as
            `end_percentage`.
        retries: how often to go back after a divergence, with half the learning rate; 0: train on.
        early_finish: after how many epochs without a better one to cool down and end; `null`:
            never.
        checkpoint_seconds: seconds from one checkpoint to the next, within an epoch.
        log_grad_norm: add the gradient's norm to `steps.csv`.
        tensorboard: write an event file for TensorBoard, too.
        label_smoothing: share of each target that goes to all classes alike; in training only.
        ema: share of the averaged weights that is kept at each step; `null`: no average.
        flip_evaluation: average the outputs for an image and for its mirror image.
        resize: sizes of the training images, one stretch after the other; then their own size.
    """

    cycles: list[CycleConfig] = Field(
        default=[CycleConfig(epochs=10)], min_length=1, examples=[[{"epochs": 10}]]
    )
    max_lr: Positive | Auto = "auto"
    momentum: MomentumRange | Auto = Field(default="auto", examples=[{"max": 0.95, "min": 0.85}])
    weight_decay: NotNegative | Auto = "auto"
    shape: Annotated[str, one_of(schedules.SHAPES)] | FunctionName = "smith"
    shape_options: dict[str, Any] = Field(default_factory=dict, validate_default=True)
    layer_rates: dict[str, NotNegative] = Field(default_factory=dict, examples=[{"conv1*": 0.1}])
    also: dict[str, NotNegative | Ends] = Field(
        default_factory=dict, examples=[{"beta_2": [0.99, 0.999]}]
    )
    end_percentage: Annotated[float, Field(ge=0, lt=1)] = 0.1
    scale_percentage: Annotated[float, Field(gt=0, le=1)] | None = None
    retries: Annotated[int, Field(ge=0, le=20)] = 2
    early_finish: EarlyFinishConfig | None = Field(default=None, examples=[{"patience": 5}])
    checkpoint_seconds: Positive = 60.0
    log_grad_norm: bool = False
    tensorboard: bool = False
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    flip_evaluation: bool = False
    resize: Annotated[list[ResizeConfig], Field(min_length=1)] | None = Field(
        default=None, examples=[[{"until": 0.3, "size": 24}]]
    )

    @field_validator("resize")
    @classmethod
    def _stretches_follow_each_other(
        cls, resize: list[ResizeConfig] | None
    ) -> list[ResizeConfig] | None:
        ends = [stretch.until for stretch in resize or []]
        if any(later <= earlier for earlier, later in itertools.pairwise(ends)):
            raise ValueError(f"each 'until' must be above the one before it; got {ends}")
        return resize

    @field_validator("shape_options", "end_percentage", "scale_percentage")
    @classmethod
    def _belongs_to_the_shape(cls, value: Any, info: ValidationInfo) -> Any:
        shape = info.data.get("shape")
        if shape is not None and info.field_name == "shape_options":
            schedules.check_options(shape, value)
        elif shape is not None and info.field_name is not None:
            schedules.check_share(shape, info.field_name, value)
        return value

    @field_validator("also")
    @classmethod
    def _nothing_has_two_values(cls, also: dict[str, Any]) -> dict[str, Any]:
        for name, values in also.items():
            if name in _HAVE_THEIR_OWN_KEY:
                raise ValueError(f"{name} has a key of its own, train.{_HAVE_THEIR_OWN_KEY[name]}")
            schedules.table_of(values, 2, name)
        return also

    @model_validator(mode="after")
    def _first_rate_is_known(self) -> TrainConfig:
        if self.end_percentage == 0 and self.scale_percentage is None:
            raise ValueError("end_percentage 0 needs scale_percentage, to set the first rate")
        return self
