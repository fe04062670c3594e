"""The values of the hyper-parameters that an experiment uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onecycle_cli.config import IN_MEMORY, Config
from onecycle_cli.errors import ConfigError
from onecycle_cli.suggest import range_in_words


@dataclass(frozen=True)
class Values:
    """The values in use.

    Attributes:
        max_lr: the highest learning rate, or `None` where none is known yet.
        momentum: momentum where the rate is low (`max`) and where it peaks (`min`).
        weight_decay: the weight decay, in the configured convention.
        reference_momentum: the constant momentum that goes with `max_lr`.
        sources: where each came from, in words.
        follows_momentum: whether `max_lr` was found at a momentum that is known, so that it changes
            with that in use; a number of one's own stays.
    """

    max_lr: float | None
    momentum: dict[str, float]
    weight_decay: float
    reference_momentum: float
    sources: dict[str, str]
    follows_momentum: bool = False

    def __str__(self) -> str:
        rate = "" if self.max_lr is None else f"max_lr {in_words(self.max_lr)}, "
        momentum, decay = in_words(self.momentum), in_words(self.weight_decay)
        return f"{rate}momentum {momentum}, weight decay {decay}"

    def known_max_lr(self, config: Config) -> float:
        """Return the highest learning rate.

        Raises:
            ConfigError: when there is none, naming the command that finds one.
        """
        if self.max_lr is None:
            raise ConfigError(
                "max_lr is not known yet; give a number, or what find_lr(model, x, y) has found."
                if config.model.name == IN_MEMORY
                else f"{config.name}: train.max_lr is auto and there is no suggestion yet; run "
                f"'onecycle find-lr CONFIG' first, or set train.max_lr to a number."
            )
        return self.max_lr

    def cycle_rates(self, config: Config) -> list[float]:
        """Return the highest learning rate of each cycle: its own, or else the common one.

        Raises:
            ConfigError: when a cycle has none.
        """
        return [cycle.max_lr or self.known_max_lr(config) for cycle in config.train.cycles]

    def cycle_rate_sources(self, config: Config) -> list[str]:
        """Return where the highest learning rate of each cycle came from, in words."""
        return [
            self.sources["max_lr"] if cycle.max_lr is None else _source_of_cycle(config, i)
            for i, cycle in enumerate(config.train.cycles)
        ]


def _source_of_cycle(config: Config, index: int) -> str:
    key = f"train.cycles.{index}.max_lr"
    return f"{key}, {config.origin(key)}"


def in_words(value: Any) -> str:
    """Return a value, or a range of momentum, as a person writes it; nothing for `None`."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return range_in_words(value)
    return f"{value:.6g}"


def is_auto(config: Config, key: str) -> bool:
    """Tell whether the section `train` leaves a value open."""
    return bool(getattr(config.train, key) == "auto")
