"""Candidates compared by their losses on the same examples: momentum values, weight decays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from onecycle_cli.errors import ArgumentError
from onecycle_cli.suggest.curves import Array, first_broken
from onecycle_cli.suggest.suggestion import Suggestion

ON_NEW_BATCHES = "batches before they were trained on"
ON_VALIDATION = "validation split"

Scores = dict[Any, list[Array]]
"""For each candidate, the judged losses of each replicate."""

_ANNEALED_SHARE = 0.2
_BLOCKS = 10
_EXPLODED = 1e3


@dataclass(frozen=True)
class Difference:
    """How much worse a candidate scores than the best one: mean and 95 % interval, in loss."""

    mean: float
    interval: tuple[float, float]

    @property
    def tied(self) -> bool:
        """Whether the interval includes zero."""
        return self.interval[0] <= 0


def annealed(losses: Sequence[float] | Array) -> Array:
    """Return the last fifth of a run's losses, where its learning rate is low."""
    return np.array(losses[-max(1, round(len(losses) * _ANNEALED_SHARE)) :], float)


def annealed_loss(losses: Sequence[float] | Array, steps: int) -> float:
    """Return the mean of the last fifth of a run's losses; infinite if it broke off.

    Args:
        losses: of the steps that were taken.
        steps: the length of its cycle.
    """
    if len(losses) < steps or not np.isfinite(losses).all():
        return float("inf")
    return float(annealed(losses).mean())


def aligned(scores: Scores) -> Scores:
    """Give diverged runs as many infinite losses as the others have finite ones."""
    length = max((len(s) for runs in scores.values() for s in runs), default=1)
    return {
        candidate: [s if len(s) == length else np.full(length, np.inf) for s in runs]
        for candidate, runs in scores.items()
    }


def paired_difference(worse: Sequence[ArrayLike], best: Sequence[ArrayLike]) -> Difference:
    """Compare two candidates that saw the same examples in the same order.

    Args:
        worse: for each replicate, an array of losses of shape (n,).
        best: the same of the better candidate, aligned example by example.

    Returns:
        Mean of `worse - best` and its 95 % interval: the wider one of Student's, from blocks of
        neighbouring losses within the replicates, and, of three replicates or more, the normal
        one between them. Infinite where a loss is not finite, where there is but one, or where
        one of `worse` has exploded: to above a thousand times the highest of `best`.
    """
    if not _comparable(worse, best):
        return Difference(float("inf"), (float("inf"), float("inf")))
    pairs = _pairs(worse, best)
    blocks = [_block_means(p) for p in pairs]
    means = np.array([p.mean() for p in pairs])
    margins = []
    if freedom := sum(len(b) - 1 for b in blocks):
        margins.append(_student(freedom) * _error_within(blocks))
    if len(means) > 2:
        margins.append(_student(np.inf) * _standard_error(means))
    margin, mean = max(margins, default=float("inf")), float(means.mean())
    return Difference(mean, (mean - margin, mean + margin))


def rank(*rounds: Mapping[Any, Sequence[ArrayLike]]) -> tuple[Any, dict[Any, Difference]]:
    """Return the candidate with the lowest mean loss, and every other one's distance from it.

    Args:
        *rounds: for each candidate, an array of losses for each replicate; of several rounds, in
            order, the last one decides which is the best, and each candidate's distance from it is
            that of the last round it ran in.

    Raises:
        ValueError: when every candidate of the last round has a loss that is not finite.
    """
    means = {
        candidate: mean_loss(runs) for candidate, runs in rounds[-1].items() if _all_finite(runs)
    }
    if not means:
        raise ArgumentError("no candidate has finite losses only.")
    best = min(means, key=lambda c: means[c])
    last = {c: scores for scores in rounds for c in scores}
    return best, {
        c: paired_difference(scores[c], scores[best]) for c, scores in last.items() if c != best
    }


def no_finite_candidate() -> Suggestion:
    """Return the refusal where every candidate diverged."""
    return Suggestion(
        None,
        None,
        "non_finite",
        "no candidate finished with a finite loss; lower the learning rate and search again.",
    )


def mean_loss(runs: Sequence[ArrayLike]) -> float:
    """Return the mean of the losses of all replicates."""
    return float(np.mean([np.asarray(run, float).mean() for run in runs]))


def _all_finite(runs: Sequence[ArrayLike]) -> bool:
    """Tell whether there are losses, and all are finite."""
    arrays = [np.asarray(run, float) for run in runs]
    return bool(arrays) and all(0 < len(a) == first_broken(a) for a in arrays)


def _comparable(worse: Sequence[ArrayLike], best: Sequence[ArrayLike]) -> bool:
    """Tell whether all losses are finite, and none of `worse` has exploded.

    One that is above a thousand times the highest of the best candidate, and its own median, has:
    its error, as large as the loss itself, would make a tie of it.
    """
    if not (_all_finite(worse) and _all_finite(best)):
        return False
    own = np.concatenate([np.asarray(run, float) for run in worse])
    others = np.concatenate([np.asarray(run, float) for run in best])
    usual = max(float(np.abs(others).max()), float(np.median(np.abs(own))))
    return bool(own.max() <= _EXPLODED * usual)


def _student(freedom: float) -> float:
    """Return the 97.5 % quantile of Student's t: nearly straight in 1 / degrees of freedom."""
    known = {np.inf: 1.96, 30: 2.042, 10: 2.228, 5: 2.571, 3: 3.182, 2: 4.303, 1: 12.706}
    return float(np.interp(1 / freedom, [1 / f for f in known], list(known.values())))


def _pairs(worse: Sequence[ArrayLike], best: Sequence[ArrayLike]) -> list[Array]:
    return [np.asarray(a, float) - np.asarray(b, float) for a, b in zip(worse, best, strict=True)]


def _error_within(blocks: Sequence[Array]) -> float:
    return float(np.linalg.norm([_standard_error(b) for b in blocks])) / len(blocks)


def _block_means(values: Array) -> Array:
    return np.array([b.mean() for b in np.array_split(values, min(_BLOCKS, len(values)))])


def _standard_error(values: Array) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0
