"""Phases: what every schedule is made of.

A phase goes from one value to another between two positions, which are counted in steps and may
lie between two of them; a schedule is a list of phases, turned once into a table of values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Anneal = Literal["linear", "cosine", "exp"]


@dataclass(frozen=True)
class Phase:
    """A stretch of a schedule, both of whose ends are exact.

    Attributes:
        begin: the position, in steps, where the value is `first`.
        end: the position, in steps, where the value is `last`.
        first: value at `begin`.
        last: value at `end`.
        anneal: `"linear"` along a straight line, `"cosine"` along half a cosine, `"exp"` in equal
            ratios, for values above 0.
    """

    begin: float
    end: float
    first: float
    last: float
    anneal: Anneal = "linear"

    def at(self, step: float) -> float:
        """Return the value at a position; before `begin` it is `first`, after `end` it is `last`.

        ```
        p = (step - begin) / (end - begin)
        linear: first + (last - first) * p
        cosine: first + (last - first) * (1 - cos(pi * p)) / 2
        exp:    first * (last / first) ** p
        ```
        """
        place = (step - self.begin) / (self.end - self.begin)
        if place <= 0:
            return self.first
        if place >= 1:
            return self.last
        if self.anneal == "exp":
            return self.first * (self.last / self.first) ** place
        low, high = sorted((self.first, self.last))  # from below, small values keep their digits
        climbed = place if self.first <= self.last else 1 - place
        if self.anneal == "cosine":
            climbed = math.sin(math.pi * climbed / 2) ** 2  # the same, without cancellation
        return low + (high - low) * climbed


def trace(phases: Sequence[Phase], num_steps: int) -> list[float]:
    """Return the value of each step: that of the last phase which has begun by then.

    Phases that have no length are passed over; before the first of the others its first value
    holds, and after the last its last.

    Args:
        phases: in the order of their beginnings, one of them with a length.
        num_steps: number of values, at least 0.
    """
    present = [phase for phase in phases if phase.end > phase.begin]
    values, now = [], 0
    for step in range(num_steps):
        while now + 1 < len(present) and present[now + 1].begin <= step:
            now += 1
        values.append(present[now].at(step))
    return values
