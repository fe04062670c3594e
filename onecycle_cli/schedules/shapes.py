"""Shapes by name: the phases of the learning rate and of the momentum, and their options.

The rate is drawn as a share of `max_lr`; the momentum by a factor f, which is 0 where momentum is
high and 1 where it is low.

References: L. N. Smith, "Cyclical Learning Rates" (arXiv:1506.01186) and "A disciplined approach to
neural network hyper-parameters" (arXiv:1803.09820); I. Loshchilov and F. Hutter, "SGDR"
(arXiv:1608.03983); `torch.optim.lr_scheduler`; `fastai.callback.schedule`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any, Literal, NamedTuple

from onecycle_cli.errors import did_you_mean
from onecycle_cli.schedules.phases import Anneal, Phase, trace
from onecycle_cli.schedules.shape_options import ShapeOptions, check_phases, check_value

Shape = Literal[
    "smith",
    "linear",
    "cosine",
    "wsd",
    "smith_caffe",
    "pytorch",
    "fastai",
    "flat_cos",
    "sgdr",
    "triangular",
    "triangular2",
    "exp_range",
    "phases",
]

FINAL_DIVISOR = 1000.0
"""The learning rate ends at `max_lr / FINAL_DIVISOR`, where a shape does not say otherwise."""

_ROUNDING = 1e-9


class Curves(NamedTuple):
    """For each step of a cycle, the rate's share of `max_lr` and the momentum's factor."""

    shares: list[float]
    factors: list[float]


def draw(
    shape: Shape, num_steps: int, start: float, end_percentage: float, options: ShapeOptions
) -> Curves:
    """Return the curves of a cycle; one of a single step is at its peak.

    Args:
        shape: a name of `SHAPES`.
        num_steps: number of steps, at least 1.
        start: the first rate as a share of `max_lr`, for the shapes that leave it open.
        end_percentage: share of the steps in the tail, for the shapes that have one.
        options: as `check` lets pass.
    """
    if num_steps == 1:
        return Curves([1.0], [1.0])
    kind = _KINDS[shape]
    return kind.draw(_Length(num_steps, start, end_percentage), **{**kind.options, **options})


def check(shape: str, options: Mapping[str, Any]) -> None:
    """Refuse a shape that is not known, options that are not its own, and values out of range.

    Raises:
        ValueError: in one sentence.
    """
    if shape not in SHAPES:
        raise ValueError(f"shape must be one of {', '.join(SHAPES)}; got {shape!r}.")
    own = OPTIONS[shape]
    for name, value in options.items():
        if name not in own:
            known = did_you_mean(name, list(own)) if own else "; it takes none."
            raise ValueError(f"shape {shape} has no option {name!r}{known}")
        check_value(name, value)
    if "phases" in own:
        check_phases(options.get("phases"))


def takes(shape: str, name: str) -> bool:
    """Tell whether `end_percentage` or `scale_percentage` means anything to a shape."""
    return name in _KINDS[shape].takes


@dataclass(frozen=True)
class _Length:
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


def _smith(length: _Length) -> Curves:
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


def _smith_caffe(length: _Length) -> Curves:
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


def _triangle(length: _Length) -> list[float]:
    mid = length.mid
    return trace([Phase(0, mid, 0, 1), Phase(mid, 2 * mid, 1, 0)], length.num_steps)


def _up_and_down(
    length: _Length, up: int, down: int, start: float, anneal: Anneal = "linear"
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


def _linear(length: _Length) -> Curves:
    peak = length.share(0.25)
    return _up_and_down(length, peak, peak, length.start)


def _cosine(length: _Length) -> Curves:
    peak = length.share(0.3)
    return _up_and_down(length, peak, peak, length.start, "cosine")


def _wsd(length: _Length) -> Curves:
    return _up_and_down(length, length.share(0.1), length.share(0.8), length.start)


def _pytorch(
    length: _Length,
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


def _fastai(
    length: _Length, *, pct_start: float, div: float, div_final: float, final_momentum: float | None
) -> Curves:
    n, peak = length.num_steps, pct_start * length.num_steps

    def drawn(first: float, last: float) -> list[float]:
        return trace([Phase(0, peak, first, 1, "cosine"), Phase(peak, n, 1, last, "cosine")], n)

    return Curves(drawn(1 / div, 1 / div_final), drawn(0, 0))


def _flat_cos(length: _Length, *, pct_start: float, div_final: float) -> Curves:
    n, peak = length.num_steps, pct_start * length.num_steps

    def drawn(last: float) -> list[float]:
        return trace([Phase(0, peak, 1, 1), Phase(peak, n, 1, last, "cosine")], n)

    return Curves(drawn(1 / div_final), drawn(0))


def _sgdr(length: _Length, *, num_cycles: int, cycle_mult: float, final_share: float) -> Curves:
    n = length.num_steps
    ends = _ends_of_cycles(n, num_cycles, cycle_mult)

    def drawn(last: float) -> list[float]:
        return trace([Phase(a, b, 1, last, "cosine") for a, b in pairwise(ends)], n)

    return Curves(drawn(final_share), drawn(0))


def _triangular(length: _Length, *, num_cycles: int, pct_start: float) -> Curves:
    return _above_start(length, _triangles(length, num_cycles, pct_start, 1))


def _triangular2(length: _Length, *, num_cycles: int, pct_start: float) -> Curves:
    return _above_start(length, _triangles(length, num_cycles, pct_start, 0.5))


def _exp_range(length: _Length, *, num_cycles: int, pct_start: float, gamma: float) -> Curves:
    factors = _triangles(length, num_cycles, pct_start, 1)
    return _above_start(length, [f * gamma**i for i, f in enumerate(factors)])


def _triangles(length: _Length, num_cycles: int, pct_start: float, decay: float) -> list[float]:
    """Return the factors of equal cycles, each peak `decay` times as high as the one before."""
    n, phases = length.num_steps, list[Phase]()
    for k, (a, b) in enumerate(pairwise(_ends_of_cycles(n, num_cycles, 1))):
        peak = a + pct_start * (b - a)
        phases += [Phase(a, peak, 0, decay**k), Phase(peak, b, decay**k, 0)]
    return trace(phases, n)


def _above_start(length: _Length, factors: list[float]) -> Curves:
    return Curves([length.start + (1 - length.start) * f for f in factors], factors)


def _ends_of_cycles(num_steps: int, num_cycles: int, cycle_mult: float) -> list[int]:
    """Return where the first cycle begins and each ends, in whole steps."""
    lengths = [cycle_mult**k for k in range(num_cycles)]
    return [0, *(round(num_steps * end / sum(lengths)) for end in accumulate(lengths))]


def _phases(length: _Length, *, phases: Sequence[Mapping[str, Any]]) -> Curves:
    n, begin, drawn = length.num_steps, 0, list[Phase]()
    for phase in phases:
        end = round(n * phase["until"])
        anneal = phase.get("anneal", "linear")
        drawn.append(Phase(begin, end, phase["first"], phase["last"], anneal))
        begin = end
    shares = trace(drawn, n)
    return Curves(shares, list(shares))


@dataclass(frozen=True)
class _Kind:
    about: str
    draw: Callable[..., Curves]
    takes: tuple[str, ...] = ("end_percentage", "scale_percentage")
    options: Mapping[str, Any] = field(default_factory=dict)


_CYCLES = {"num_cycles": 3, "pct_start": 0.5}
_START = ("scale_percentage",)

_KINDS: dict[str, _Kind] = {
    "smith": _Kind(
        "up and down in straight lines, then a short fall far below the start (1cycle)", _smith
    ),
    "linear": _Kind("a quarter up, then down to nothing in one straight line", _linear),
    "cosine": _Kind("30 % up, then down to nothing, both along half a cosine", _cosine),
    "wsd": _Kind(
        "warm up for 10 %, stay at the peak until 80 %, then decay in a straight line", _wsd
    ),
    "smith_caffe": _Kind(
        "as Smith ran 1cycle: down to nothing, then flat at a thousandth of the start", _smith_caffe
    ),
    "pytorch": _Kind(
        "PyTorch's OneCycleLR, step for step",
        _pytorch,
        (),
        {
            "pct_start": 0.3,
            "div_factor": 25.0,
            "final_div_factor": 1e4,
            "three_phase": False,
            "anneal": "cosine",
        },
    ),
    "fastai": _Kind(
        "fastai's fit_one_cycle",
        _fastai,
        (),
        {"pct_start": 0.25, "div": 25.0, "div_final": 1e5, "final_momentum": None},
    ),
    "flat_cos": _Kind(
        "fastai's fit_flat_cos: at the peak, then down along half a cosine",
        _flat_cos,
        (),
        {"pct_start": 0.75, "div_final": 1e5},
    ),
    "sgdr": _Kind(
        "warm restarts: from the peak down along half a cosine, again and again (SGDR)",
        _sgdr,
        (),
        {"num_cycles": 3, "cycle_mult": 2, "final_share": 0.0},
    ),
    "triangular": _Kind(
        "up and down in straight lines, several times (CLR)", _triangular, _START, _CYCLES
    ),
    "triangular2": _Kind(
        "as triangular, each peak half as high above the start as the one before",
        _triangular2,
        _START,
        _CYCLES,
    ),
    "exp_range": _Kind(
        "as triangular, lower by the factor gamma at each step",
        _exp_range,
        _START,
        _CYCLES | {"gamma": 0.99994},
    ),
    "phases": _Kind("your own list of phases", _phases, (), {"phases": ()}),
}

SHAPES: dict[str, str] = {name: kind.about for name, kind in _KINDS.items()}
OPTIONS: dict[str, Mapping[str, Any]] = {name: kind.options for name, kind in _KINDS.items()}
"""The options of each shape, with their defaults."""
