"""From short, complete 1cycles at several learning rates to the one that they confirm."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from onecycle_cli.suggest.comparison import no_finite_candidate, paired_error, rank
from onecycle_cli.suggest.suggestion import Suggestion, rounded

LADDER = (1 / 8, 1 / 4, 1 / 2, 1.0, 2.0)
"""The candidates, as multiples of the learning rate at which the loss rebounds."""

FINALISTS = 3
"""How many of them run again, longer."""

WITHIN_ERRORS = 1.0
"""A candidate counts as good as the best within so many standard errors of their difference."""

MARGIN_WITHOUT_NORMALISATION = math.sqrt(2)
"""Divides the choice for networks without normalisation layers, which fall off a cliff: a short
cycle survives learning rates that a whole training does not."""


def ladder(rebound: float) -> list[float]:
    """Return the learning rates to try, rising, around the one at which the loss rebounds."""
    return [rounded(rebound * factor) for factor in LADDER]


def finalists(scores: Mapping[float, Sequence[ArrayLike]]) -> list[float]:
    """Return the candidates with the lowest mean losses, at most `FINALISTS`, rising.

    Args:
        scores: for each candidate, an array of losses for each replicate; those with a loss that
            is not finite are left out.
    """
    means = {
        lr: float(np.mean([np.asarray(run, float).mean() for run in runs]))
        for lr, runs in scores.items()
    }
    finite = [lr for lr in sorted(means) if np.isfinite(means[lr])]
    return sorted(sorted(finite, key=lambda lr: means[lr])[:FINALISTS])


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
        tried: every learning rate of the first round.
        normalised: whether the network has normalisation layers; without, the choice is divided
            by `MARGIN_WITHOUT_NORMALISATION`.

    Returns:
        The suggestion: `undecided` where the choice is the lowest or the best the highest one
        tried, so that a better one may lie outside; `non_finite` where every finalist diverged.
    """
    try:
        good = as_good_as_the_best(scores)
        best, _ = rank(scores)
    except ValueError:
        return no_finite_candidate()
    margin = 1.0 if normalised else MARGIN_WITHOUT_NORMALISATION
    value = rounded(good[0] / margin)
    interval = (value, max(value, rounded(good[-1] / margin)))
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
