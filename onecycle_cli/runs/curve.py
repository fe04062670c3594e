"""One range test as it was recorded."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Curve:
    """One range test: the learning rate and the raw data loss of each step.

    Attributes:
        lrs: learning rates, never exponents.
        losses: each batch's data loss before its update; may end in a non-finite one.
        label: what a legend calls it.
    """

    lrs: list[float]
    losses: list[float]
    label: str = ""
