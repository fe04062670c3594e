"""Section `optimizer`: what the finders start from."""

from __future__ import annotations

from typing import Literal

from onecycle_cli.config.section import Momentum, NotNegative, Section

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


class OptimizerConfig(Section):
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
