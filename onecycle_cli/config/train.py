"""Section `train`: one or more 1cycle passes."""

from __future__ import annotations

import itertools
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, WithJsonSchema, field_validator, model_validator

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


TRACKERS = ("tensorboard", "mlflow", "wandb")
"""Where the numbers of a run can go besides its own folder."""

_NAME = {"enum": list(TRACKERS)}
_ONE_OR_SEVERAL = WithJsonSchema({"anyOf": [_NAME, {"type": "array", "items": _NAME}]})


class MomentumRange(Section):
    """Momentum at both ends of its way.

    Attributes:
        max: momentum where the learning rate is low.
        min: momentum where the learning rate is highest.
    """

    max: Momentum
    min: Momentum

    @model_validator(mode="after")
    def _range_is_upright(self) -> MomentumRange:
        if self.min > self.max:
            raise ValueError(f"min ({self.min:g}) must not be above max ({self.max:g})")
        return self


class CycleConfig(Section):
    """One 1cycle pass.

    Attributes:
        epochs: passes over the data.
        max_lr: the highest learning rate; overrules `train.max_lr`.
    """

    epochs: Count
    max_lr: Positive | None = None


class EarlyFinishConfig(Section):
    """When to finish before the plan's end, with a cool-down, past the peak.

    Attributes:
        patience: after this many epochs without a better one.
    """

    patience: Count


class ResizeConfig(Section):
    """Training images of another size.

    Attributes:
        until: the share of all steps at which it ends.
        size: their height and width, in pixels.
    """

    until: Annotated[float, Field(gt=0, le=1)]
    size: Count


class TrainConfig(Section):
    """One or more 1cycle passes; weights and optimizer slots carry over from one to the next.

    Attributes:
        cycles: the 1cycles, one after the other: `epochs` of each, and its own `max_lr` if it has
            one.
        max_lr: the highest learning rate; `auto`: what `find-lr` suggested.
        momentum: `max` where the learning rate is low, `min` where it is highest; `auto`: what
            `find-momentum` suggested, else 0.95 to 0.85.
        weight_decay: the weight decay, of the kind that `optimizer.decay` says; `auto`: what
            `find-wd` suggested, else `optimizer.weight_decay`.
        shape: how the learning rate changes during a cycle: one of those that `onecycle list
            shapes` shows, or `path/to/file.py:function`.
        shape_options: options of the shape.
        layer_rates: factors for the learning rates of some layers, by patterns of their names:
            `{conv1*: 0.1}`.
        also: other hyper-parameters of the optimizer: a number, or the first and the last value of
            each cycle, such as `{beta_2: [0.99, 0.999]}`.
        end_percentage: the share of the steps for the final fall, at the end of each cycle.
        scale_percentage: the first learning rate as a share of `max_lr`; `null`: the same as
            `end_percentage`.
        retries: how often a training that diverges goes back and halves the learning rate; 0: it
            never does.
        early_finish: end the training with a cool-down if it no longer improves; `null`: never.
        checkpoint_seconds: seconds from one checkpoint to the next, within an epoch.
        log_grad_norm: record the norm of each step's gradient in `steps.csv`.
        log_to: where else the numbers of trainings and searches are sent: `tensorboard`, `mlflow`,
            `wandb`, or a list of them.
        label_smoothing: the share of each target that is spread over all classes, in training only.
        ema: the share of the averaged weights that is kept at each step; `null`: no average.
        flip_evaluation: average the outputs for an image and for its mirror image.
        resize: sizes of the training images, one after the other; then their own size.
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
    log_to: Annotated[list[Annotated[str, one_of(TRACKERS)]], _ONE_OR_SEVERAL] = Field(default=[])
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    flip_evaluation: bool = False
    resize: Annotated[list[ResizeConfig], Field(min_length=1)] | None = Field(
        default=None, examples=[[{"until": 0.3, "size": 24}]]
    )

    @model_validator(mode="before")
    @classmethod
    def _tensorboard_is_a_tracker(cls, given: Any) -> Any:
        """Take `tensorboard: true` for what it is called today, `log_to: [tensorboard]`."""
        if not isinstance(given, dict) or "tensorboard" not in given:
            return given
        wanted, rest = given["tensorboard"], {k: given[k] for k in given if k != "tensorboard"}
        if not isinstance(wanted, bool):
            raise ValueError(f"tensorboard must be true or false; got {wanted!r}")
        others = _listed(rest.get("log_to", []))
        if wanted and isinstance(others, list):
            rest["log_to"] = ["tensorboard", *others]
        return rest

    @field_validator("log_to", mode="before")
    @classmethod
    def _one_or_several(cls, names: Any) -> Any:
        return _listed(names)

    @field_validator("log_to")
    @classmethod
    def _each_once(cls, names: list[str]) -> list[str]:
        return list(dict.fromkeys(names))

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


def _listed(names: Any) -> Any:
    return [names] if isinstance(names, str) else names
