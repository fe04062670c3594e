"""How much a learning rate loses against the best one of its problem, by the oracle's runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import oracle

PLATEAU = 1.0
EVEN, ODD = range(0, 1000, 2), range(1, 1000, 2)


@dataclass(frozen=True)
class Oracle:
    """Scores of one problem over the learning rate, by two halves of the seeds.

    Attributes:
        x: log10 of the learning rates of the grid that were run, of shape (n,).
        halves: mean scores in points, of shape (2, n): of even and of odd seeds, or, where there is
            but one seed, of that one.
        steps: of the complete run.
    """

    x: np.ndarray
    halves: np.ndarray
    steps: int

    @classmethod
    def of(cls, scores: oracle.Scores, steps: int, grid: Sequence[float] = oracle.GRID) -> Oracle:
        places = sorted(scores)
        halves = [
            [oracle.mean_over(scores[place], half) for place in places] for half in (EVEN, ODD)
        ]
        x = np.log10([grid[place] for place in places])
        return cls(x, np.array(halves), steps)

    @property
    def best(self) -> float:
        """The learning rate with the best mean score."""
        return float(10 ** self.x[self.halves.mean(axis=0).argmax()])

    @property
    def top(self) -> float:
        """The score at the best learning rate, chosen with one half and scored with the other."""
        halves = zip(self.halves, self.halves[::-1], strict=True)
        return float(np.mean([scored_by[chosen_by.argmax()] for chosen_by, scored_by in halves]))

    def regret(self, lr: float) -> float:
        """Return the points lost at `lr`; unbiased, so that it may be a little below zero."""
        return self.top - float(np.mean([np.interp(np.log10(lr), self.x, h) for h in self.halves]))

    @cached_property
    def plateau(self) -> tuple[float, float]:
        """The learning rates around the best that lose at most `PLATEAU` points."""
        fine = np.linspace(self.x[0], self.x[-1], 40 * len(self.x))
        good = np.array([self.regret(10**x) <= PLATEAU for x in fine])
        centre = int(np.abs(fine - np.log10(self.best)).argmin())
        left = centre - int(np.argmin(np.append(good[: centre + 1][::-1], False))) + 1
        right = centre + int(np.argmin(np.append(good[centre:], False))) - 1
        return float(10 ** fine[min(left, centre)]), float(10 ** fine[max(right, centre)])


def read(file: Path = oracle.FILE, grid: Sequence[float] = oracle.GRID) -> dict[str, Oracle]:
    """Return the oracle of every problem that has one."""
    steps = oracle.read(file, column="steps", grid=grid)
    longest = {n: max(int(m) for runs in s.values() for m in runs.values()) for n, s in steps.items()}  # fmt: skip # noqa: E501
    scores = oracle.read(file, grid=grid)
    return {name: Oracle.of(scores[name], longest[name], grid) for name in scores}
