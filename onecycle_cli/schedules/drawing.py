"""How each shape is drawn: the phases of the learning rate and of the momentum.

References: L. N. Smith, "Cyclical Learning Rates" (arXiv:1506.01186) and "A disciplined approach to
neural network hyper-parameters" (arXiv:1803.09820); I. Loshchilov and F. Hutter, "SGDR"
(arXiv:1608.03983); `torch.optim.lr_scheduler`; `fastai.callback.schedule`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from onecycle_cli.schedules.phases import Anneal, Phase, trace

FINAL_DIVISOR = 1000.0
"""The learning rate ends at `max_lr / FINAL_DIVISOR`, where a shape does not say otherwise."""

_ROUNDING = 1e-9


class Curves(NamedTuple):
    """For each step of a cycle, the rate's share of `max_lr` and the momentum's factor."""

    shares: list[float]
    factors: list[float]


@dataclass(frozen=True)
class Length:
    """How long a cycle is, and what the shapes have in common."""

    num_steps: int
    start: float
    end_percentage: float

    def share(self, share: float) -> int:
        """Return the step at a share of all steps."""
        return math.floor(self.num_steps * share + _ROUNDING)

    @property
    def mid(self) -> int:
        """Return where 1cycle peaks: half-way to its tail."""
        return min(self.num_steps - 1, max(1, self.share((1 - self.end_percentage) / 2)))


def smith(length: Length) -> Curves:
    """Draw up and down in straight lines, then the short tail."""
    n, mid, start = length.num_steps, length.mid, length.start
    return Curves(
        trace(
            [
                Phase(0, mid, start, 1),
                Phase(mid, 2 * mid, 1, start),
                Phase(2 * mid, n, start, 1 / FINAL_DIVISOR),
            ],
            n,
        ),
        _triangle(length),
    )


def smith_caffe(length: Length) -> Curves:
    """Draw up, down to nothing, then a flat tail."""
    n, mid, start = length.num_steps, length.mid, length.start
    tail = start / FINAL_DIVISOR
    return Curves(
        trace(
            [
                Phase(0, mid, start, 1),
                Phase(mid, 2 * mid, 1, 0),
                Phase(2 * mid, n, tail, tail),
            ],
            n,
        ),
        _triangle(length),
    )


def _triangle(length: Length) -> list[float]:
    mid = length.mid
    return trace([Phase(0, mid, 0, 1), Phase(mid, 2 * mid, 1, 0)], length.num_steps)


def _up_and_down(
    length: Length, up: int, down: int, start: float, anneal: Anneal = "linear"
) -> Curves:
    def drawn(first: float, last: float) -> list[float]:
        return trace(
            [
                Phase(0, up, first, 1, anneal),
                Phase(up, down, 1, 1),
                Phase(down, length.num_steps, 1, last, anneal),
            ],
            length.num_steps,
        )

    return Curves(drawn(start, 1 / FINAL_DIVISOR), drawn(0, 0))


def linear(length: Length) -> Curves:
    """Draw a quarter up, then down."""
    peak = length.share(0.25)
    return _up_and_down(length, peak, peak, length.start)


def cosine(length: Length) -> Curves:
    """Draw 30 % up, then down, along half cosines."""
    peak = length.share(0.3)
    return _up_and_down(length, peak, peak, length.start, "cosine")


def wsd(length: Length) -> Curves:
    """Draw a warm-up, a plateau and a decay."""
    return _up_and_down(length, length.share(0.1), length.share(0.8), length.start)


def pytorch(
    length: Length,
    *,
    pct_start: float,
    div_factor: float,
    final_div_factor: float,
    three_phase: bool,
    anneal: Anneal,
) -> Curves:
    """Draw `OneCycleLR`: its phases end one step early, as it counts steps from 0."""
    n, start = length.num_steps, 1 / div_factor
    peak, floor = pct_start * n - 1, start / final_div_factor
    back = 2 * pct_start * n - 2

    def drawn(low: float, floor: float) -> list[float]:
        up = Phase(0, peak, low, 1, anneal)
        if not three_phase:
            return trace([up, Phase(peak, n - 1, 1, floor, anneal)], n)
        return trace(
            [up, Phase(peak, back, 1, low, anneal), Phase(back, n - 1, low, floor, anneal)], n
        )

    return Curves(drawn(start, floor), drawn(0, 0))


def fastai(
    length: Length, *, pct_start: float, div: float, div_final: float, final_momentum: float | None
) -> Curves:
    """Draw `fit_one_cycle`."""
    n, peak = length.num_steps, pct_start * length.num_steps

    def drawn(first: float, last: float) -> list[float]:
        return trace([Phase(0, peak, first, 1, "cosine"), Phase(peak, n, 1, last, "cosine")], n)

    return Curves(drawn(1 / div, 1 / div_final), drawn(0, 0))


def flat_cos(length: Length, *, pct_start: float, div_final: float) -> Curves:
    """Draw `fit_flat_cos`."""
    n, peak = length.num_steps, pct_start * length.num_steps

    def drawn(last: float) -> list[float]:
        return trace([Phase(0, peak, 1, 1), Phase(peak, n, 1, last, "cosine")], n)

    return Curves(drawn(1 / div_final), drawn(0))


def sgdr(length: Length, *, num_cycles: int, cycle_mult: float, final_share: float) -> Curves:
    """Draw warm restarts."""
    n = length.num_steps
    ends = _ends_of_cycles(n, num_cycles, cycle_mult)

    def drawn(last: float) -> list[float]:
        return trace([Phase(a, b, 1, last, "cosine") for a, b in pairwise(ends)], n)

    return Curves(drawn(final_share), drawn(0))


def triangular(length: Length, *, num_cycles: int, pct_start: float) -> Curves:
    """Draw equal triangles."""
    return _above_start(length, _triangles(length, num_cycles, pct_start, 1))


def triangular2(length: Length, *, num_cycles: int, pct_start: float) -> Curves:
    """Draw triangles, each half as high as the one before."""
    return _above_start(length, _triangles(length, num_cycles, pct_start, 0.5))


def exp_range(length: Length, *, num_cycles: int, pct_start: float, gamma: float) -> Curves:
    """Draw triangles whose height decays from step to step."""
    factors = _triangles(length, num_cycles, pct_start, 1)
    return _above_start(length, [f * gamma**i for i, f in enumerate(factors)])


def _triangles(length: Length, num_cycles: int, pct_start: float, decay: float) -> list[float]:
    """Return the factors of equal cycles, each peak `decay` times as high as the one before."""
    n, phases = length.num_steps, list[Phase]()
    for k, (a, b) in enumerate(pairwise(_ends_of_cycles(n, num_cycles, 1))):
        peak = a + pct_start * (b - a)
        phases += [Phase(a, peak, 0, decay**k), Phase(peak, b, decay**k, 0)]
    return trace(phases, n)


def _above_start(length: Length, factors: list[float]) -> Curves:
    return Curves([length.start + (1 - length.start) * f for f in factors], factors)


def _ends_of_cycles(num_steps: int, num_cycles: int, cycle_mult: float) -> list[int]:
    """Return where the first cycle begins and each ends, in whole steps."""
    lengths = [cycle_mult**k for k in range(num_cycles)]
    return [0, *(round(num_steps * end / sum(lengths)) for end in accumulate(lengths))]


def phases(length: Length, *, phases: Sequence[Mapping[str, Any]]) -> Curves:
    """Draw what is listed."""
    n, begin, drawn = length.num_steps, 0, list[Phase]()
    for phase in phases:
        end = round(n * phase["until"])
        anneal = phase.get("anneal", "linear")
        drawn.append(Phase(begin, end, phase["first"], phase["last"], anneal))
        begin = end
    shares = trace(drawn, n)
    return Curves(shares, list(shares))
