"""A race of candidates: who goes on from one rung of short runs to the next, longer one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from onecycle_cli.suggest.comparison import rank

LAST_SEATS = 2
"""How many candidates run the last rung of a race, unless only one is left."""

FEWEST_STEPS = 24
"""Steps of the shortest rung: the last fifth of fewer would be too few losses to compare."""


@dataclass(frozen=True)
class Rung:
    """A round of trials of one length.

    Attributes:
        candidates: how many take part.
        steps: of each trial.
        replicates: trials of each candidate, which differ in initial weights and order of the data.
        first: the number of the first replicate; of 0, what was seen before is seen again.
        name: what tables call it; "" where its number will do.
    """

    candidates: int
    steps: int
    replicates: int
    first: int = 0
    name: str = ""

    @property
    def numbers(self) -> range:
        """The numbers of its replicates."""
        return range(self.first, self.first + self.replicates)

    @property
    def trials(self) -> int:
        """How many trials it has."""
        return self.candidates * self.replicates


def plan_race(candidates: int, steps: int, replicates: int, done: int = 0) -> list[Rung]:
    """Return the rungs to come, if no candidate is dropped but to halve their number.

    The last rung, of no more than `LAST_SEATS`, takes all steps and replicates; each one before it
    half as many steps as the next, but at least `FEWEST_STEPS`, and a replicate less than the next,
    if there is more than one. Source: successive halving, K. Jamieson and A. Talwalkar,
    arXiv:1502.07943, with complete cycles in place of the first part of long ones.

    Args:
        candidates: how many are in the race, >= 1.
        steps: of a run in the last rung, >= 1.
        replicates: of each candidate in the last rung, >= 1.
        done: rungs behind them.
    """
    counts = [candidates]
    while counts[-1] > LAST_SEATS:
        counts.append(_seats(counts[-1]))
    before_last = range(len(counts) - 1, 0, -1)
    shortest = min(steps, FEWEST_STEPS)
    rungs = [
        Rung(counts[-1 - left], max(shortest, steps >> left), min(done + i + 1, replicates))
        for i, left in enumerate(before_last)
    ]
    return [*rungs, Rung(counts[-1], steps, replicates)]


def race_runs(plan: Sequence[Rung]) -> list[int]:
    """Return how many runs each rung adds: those of the same length before it count too."""
    runs, before = [], Rung(0, 0, 0)
    for rung in plan:
        known = before.replicates if rung.steps == before.steps else 0
        runs.append(rung.candidates * (rung.replicates - known))
        before = rung
    return runs


def race_steps(plan: Sequence[Rung]) -> int:
    """Return the steps of a whole race."""
    return sum(rung.steps * runs for rung, runs in zip(plan, race_runs(plan), strict=True))


def survivors(
    scores: Mapping[Any, Sequence[ArrayLike]], safest: Callable[[Sequence[Any]], Any]
) -> list[Any]:
    """Return the candidates that a rung leaves in the race, the best one first.

    Out is who is clearly worse than the best: the interval of the paired difference excludes zero.
    Of the others, the better half of those who started goes on, rounded up, but no fewer than
    `LAST_SEATS`; the safe choice is always among them. One replicate can't tell how much runs
    differ, so it never ends the race: the runner-up goes on with the best.

    Args:
        scores: the losses of the rung, as in `rank`; who diverged is out.
        safest: given those that can't be told apart, returns who stays in any case, or `None`.
    """
    try:
        best, differences = rank(scores)
    except ValueError:
        return []
    finite = [c for c in differences if np.isfinite(differences[c].mean)]
    behind = sorted(finite, key=lambda c: differences[c].mean)
    tied = [c for c in behind if differences[c].tied]
    left = [best, *(tied if tied or len(scores[best]) > 1 else behind[:1])]
    seats = _seats(len(scores))
    safe = safest([best, *tied])
    if safe in behind and safe not in left[:seats]:
        return [*left[: seats - 1], safe]
    return left[:seats]


def _seats(candidates: int) -> int:
    """Return how many of so many candidates the next rung has room for."""
    return min(candidates, max(LAST_SEATS, -(-candidates // 2)))
