"""Raw losses over learning rates, and what smoothing makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

BANDWIDTH = 0.35
"""Width of the smoothing kernel, in natural logarithms of the learning rate, at most."""

_WEIGHTS_AT_ONCE = 1_000_000
_WIDTHS = 20
_NEIGHBOURS = 2.5
_START = 5
_FEWEST = 12
_EXPLODED = 2.0
_NOISY = 5.0


def smooth(lrs: ArrayLike, losses: ArrayLike, bandwidth: float = BANDWIDTH) -> Array:
    """Return the losses smoothed by a Gaussian kernel in the logarithm of the learning rate.

    `k_i = sum_j w_ij L_j / sum_j w_ij`, `w_ij = exp(-((ln lr_i - ln lr_j) / bandwidth) ** 2 / 2)`.
    Symmetric, so that, unlike a moving average, it does not lag behind.

    Args:
        lrs: learning rates > 0, of shape (n,).
        losses: finite losses, of shape (n,).
        bandwidth: the kernel's standard deviation in ln lr, > 0.
    """
    return kernel(np.asarray(lrs, float), np.asarray(losses, float), bandwidth)[0]


def usual_bandwidth(lrs: ArrayLike) -> float:
    """Return the width of the kernel for these learning rates: `BANDWIDTH`, or less.

    A twentieth of a range of less than three decades, whose curve it would flatten else, but two
    and a half times the usual distance of neighbours in ln lr, below which nothing is averaged.

    Args:
        lrs: rising learning rates > 0, of shape (n,).
    """
    x = np.log(np.asarray(lrs, float))
    if len(x) < 2:
        return BANDWIDTH
    densest = _NEIGHBOURS * float(np.median(np.diff(x)))
    return min(BANDWIDTH, max((x[-1] - x[0]) / _WIDTHS, densest))


def by_trial(trials: Sequence[Any], trial_of_step: ArrayLike, values: ArrayLike) -> list[Array]:
    """Return the values of each trial, of a table that has a row for each step of all of them.

    Args:
        trials: which ones.
        trial_of_step: the trial that each row is of, shape (n,).
        values: a number for each row, shape (n,).
    """
    owners, numbers = np.asarray(trial_of_step), np.asarray(values, float)
    return [numbers[owners == trial] for trial in trials]


def moving_average(losses: ArrayLike, beta: float = 0.98) -> Array:
    """Return the bias-corrected exponential moving average, for display: it lags by 1/(1-beta)."""
    averages, average = [], 0.0
    for count, loss in enumerate(np.asarray(losses, float).tolist(), start=1):
        average = beta * average + (1 - beta) * loss
        averages.append(average / (1 - beta**count))
    return np.array(averages)


def finite_part(lrs: ArrayLike, losses: ArrayLike) -> tuple[Array, Array]:
    """Return the curve up to, and without, its first non-finite loss.

    A loss beyond the range of float32 counts as non-finite. Rates that don't rise are left out.
    """
    n = min(np.size(lrs), np.size(losses))
    x, y = np.asarray(lrs, float)[:n], np.asarray(losses, float)[:n]
    end = first_broken(y)
    x, y = x[:end], y[:end]
    highest_before = np.fmax.accumulate(np.concatenate([[0.0], x]))[:-1]
    rising = np.isfinite(x) & (x / (1 + 1e-9) > highest_before)
    return x[rising], y[rising]


def kernel(lrs: Array, losses: Array, bandwidth: float) -> tuple[Array, Array]:
    """Return the smoothed losses, and by which share of the raw noise each of them errs."""
    x = np.log(lrs)
    smoothed, spread = np.empty(len(x)), np.empty(len(x))
    rows = max(1, _WEIGHTS_AT_ONCE // max(1, len(x)))
    for part in (slice(i, i + rows) for i in range(0, len(x), rows)):
        with np.errstate(over="ignore"):  # a distance beyond the largest number weighs nothing
            weights = np.exp(-0.5 * ((x[part, None] - x) / bandwidth) ** 2)
        weights /= weights.sum(axis=1, keepdims=True)
        smoothed[part] = weights @ losses
        spread[part] = np.sqrt(np.square(weights).sum(axis=1))
    return smoothed, spread


def without_spikes(y: Array) -> Array:
    """Return each loss's median with its neighbours: one bad batch is no trend, a rise is."""
    return np.median([np.r_[y[2], y[:-1]], y, np.r_[y[1:], y[-1]]], axis=0)


def ceiling(losses: Array) -> float:
    """Return the loss above which a sweep has exploded, by how much says nothing more.

    It lies above the start by twice the fall, or by five times the noise if that is more: that of
    the losses up to the lowest one, for what exploded is no noise.

    Args:
        losses: finite, of shape (n,); of fewer than three nothing can be said.
    """
    if len(losses) < 3:
        return float("inf")
    usual = without_spikes(losses)
    start, lowest = float(usual[:_START].max()), int(usual.argmin())
    before = noise(losses[: max(_FEWEST, lowest + 1)])
    return start + max(_EXPLODED * (start - float(usual[lowest])), _NOISY * before)


def first_broken(losses: Array) -> int:
    """Return the position of the first loss that is not finite; their number if all are."""
    broken = np.flatnonzero(~(np.abs(losses) <= np.finfo(np.float32).max))
    return int(broken[0]) if broken.size else len(losses)


def rising_rate(lrs: ArrayLike, position: int, last: float) -> float | None:
    """Return the learning rate at a position if it is finite and above `last`."""
    rates = np.asarray(lrs, float)
    if position >= len(rates):
        return None
    rate = float(rates[position])
    return rate if last * (1 + 1e-9) < rate < np.inf else None


def noise(y: Array) -> float:
    """Standard deviation of raw losses about their trend, from the steps between neighbours."""
    if len(y) < 2:
        return 0.0
    return float(np.median(np.abs(np.diff(y)))) / 0.954  # median of |N(0,1) - N(0,1)|
