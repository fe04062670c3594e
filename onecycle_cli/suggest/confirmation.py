"""From short, complete 1cycles at several learning rates to the one that they confirm."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from onecycle_cli.suggest.comparison import no_finite_candidate, paired_error, rank
from onecycle_cli.suggest.suggestion import Suggestion, rounded

STEP = 3.0
"""The factor between neighbours of the first round."""

FURTHEST = 4
"""How many rates the first round may add beyond those it starts with."""

WITHIN_ERRORS = 1.0
"""A candidate counts as good as the best within so many standard errors of their difference."""

MARGIN_WITHOUT_NORMALISATION = math.sqrt(2)
"""Divides the choice for networks without normalisation layers, which fall off a cliff: a short
cycle survives learning rates that a whole training does not."""


def ladder(middle: float) -> list[float]:
    """Return the learning rates to start with, rising: `middle` and one `STEP` to either side."""
    return [rounded(middle * factor) for factor in (1 / STEP, 1.0, STEP)]


def next_rate(scores: Mapping[float, Sequence[ArrayLike]]) -> float | None:
    """Return the rate to try next: beyond the end of the ladder that is the best so far.

    `None` when the best lies between others. Where every rate diverged, the next one is lower.

    Args:
        scores: for each rate of the first round, an array of losses for each replicate.
    """
    means = _means(scores)
    rates = sorted(means)
    best = min(rates, key=lambda rate: means[rate])
    if best == rates[0] or not np.isfinite(means[best]):
        return rounded(rates[0] / STEP)
    return rounded(best * STEP) if best == rates[-1] else None


def finalists(scores: Mapping[float, Sequence[ArrayLike]]) -> list[float]:
    """Return the rates of the last round, rising: the best one and half a `STEP` to either side.

    Args:
        scores: as in `next_rate`; nothing is left where every rate diverged.
    """
    means = _means(scores)
    best = min(means, key=lambda rate: means[rate])
    if not np.isfinite(means[best]):
        return []
    return [rounded(best * factor) for factor in (STEP**-0.5, 1.0, STEP**0.5)]


def _means(scores: Mapping[float, Sequence[ArrayLike]]) -> dict[float, float]:
    """Return the mean loss of each candidate; infinite where a loss is not finite."""
    means = {
        rate: float(np.mean([np.asarray(run, float).mean() for run in runs]))
        for rate, runs in scores.items()
    }
    return {rate: mean if np.isfinite(mean) else float("inf") for rate, mean in means.items()}


def as_good_as_the_best(scores: Mapping[float, Sequence[ArrayLike]]) -> list[float]:
    """Return the best candidate and those within `WITHIN_ERRORS` of it, rising.

    Args:
        scores: as in `rank`: the replicates saw the same examples in the same order.

    Raises:
        ValueError: when every candidate has a loss that is not finite.
    """
    best, differences = rank(scores)
    close = [
        lr
        for lr, difference in differences.items()
        if np.isfinite(difference.mean)
        and difference.mean <= WITHIN_ERRORS * paired_error(scores[lr], scores[best])
    ]
    return sorted([best, *close])


def confirm_lr(
    scores: Mapping[float, Sequence[ArrayLike]], *, tried: Sequence[float], normalised: bool
) -> Suggestion:
    """Suggest the smallest learning rate that is as good as the best of the finalists.

    Too low a learning rate costs little, too high a one everything.

    Args:
        scores: losses of each finalist, as in `rank`.
        tried: every learning rate of either round.
        normalised: whether the network has normalisation layers; without, the choice is divided
            by `MARGIN_WITHOUT_NORMALISATION`.

    Returns:
        The suggestion; its interval reaches half of the way to the neighbours of those as good as
        the best. `undecided` where the choice is the lowest or the best the highest one tried, so
        that a better one may lie outside; `non_finite` where every finalist diverged.
    """
    try:
        good = as_good_as_the_best(scores)
        best, _ = rank(scores)
    except ValueError:
        return no_finite_candidate()
    margin = 1.0 if normalised else MARGIN_WITHOUT_NORMALISATION
    value = rounded(good[0] / margin)
    reach = STEP**0.25  # half of the way to a neighbour that was tried
    interval = (rounded(value / reach), rounded(good[-1] / margin * reach))
    reason = _reason(good[0], best, tried, margin)
    if good[0] <= min(tried):
        beyond = "it is the lowest one tried, so a lower one may do as well or better"
    elif best >= max(tried):
        beyond = "the best is the highest one tried, so a higher one may do better"
    else:
        return Suggestion(value, interval, "ok", f"{reason}.")
    return Suggestion(value, interval, "undecided", f"{reason}; {beyond}.")


def _reason(choice: float, best: float, tried: Sequence[float], margin: float) -> str:
    place = "has the lowest loss"
    if choice != best:
        place = f"is the lowest within a standard error of the best, {best:.3g},"
    safety = f"; divided by {margin:.3g}, as the network has no normalisation" if margin > 1 else ""
    return (
        f"confirmed by short, complete 1cycles: {choice:.3g} {place} of {len(tried)} learning "
        f"rates from {min(tried):.3g} to {max(tried):.3g}{safety}"
    )
