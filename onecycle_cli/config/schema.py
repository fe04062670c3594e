"""What a configuration may say: its keys, their types, ranges and defaults."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    field_validator,
    model_serializer,
    model_validator,
)

from onecycle_cli import schedules
from onecycle_cli.errors import ConfigError

DATASETS: dict[str, str] = {
    "digits": "1,797 handwritten digits of 8x8 pixels, part of the package: no download",
    "cifar10": "60,000 photos of 32x32 pixels in 10 classes",
    "cifar100": "60,000 photos of 32x32 pixels in 100 classes",
    "mnist": "70,000 handwritten digits of 28x28 pixels",
    "fashion_mnist": "70,000 pictures of clothing of 28x28 pixels in 10 classes",
    "arrays": "your own .npz file: x_train, y_train, optional x_val, y_val, x_test, y_test",
    "image_folder": "your own folder: train/<class>/*, optional val/<class>/*, test/<class>/*",
}

OPTIMIZERS: dict[str, str] = {
    "sgd": "momentum, Nesterov if asked for",
    "rmsprop": "momentum",
    "adam": "beta_1 as momentum",
    "adamw": "beta_1 as momentum, decoupled decay",
    "nadam": "beta_1 as momentum",
    "adamax": "beta_1 as momentum",
    "lamb": "beta_1 as momentum",
    "lion": "beta_1 as momentum, decoupled decay",
}

DECOUPLED_BY_NATURE = ("adamw", "lion")
NORMALISED = ("adam", "adamw", "nadam", "adamax", "lamb", "lion")
"""Optimizers whose step does not grow with 1 / (1 - momentum)."""

_NEED_A_PATH = ("arrays", "image_folder")
_FIND_NO_PATH = ("digits",)

_HAVE_THEIR_OWN_KEY = {
    "learning_rate": "max_lr",
    "momentum": "momentum",
    "beta_1": "momentum",
    "weight_decay": "weight_decay",
    "l2": "weight_decay",
}

Auto = Literal["auto"]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Momentum = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1, lt=2**31)]
Ends = Annotated[list[NotNegative], Field(min_length=2, max_length=2)]
Steps = Annotated[int, Field(ge=12, lt=2**31)] | Auto


class _Section(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class AugmentConfig(_Section):
    """Random changes to each training image.

    Attributes:
        flip: mirror every second image, left to right; `alternate`: each in every second epoch.
        crop: pad by so many pixels, then cut the original size out at random; 0 is off.
        cutout: blank a square with sides of so many pixels; 0 is off.
    """

    flip: bool | Literal["alternate"] = True
    crop: Annotated[int, Field(ge=0)] = 4
    cutout: Annotated[int, Field(ge=0)] = 0


class DatasetConfig(_Section):
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


class ModelConfig(_Section):
    """A model by name or by `path/to/file.py:function`, and the options of its builder."""

    name: str
    options: dict[str, Any] = Field(default_factory=dict)


class OptimizerConfig(_Section):
    """What the finders start from."""

    name: Literal["sgd", "rmsprop", "adam", "adamw", "nadam", "adamax", "lamb", "lion"] = "sgd"
    nesterov: bool = True
    momentum: Momentum = 0.9
    weight_decay: NotNegative = 0.0
    decay: Literal["auto", "l2", "decoupled"] = "auto"

    @property
    def decay_kind(self) -> Literal["l2", "decoupled"]:
        """Which decay a number means: `l2` (loss + wd * sum(w^2)) or `decoupled` (w -= lr wd w)."""
        if self.decay != "auto":
            return self.decay
        return "decoupled" if self.name in DECOUPLED_BY_NATURE else "l2"

    @property
    def step_grows_with_momentum(self) -> bool:
        """Whether the step size is proportional to lr / (1 - momentum)."""
        return self.name not in NORMALISED


class FindLRConfig(_Section):
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


class FindMomentumConfig(_Section):
    """The comparison of momentum values."""

    values: Annotated[list[Momentum], Field(min_length=1)] = [0.8, 0.85, 0.9, 0.95, 0.99]
    steps: Steps = "auto"
    repeats: Count = 3

    @field_validator("values")
    @classmethod
    def _all_different(cls, values: list[float]) -> list[float]:
        return _distinct(values)


class FindWDConfig(_Section):
    """The comparison of weight decays."""

    values: Annotated[list[NotNegative], Field(min_length=2)] = [1e-3, 1e-4, 1e-5, 1e-6, 1e-7]
    refine: bool = True
    steps: Steps = "auto"
    repeats: Count = 3

    @field_validator("values")
    @classmethod
    def _all_different(cls, values: list[float]) -> list[float]:
        return _distinct(values)


class MomentumRange(_Section):
    """Momentum where the learning rate is low (`max`) and where it peaks (`min`)."""

    max: Momentum
    min: Momentum

    @model_validator(mode="after")
    def _range_is_upright(self) -> MomentumRange:
        if self.min > self.max:
            raise ValueError(f"min ({self.min:g}) must not be above max ({self.max:g})")
        return self


class CycleConfig(_Section):
    """One 1cycle pass; `max_lr` here goes before `train.max_lr`."""

    epochs: Count
    max_lr: Positive | None = None


class EarlyFinishConfig(_Section):
    """After so many epochs without a better one, past the peak, cool down and finish."""

    patience: Count


class ResizeConfig(_Section):
    """Training images of another size; `until`: the share of all steps at which it ends."""

    until: Annotated[float, Field(gt=0, le=1)]
    size: Count


class TrainConfig(_Section):
    """One or more 1cycle passes; weights and optimizer slots carry over from one to the next.

    Attributes:
        shape: one of `schedules.SHAPES`.
        shape_options: of the shape, see `schedules.OPTIONS`.
        layer_rates: what the learning rate is multiplied by, by pattern of layers' names.
        also: a number, or the first and the last of each cycle, for further hyper-parameters.
        retries: how often to go back after a divergence, with half the learning rate; 0: train on.
        early_finish: when to end before the plan's end; `None`: never.
        checkpoint_seconds: from one checkpoint to the next, within an epoch.
        log_grad_norm: add the gradient's norm to `steps.csv`.
        tensorboard: write event files too.
        label_smoothing: share of each target that goes to all classes alike; in training only.
        ema: share of the averaged weights that is kept at each step; `None`: no average.
        flip_evaluation: average the outputs for an image and for its mirror image.
        resize: sizes of the training images, one stretch after the other; then their own size.
    """

    cycles: Annotated[list[CycleConfig], Field(min_length=1)] = [CycleConfig(epochs=10)]
    max_lr: Positive | Auto = "auto"
    momentum: MomentumRange | Auto = "auto"
    weight_decay: NotNegative | Auto = "auto"
    shape: schedules.Shape = "smith"
    shape_options: dict[str, Any] = Field(default_factory=dict, validate_default=True)
    layer_rates: dict[str, NotNegative] = Field(default_factory=dict)
    also: dict[str, NotNegative | Ends] = Field(default_factory=dict)
    end_percentage: Annotated[float, Field(ge=0, lt=1)] = 0.1
    scale_percentage: Annotated[float, Field(gt=0, le=1)] | None = None
    retries: Annotated[int, Field(ge=0, le=20)] = 2
    early_finish: EarlyFinishConfig | None = None
    checkpoint_seconds: Positive = 60.0
    log_grad_norm: bool = False
    tensorboard: bool = False
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    flip_evaluation: bool = False
    resize: Annotated[list[ResizeConfig], Field(min_length=1)] | None = None

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


class LossConfig(_Section):
    """The loss; `auto` follows the targets. `from_logits`: the model ends without a softmax."""

    name: Literal["auto", "sparse_categorical_crossentropy", "mse", "mae", "huber"] = "auto"
    from_logits: bool = False


class Config(_Section):
    """A whole experiment.

    Beside the validated values it knows where each came from: see `origin` and `error`.
    """

    name: Annotated[str, Field(pattern=r"^[^./\\\x00][^/\\\x00]*$")]
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    batch_size: Count = 128
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"] = "float32"
    jit_compile: bool | Auto = "auto"
    steps_per_execution: Count | Auto = "auto"
    fused_batch_norm: bool | Auto = "auto"
    loss: LossConfig = LossConfig()
    dataset: DatasetConfig
    model: ModelConfig
    optimizer: OptimizerConfig = OptimizerConfig()
    find_lr: FindLRConfig = FindLRConfig()
    find_momentum: FindMomentumConfig = FindMomentumConfig()
    find_wd: FindWDConfig = FindWDConfig()
    train: TrainConfig = TrainConfig()

    _origins: dict[str, str] = PrivateAttr(default_factory=dict)
    _places: dict[str, str] = PrivateAttr(default_factory=dict)

    @field_validator("loss", mode="before")
    @classmethod
    def _loss_by_name(cls, loss: Any) -> Any:
        return {"name": loss} if isinstance(loss, str) else loss

    @model_serializer(mode="wrap")
    def _plain_loss(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        if not self.loss.from_logits:
            data["loss"] = self.loss.name
        return data

    def origin(self, key: str) -> str:
        """Return where the value of a dotted key came from: `default`, `file` or `--set`."""
        within = (where for k, where in self._origins.items() if k.startswith(f"{key}."))
        return self._nearest(self._origins, key) or next(within, "default")

    def leaves(self) -> dict[str, Any]:
        """Return every value by its dotted key; lists and empty mappings are values."""
        return dict(_leaves(self.model_dump(), ""))

    @property
    def origins(self) -> dict[str, str]:
        """Where each value came from that is not a default, by dotted key."""
        return dict(self._origins)

    def with_origins(self, origins: dict[str, str]) -> Config:
        """Return a copy whose values are said to come from elsewhere, by dotted key."""
        copy = self.model_copy()
        copy._origins = dict(origins)
        return copy

    def error(self, key: str, message: str) -> ConfigError:
        """Return an error about a dotted key, with the place where it was set."""
        place = self._nearest(self._places, key)
        return ConfigError(f"{place}: {message}" if place else message)

    def with_values(self, **sections: dict[str, Any]) -> Config:
        """Return a copy with some values replaced, by section, and validated again."""
        data = self.model_dump()
        for section, values in sections.items():
            data[section] |= values
        changed = Config.model_validate(data)
        changed._origins, changed._places = self._origins, self._places
        return changed

    @staticmethod
    def _nearest(known: dict[str, str], key: str) -> str | None:
        parts = key.split(".")
        for end in range(len(parts), 0, -1):
            if (found := known.get(".".join(parts[:end]))) is not None:
                return found
        return None


def _leaves(data: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _distinct(values: list[float]) -> list[float]:
    if len(set(values)) < len(values):
        raise ValueError(f"values must be different from each other; got {values}")
    return values
