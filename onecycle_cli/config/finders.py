"""The sections of the finders: `find_lr`, `find_momentum`, `find_wd`, and `search` of them all."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator

from onecycle_cli.config.section import (
    Auto,
    Count,
    Momentum,
    NotNegative,
    Positive,
    Section,
    Steps,
    distinct,
)

SWEEP_ONLY = ("scale", "steps", "repeats", "stop_factor", "skip_begin", "skip_end")
"""Keys that a range test has, and probes do without."""


class FindLRConfig(Section):
    """The search for a learning rate.

    Attributes:
        method: `probes`: short, complete trainings at several learning rates; `sweep`: range tests,
            which raise the learning rate step by step. `auto`: probes, unless a key that only a
            range test has is given.
        budget: for probes: how many steps they may take, as a multiple of the training's; `auto`:
            1.5, but at most 600 steps or a tenth of the training, whichever is more; `quick`: a
            quarter of that.
        min_lr: the lowest learning rate that is tried.
        max_lr: the highest learning rate that is tried.
        rates: for probes: try these learning rates and no others.
        scale: for range tests: `linear`: the learning rate rises evenly; `exp`: its logarithm does.
        steps: for range tests: the steps of one; `auto`: an epoch, but from 100 to 300.
        repeats: for range tests: how many there are.
        stop_factor: for range tests: stop when the loss is above this many times the lowest.
        skip_begin: for range tests: points at the beginning that the rule leaves out.
        skip_end: for range tests: points at the end that the rule leaves out.
        confirm: `true` is an older way to say `method: probes`.
    """

    main_key: ClassVar[str] = "method"

    method: Literal["auto", "probes", "sweep"] = "auto"
    budget: Positive | Literal["auto", "quick"] = "auto"
    min_lr: Positive = 1e-5
    max_lr: Positive = 10.0
    rates: Annotated[list[Positive], Field(min_length=2)] | None = Field(
        default=None, examples=[[0.01, 0.03, 0.1]]
    )
    scale: Literal["exp", "linear"] = "exp"
    steps: Steps = "auto"
    repeats: Count = 3
    stop_factor: Annotated[float, Field(gt=1, allow_inf_nan=False)] | None = 4.0
    skip_begin: Annotated[int, Field(ge=0)] = 0
    skip_end: Annotated[int, Field(ge=0)] = 0
    confirm: bool = False

    @model_validator(mode="before")
    @classmethod
    def _method_by_what_is_given(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("method", "auto") != "auto":
            return given
        probes = given.get("confirm") is True or given.get("rates") is not None
        sweeps = not probes and any(key in given for key in SWEEP_ONLY)
        return given | {"method": "sweep" if sweeps else "probes"}

    @model_validator(mode="after")
    def _method_fits(self) -> FindLRConfig:
        if self.confirm and self.method == "sweep":
            raise ValueError("confirm is an older name of method: probes; leave one of them out")
        if self.rates is not None and self.method == "sweep":
            raise ValueError("rates is for method: probes; leave one of them out")
        return self

    @field_validator("rates")
    @classmethod
    def _all_different(cls, rates: list[float] | None) -> list[float] | None:
        return None if rates is None else distinct(rates)

    @model_validator(mode="after")
    def _range_is_upright(self) -> FindLRConfig:
        if self.min_lr >= self.max_lr:
            raise ValueError(f"min_lr ({self.min_lr:g}) must be below max_lr ({self.max_lr:g})")
        return self


class FindMomentumConfig(Section):
    """The comparison of ranges of momentum.

    Attributes:
        values: the middles of the ranges.
        width: how wide each range is, from its lowest momentum to its highest; 0 holds momentum
            constant.
        steps: the length of each short training; `auto`: a fifth of the whole one, within limits.
        repeats: how often the best two run in all, if they can't be told apart.
    """

    values: list[Momentum] = Field(
        default=[0.8, 0.85, 0.9], min_length=1, examples=[[0.8, 0.85, 0.9]]
    )
    width: Momentum = 0.1
    steps: Steps = "auto"
    repeats: Count = 1

    @field_validator("values")
    @classmethod
    def _all_different(cls, values: list[float]) -> list[float]:
        return distinct(values)


class FindWDConfig(Section):
    """The comparison of weight decays.

    Attributes:
        values: the first values that are tried; `auto`: 0 and three others, by the kind of decay.
        refine: whether to try half a decade above and below the best value, too, also beyond the
            first values.
        steps: the length of each short training; `auto`: a fifth of the whole one, within limits.
        repeats: how often the best two run in all, if they can't be told apart.
    """

    values: Annotated[list[NotNegative], Field(min_length=2)] | Auto = Field(
        default="auto", examples=[[0, 0.0001, 0.001]]
    )
    refine: bool = True
    steps: Steps = "auto"
    repeats: Count = 1

    @field_validator("values")
    @classmethod
    def _all_different(cls, values: list[float] | Auto) -> list[float] | Auto:
        return values if values == "auto" else distinct(values)


class ResourcesConfig(Section):
    """What a worker of a cluster takes.

    Attributes:
        cpu: how many cores; a worker has as many threads.
        gpu: which share of a GPU, if the cluster has any.
    """

    cpu: NotNegative = 1.0
    gpu: NotNegative = 0.5


class SearchConfig(Section):
    """Where the short trainings of a search run.

    Attributes:
        engine: `local`: in this process, one after another; `ray`: on the workers of a Ray cluster.
        address: the address of the cluster, `HOST:PORT`; `auto`: one that runs, or else a new one
            on this machine; `local`: always a new one on this machine.
        trials_at_once: how many workers; `auto`: as many as the cluster has room for.
        resources: the resources of each worker.
    """

    main_key: ClassVar[str] = "engine"

    engine: Literal["local", "ray"] = "local"
    address: Annotated[str, Field(min_length=1)] = "auto"
    trials_at_once: Count | Auto = "auto"
    resources: ResourcesConfig = Field(default=ResourcesConfig(), examples=[{"cpu": 2}])
