"""Between which losses a model learns."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """Between which losses a model learns.

    Attributes:
        floor: the least that the loss can be; `None`: not known.
        guessing: the loss of the best single answer to all examples; `None`: not known.
    """

    floor: float | None = None
    guessing: float | None = None

    @property
    def are_known(self) -> bool:
        """Whether both are known, and leave room between them."""
        return self.least < self.chance < math.inf and math.isfinite(self.least)

    @property
    def least(self) -> float:
        """The floor as a number; minus infinity where it is not known."""
        return -math.inf if self.floor is None else self.floor

    @property
    def chance(self) -> float:
        """The loss of guessing as a number; infinite where it is not known."""
        return math.inf if self.guessing is None else self.guessing

    def height(self, loss: float) -> float:
        """Return how far a loss is above the floor."""
        return loss - self.least
