"""Which probes compare a few values: all of them once, further ones around the best, some again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from onecycle_cli.suggest.bounds import Bounds
from onecycle_cli.suggest.comparison import Scores, aligned, rank
from onecycle_cli.suggest.probes.probe import AGAIN, FIRST, Probe
from onecycle_cli.suggest.probes.rounds import Round

FEWEST_STEPS = 24
"""Steps of the shortest probes: the last fifth of fewer would be too few losses to compare."""

FINALISTS = 2
"""How many values run again, at most."""

_HALF_A_DECADE = math.sqrt(10)
_NEAR = 1.1


@dataclass(frozen=True)
class ComparisonPlan:
    """How a few values are compared by probes of one length.

    All values run once, from the same weights on the same batches. Then come half a decade above
    and below the best, one after another, until the best one has both as neighbours, as often as
    `refinements` allows. In the end those that can't be told apart run again, from other weights.

    Attributes:
        values: the first ones, rising, >= 0.
        steps: of each probe.
        repeats: how often the best values run in all.
        refinements: how many values are added around the best one, at most.
    """

    values: tuple[float, ...]
    steps: int
    repeats: int = 1
    refinements: int = 0

    @property
    def most_steps(self) -> int:
        """Steps that all probes take, at most."""
        return sum(wave.cost for wave in self.longest_course())

    def longest_course(self) -> list[Round]:
        """Return the rounds of a search that takes as many probes as any."""
        tried = (*self.values, *self.values[:1] * self.refinements)
        again = [
            Round(AGAIN, self.steps, tried[:FINALISTS], replicate)
            for replicate in range(1, self.repeats)
        ]
        return [Round(FIRST, self.steps, tried), *(again if len(tried) > 1 else [])]

    def next_round(self, probes: Sequence[Probe], bounds: Bounds) -> Round | None:
        """Return the probes to run after those that are done; `None` when it is over."""
        if not probes:
            return Round(FIRST, self.steps, self.values)
        (first, *_), tried = rounds_of(probes), sorted({probe.value for probe in probes})
        try:
            best, differences = rank(first)
        except ValueError:
            return None
        if len(tried) < len(self.values) + self.refinements:
            further = _neighbour(best, tried)
            if further is not None:
                return Round(FIRST, self.steps, (further,))
        replicate = 1 + max(probe.replicate for probe in probes)
        rivals = sorted(
            (value for value, difference in differences.items() if difference.tied),
            key=lambda value: differences[value].mean,
        )
        if replicate >= self.repeats or not rivals:
            return None
        finalists = sorted([best, *rivals[: FINALISTS - 1]])
        return Round(AGAIN, self.steps, tuple(finalists), replicate)


def rounds_of(probes: Sequence[Probe]) -> list[Scores]:
    """Return by which losses probes are compared: of all of them; then of those that ran again.

    Each is, for each value, an array of losses for each replicate.
    """
    firsts = aligned({p.value: [p.scored] for p in probes if p.replicate == 0})
    again = {probe.value for probe in probes if probe.replicate > 0}
    last = {v: [p.scored for p in probes if p.value == v] for v in firsts if v in again}
    return [firsts, aligned(last)] if last else [firsts]


def _neighbour(best: float, tried: Sequence[float]) -> float | None:
    """Return the value half a decade above or below the best one that was not tried yet."""
    for factor in (_HALF_A_DECADE, 1 / _HALF_A_DECADE):
        wanted = best * factor
        near = [v for v in tried if v != best and abs(_decades(v, best)) < 0.5 * _NEAR]
        if wanted > 0 and not any((v > best) == (factor > 1) for v in near):
            return _neat(wanted)
    return None


def _decades(value: float, other: float) -> float:
    return math.log10(value / other) if value > 0 and other > 0 else math.inf


def _neat(value: float) -> float:
    """Round to 1, 3, 10, 30 and so on where that is near, else to one digit."""
    neat = float(f"{10 ** (round(2 * math.log10(value)) / 2):.0e}")
    return neat if 1 / _NEAR < neat / value < _NEAR else float(f"{value:.0e}")
