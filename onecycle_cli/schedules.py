"""Schedules: from a position in training to a value, as tables computed once.

Every schedule is a list of ``num_steps`` floats, one for each training step, built by a pure
function in double precision. A range test is a `sweep`; a 1cycle run is a pair of `learning_rates`
and `momenta`, both made from one `cycle_factors`.

References: L. N. Smith, "Cyclical Learning Rates" (arXiv:1506.01186) and "A disciplined approach to
neural network hyper-parameters" (arXiv:1803.09820).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, get_args

Shape = Literal["smith", "linear", "cosine", "wsd"]
Scale = Literal["exp", "linear"]

SHAPES: dict[str, str] = {
    "smith": "up and down in straight lines, then a short fall far below the start (1cycle)",
    "linear": "a quarter up, then down to nothing in one straight line",
    "cosine": "30 % up, then down to nothing, both along half a cosine",
    "wsd": "warm up for 10 %, stay at the peak until 80 %, then decay in a straight line",
}

FINAL_DIVISOR = 1000.0
"""The learning rate ends at ``max_lr / FINAL_DIVISOR``."""

_ROUNDING = 1e-9


def sweep(num_steps: int, low: float, high: float, scale: Scale = "exp") -> list[float]:
    """Return the values of a range test from `low` to `high`, both end points exact.

    ```
    exp:    low * (high / low) ** (i / (num_steps - 1))
    linear: low + (high - low) * i / (num_steps - 1)
    ```

    Args:
        num_steps: number of values, at least 2.
        low: first value, > 0.
        high: last value, > `low`.
        scale: `"exp"` for equal ratios or `"linear"` for equal differences.

    Raises:
        ValueError: when an argument is out of its range.
    """
    if num_steps < 2:
        raise ValueError(f"num_steps must be at least 2 for a sweep; got {num_steps}.")
    if not 0 < low < high < math.inf:
        raise ValueError(f"a sweep needs 0 < low < high; got low={low}, high={high}.")
    if scale not in get_args(Scale):
        raise ValueError(f"scale must be 'exp' or 'linear'; got {scale!r}.")
    positions = [i / (num_steps - 1) for i in range(num_steps)]
    if scale == "exp":
        values = [low * (high / low) ** p for p in positions]
    else:
        values = [low + (high - low) * p for p in positions]
    return [low, *values[1:-1], high]


def learning_rates(
    num_steps: int,
    max_lr: float,
    *,
    shape: Shape = "smith",
    end_percentage: float = 0.1,
    scale_percentage: float | None = None,
) -> list[float]:
    """Return the learning rate of each step of a 1cycle run.

    With s = `scale_percentage` (or else `end_percentage`) and f the factors of `cycle_factors`,
    `lr = max_lr * (s + (1 - s) * f)` on the way up. For `"smith"` the way down mirrors it, and the
    tail falls from `s * max_lr` towards `max_lr / 1000`, which it would reach at step `num_steps`.
    The other shapes fall from `max_lr` straight towards `max_lr / 1000`.

    Args:
        num_steps: number of steps N, at least 1. A single step is run at `max_lr`.
        max_lr: the highest learning rate, > 0, reached exactly.
        shape: one of `SHAPES`.
        end_percentage: share of the steps in the tail of `"smith"`, in [0, 1).
        scale_percentage: the first learning rate as a share of `max_lr`, in (0, 1].

    Raises:
        ValueError: when an argument is out of its range.
    """
    start = _start_share(end_percentage, scale_percentage)
    if not 0 < max_lr < math.inf:
        raise ValueError(f"max_lr must be greater than 0; got {max_lr}.")
    factors = cycle_factors(num_steps, shape, end_percentage)
    if num_steps == 1:
        return [max_lr]
    if shape == "smith":
        return [
            max_lr * share for share in _smith_shares(num_steps, start, end_percentage, factors)
        ]
    floor, falls = 1 / FINAL_DIVISOR, _peak(num_steps, shape)
    return [
        max_lr * (start + (1 - start) * f if i < falls else floor + (1 - floor) * f)
        for i, f in enumerate(factors)
    ]


def momenta(
    num_steps: int,
    high: float,
    low: float,
    *,
    shape: Shape = "smith",
    end_percentage: float = 0.1,
) -> list[float]:
    """Return the momentum of each step: `high - (high - low) * f`, the mirror of the rate.

    Args:
        num_steps: number of steps, at least 1.
        high: momentum where the learning rate is low, in [0, 1).
        low: momentum where the learning rate peaks, in [0, `high`].
        shape: one of `SHAPES`.
        end_percentage: share of the steps in the tail of `"smith"`, where momentum stays `high`.

    Raises:
        ValueError: when an argument is out of its range.
    """
    if not 0 <= low <= high < 1:
        raise ValueError(f"momentum needs 0 <= low <= high < 1; got high={high}, low={low}.")
    return [high - (high - low) * f for f in cycle_factors(num_steps, shape, end_percentage)]


def cycle_factors(
    num_steps: int, shape: Shape = "smith", end_percentage: float = 0.1
) -> list[float]:
    """Return f in [0, 1] for each step: 0 where the cycle starts, 1 at its peak.

    `"smith"`: `mid = min(N - 1, max(1, floor(N * (1 - end_percentage) / 2)))`; f rises to 1 at step
    `mid`, falls to 0 at step `2 * mid`, and is 0 in the tail. `"linear"` and `"cosine"` peak at
    step `floor(.25 N)` and `floor(.3 N)`; `"wsd"` is 1 from `floor(.1 N)` to `floor(.8 N)`.

    Raises:
        ValueError: when `num_steps`, `shape` or `end_percentage` is out of its range.
    """
    if num_steps < 1:
        raise ValueError(f"num_steps must be at least 1; got {num_steps}.")
    if shape not in SHAPES:
        raise ValueError(f"shape must be one of {', '.join(SHAPES)}; got {shape!r}.")
    if not 0 <= end_percentage < 1:
        raise ValueError(f"end_percentage must be in [0, 1); got {end_percentage}.")
    if num_steps == 1:
        return [1.0]
    factor = _FACTORS[shape](num_steps, end_percentage)
    return [factor(i) for i in range(num_steps)]


def at(table: list[float], step: int, after: float) -> float:
    """Return the value at `step`, and `after` once the table has ended."""
    return table[step] if step < len(table) else after


def cooled_down(table: list[float], done: int, num_steps: int, final: float) -> list[float]:
    """Return the table cut after `done` steps, with a straight way to `final` in its place.

    Args:
        table: values of a whole run, at least one.
        done: steps that have been taken.
        num_steps: steps to come, at least 1; the last of them is at `final`.
        final: where to end.
    """
    present = table[max(0, min(done, len(table)) - 1)]
    way = [present + (final - present) * (i + 1) / num_steps for i in range(num_steps)]
    return [*table[:done], *way[:-1], final]


def stretched(table: list[float], done: int, num_steps: int) -> list[float]:
    """Return a table of `num_steps` values, whose part after `done` has the shape that it had.

    Args:
        table: values of a whole run.
        done: steps that have been taken, below `len(table)` and `num_steps`.
        num_steps: steps of the run from now on, those done included.
    """
    rest, count = [*table[done:], table[-1]], num_steps - done
    places = (i * (len(table) - done) / count for i in range(count))
    return [*table[:done], *(_between(rest, place) for place in places)]


def extended(table: list[float], done: int, num_steps: int) -> list[float]:
    """Return a table of `num_steps` values, in which the present value is held until it must go on.

    Args:
        table: values of a whole run.
        done: steps that have been taken, below `len(table)`.
        num_steps: steps of the run from now on, at least as many as there were.
    """
    return [*table[:done], *[table[done]] * (num_steps - len(table)), *table[done:]]


POLICIES: dict[str, Callable[[list[float], int, int], list[float]]] = {
    "stretch": stretched,
    "extend": extended,
}
"""What can become of a table whose run is given another number of steps on the way."""


def _between(values: list[float], place: float) -> float:
    before = int(place)
    if place == before:
        return values[before]
    return values[before] + (place - before) * (values[before + 1] - values[before])


def _start_share(end_percentage: float, scale_percentage: float | None) -> float:
    share = end_percentage if scale_percentage is None else scale_percentage
    if not 0 < share <= 1:
        name = "end_percentage" if scale_percentage is None else "scale_percentage"
        raise ValueError(f"{name} must be in (0, 1] to set the first learning rate; got {share}.")
    return share


def _share_of(num_steps: int, share: float) -> int:
    return math.floor(num_steps * share + _ROUNDING)


def _smith_mid(num_steps: int, end_percentage: float) -> int:
    return min(num_steps - 1, max(1, _share_of(num_steps, (1 - end_percentage) / 2)))


def _smith_shares(
    num_steps: int, start: float, end_percentage: float, factors: list[float]
) -> list[float]:
    tail_from = 2 * _smith_mid(num_steps, end_percentage)

    def share(i: int) -> float:
        if i <= tail_from:
            return start + (1 - start) * factors[i]
        p = (i - tail_from) / (num_steps - tail_from)
        return start * (1 - p) + p / FINAL_DIVISOR

    return [share(i) for i in range(num_steps)]


def _peak(num_steps: int, shape: Shape) -> int:
    return _share_of(num_steps, {"linear": 0.25, "cosine": 0.3, "wsd": 0.1}[shape])


def _smith(num_steps: int, end_percentage: float) -> Callable[[int], float]:
    mid = _smith_mid(num_steps, end_percentage)
    return lambda i: max(0.0, 1 - abs(i - mid) / mid)


def _linear(num_steps: int, _: float) -> Callable[[int], float]:
    peak = _peak(num_steps, "linear")
    return lambda i: i / peak if i < peak else (num_steps - i) / (num_steps - peak)


def _cosine(num_steps: int, _: float) -> Callable[[int], float]:
    peak = _peak(num_steps, "cosine")

    def factor(i: int) -> float:
        if i < peak:
            return (1 - math.cos(math.pi * i / peak)) / 2
        return (1 + math.cos(math.pi * (i - peak) / (num_steps - peak))) / 2

    return factor


def _wsd(num_steps: int, _: float) -> Callable[[int], float]:
    up, down = _peak(num_steps, "wsd"), _share_of(num_steps, 0.8)
    return lambda i: (
        i / up if i < up else 1.0 if i <= down else (num_steps - i) / (num_steps - down)
    )


_FACTORS: dict[str, Callable[[int, float], Callable[[int], float]]] = {
    "smith": _smith,
    "linear": _linear,
    "cosine": _cosine,
    "wsd": _wsd,
}
