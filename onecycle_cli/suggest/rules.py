"""Rules by which people and programs read a range test, all given the same smoothed curve.

The rules of other programs are theirs in formula, not in smoothing: they differentiate a moving
average, which lags, or raw losses, whose noise then decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from onecycle_cli.suggest.trends import Trend

_SLIDE_SPAN = 15
_SLIDE_THRESHOLD = 0.005


@dataclass(frozen=True)
class Rule:
    """A rule: call it with one sweep, get a learning rate, or `None` where it has no answer.

    Attributes:
        about: what it answers, in words.
        of_trend: its answer on a sweep that is smoothed already.
        needs_rebound: whether it means nothing on a sweep whose loss never rose again.
    """

    about: str
    of_trend: Callable[[Trend], float | None]
    needs_rebound: bool = False

    def __call__(
        self, lrs: ArrayLike, losses: ArrayLike, bandwidth: float | None = None
    ) -> float | None:
        """Return the answer for one sweep, which may end in a non-finite loss.

        Args:
            lrs: learning rates > 0, of shape (n,).
            losses: raw batch losses, of shape (n,).
            bandwidth: the smoothing kernel's standard deviation in ln lr, > 0; `None`: the
                usual one.
        """
        trend = Trend.of(lrs, losses, bandwidth)
        return None if trend is None else self.of_trend(trend)


def valley(lrs: ArrayLike, losses: ArrayLike, bandwidth: float | None = None) -> float | None:
    """Return fastai's default answer: half way along the longest falling run of the curve.

    With `lds` the length of the longest decreasing subsequence that ends at each point, `e` its
    maximum's position and `a = e - lds[e]`: the rate at `a + (e - a) // 3 + (e - a) // 6`.
    Source: `fastai/callback/schedule.py`. Given here the kernel-smoothed curve.
    """
    return RULES["valley"](lrs, losses, bandwidth)


def slide(lrs: ArrayLike, losses: ArrayLike, bandwidth: float | None = None) -> float | None:
    """Return fastai's `slide`: the rate from which on the slope changes little.

    With `g` the change of the loss from step to step, a pair of points 15 steps apart slides down
    from the end of the curve until their `g` differ by at most 0.005; the left one is the answer.
    Source: `fastai/callback/schedule.py`. Given here the kernel-smoothed curve. Its threshold has
    the unit of the loss, so that the answer changes when the loss is scaled.
    """
    return RULES["slide"](lrs, losses, bandwidth)


def _middle(trend: Trend) -> float | None:
    return trend.middle


def _rebound_half(trend: Trend) -> float | None:
    diverge = trend.diverge
    return None if diverge is None else diverge / 2


def _steep(trend: Trend) -> float | None:
    return trend.steep


def _minimum(trend: Trend) -> float | None:
    return float(trend.lrs[trend.lowest])


def _minimum_tenth(trend: Trend) -> float | None:
    return float(trend.lrs[trend.lowest]) / 10


def _valley(trend: Trend) -> float | None:
    k = trend.smoothed
    even = 1e-12 * float(np.ptp(k))  # where the loss has exploded, only rounding differs
    lengths = np.ones(len(k), int)
    for i in range(1, len(k)):
        longer = lengths[:i][k[:i] > k[i] + even]
        lengths[i] = longer.max() + 1 if longer.size else 1
    end = int(np.argmax(lengths))
    begin = end - int(lengths[end])
    third = (end - begin) / 3
    return float(trend.lrs[max(0, begin + int(third) + int(third / 2))])


def _slide(trend: Trend) -> float | None:
    if len(trend.lrs) <= _SLIDE_SPAN:
        return None
    slope = np.gradient(trend.smoothed)
    right = len(slope) - 1
    left = right - _SLIDE_SPAN
    answer = trend.lrs[left]
    while left >= 0 and abs(slope[right] - slope[left]) > _SLIDE_THRESHOLD:
        answer = trend.lrs[left]
        right, left = right - 1, left - 1
    return float(answer)


OURS = "middle"
"""The rule that range tests are judged by; chosen by `benchmarks/suggestions`."""

_FORMER_NAMES = {"basin": OURS}

RULES: dict[str, Rule] = {
    OURS: Rule(
        "the middle of the range in which the loss is low, from where it comes close to its "
        "minimum to where it rises again",
        _middle,
        True,
    ),
    "rebound/2": Rule("half the rate at which the loss rebounds", _rebound_half, True),
    "steep": Rule("fastai's steep, where the loss falls fastest", _steep),
    "valley": Rule("fastai's valley, half way along the longest fall", _valley),
    "slide": Rule("fastai's slide, where the slope stops changing", _slide),
    "minimum/10": Rule("a tenth of the rate of the lowest loss", _minimum_tenth, True),
    "minimum": Rule("the rate of the lowest loss", _minimum, True),
}
"""Every rule by its name."""


def present_name(rule: str) -> str:
    """Return what a rule is called by now; saved runs and old commands have its former name."""
    return _FORMER_NAMES.get(rule, rule)
