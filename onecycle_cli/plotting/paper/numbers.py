"""Numbers as a person writes them, and those of one axis all in one style."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.ticker import Formatter

_LONGEST = 9
_SMALLEST = 1e-5
_MOST_DIGITS = 9
_NOTHING = 1e-12


def number(value: float, digits: int = 3) -> str:
    """Write a number as a person would: `0.0003`, `12`, and below 0.0001 `3e-5`."""
    if abs(value) < 1e-15:
        return "0"
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def percent(share: float) -> str:
    """Write an accuracy: `91.23 %`."""
    return f"{100 * share:.2f} %"


def rounded_to(width: float) -> int:
    """Return how many decimals show two digits of a width."""
    return max(0, 1 - math.floor(math.log10(width))) if width > 0 and np.isfinite(width) else 3


def in_one_style(values: Sequence[float], *, aligned: bool) -> list[str]:
    """Write the numbers of one axis: all of them plainly, or all of them with an exponent.

    Args:
        values: finite numbers.
        aligned: whether all of them have as many decimals, as on a linear axis.
    """
    highest = max((abs(v) for v in values), default=0.0)
    least = _NOTHING * highest if aligned else 0.0
    exact = [0.0 if abs(v) <= least else float(v) for v in values]
    lowest = min((abs(v) for v in exact if v), default=1.0)
    plain = _plain(exact, aligned)
    if lowest >= _SMALLEST * (1 - 1e-9) and max(map(len, plain), default=0) <= _LONGEST:
        return plain
    return [_with_exponent(value) for value in exact]


class OneStyle(Formatter):
    """Labels the ticks of an axis, all in the style that suits those that are seen.

    Args:
        aligned: as of `in_one_style`.
    """

    def __init__(self, *, aligned: bool) -> None:
        self._aligned = aligned

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Label one value, as under a pointer."""
        return number(x, 6)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Label the ticks; those out of sight get no label."""
        low, high = sorted(self.axis.get_view_interval()) if self.axis else (-math.inf, math.inf)
        slack = 1e-9 * (high - low) if math.isfinite(high - low) else 0.0
        seen = [low - slack <= value <= high + slack for value in values]
        labels = in_one_style(
            [v for v, is_seen in zip(values, seen, strict=True) if is_seen], aligned=self._aligned
        )
        rest = iter(labels)
        return [next(rest) if is_seen else "" for is_seen in seen]


def _plain(values: Sequence[float], aligned: bool) -> list[str]:
    decimals = [_decimals(value) for value in values]
    if aligned:
        decimals = [max(decimals, default=0)] * len(values)
    return [f"{v:,.{d}f}".replace("-", "−") for v, d in zip(values, decimals, strict=True)]


def _decimals(value: float) -> int:
    """Return how many decimals a number needs; of a tick, which is a round one, few."""
    return next(
        (d for d in range(_MOST_DIGITS) if math.isclose(round(value, d), value, rel_tol=1e-7)),
        _MOST_DIGITS,
    )


def _with_exponent(value: float) -> str:
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:.5e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')}e{int(exponent)}"
