"""What to train with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Plan:
    """The hyper-parameters of a training.

    Attributes:
        max_lrs: the highest learning rate of each cycle.
        sources: where each of them came from, in words.
        momentum: `max` where the rate is low, `min` where it peaks.
        weight_decay: the weight decay, in the configured convention.
    """

    max_lrs: Sequence[float]
    sources: Sequence[str]
    momentum: Mapping[str, float]
    weight_decay: float
