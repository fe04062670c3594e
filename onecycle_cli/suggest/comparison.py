"""Candidates compared by their losses on the same examples: momentum values, weight decays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from onecycle_cli.suggest.curves import Array, first_broken
from onecycle_cli.suggest.suggestion import Suggestion

DEFAULT_MOMENTUM = {"max": 0.95, "min": 0.85}
"""L. N. Smith's range, the safe answer where a comparison stays undecided."""

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


def paired_error(worse: Sequence[ArrayLike], best: Sequence[ArrayLike]) -> float:
    """Return the standard error of the mean difference of two candidates, in loss.

    The wider one of that within the replicates, from blocks of neighbouring losses, and that
    between them. Infinite where a loss is not finite or has exploded, or where there is but one.

    Args:
        worse: for each replicate, an array of losses of shape (n,).
        best: the same of the better candidate, aligned example by example.
    """
    if not _comparable(worse, best):
        return float("inf")
    pairs = _pairs(worse, best)
    blocks = [_block_means(p) for p in pairs]
    errors = [_error_within(blocks)] if any(len(b) > 1 for b in blocks) else []
    if len(pairs) > 1:
        errors.append(_standard_error(np.array([p.mean() for p in pairs])))
    return max(errors, default=float("inf"))


def rank(*rungs: Mapping[Any, Sequence[ArrayLike]]) -> tuple[Any, dict[Any, Difference]]:
    """Return the candidate with the lowest mean loss, and every other one's distance from it.

    Args:
        *rungs: for each candidate, an array of losses for each replicate; of several rungs of a
            race, in order, the last one decides which is the best, and each candidate's distance
            from it is that of the last rung it ran in.

    Raises:
        ValueError: when every candidate of the last rung has a loss that is not finite.
    """
    means = {
        c: float(np.mean([np.asarray(run, float).mean() for run in runs]))
        for c, runs in rungs[-1].items()
        if _all_finite(runs)
    }
    if not means:
        raise ValueError("no candidate has finite losses only.")
    best = min(means, key=lambda c: means[c])
    last = {c: rung for rung in rungs for c in rung}
    return best, {
        c: paired_difference(rung[c], rung[best]) for c, rung in last.items() if c != best
    }


def suggest_weight_decay(*rungs: Mapping[float, Sequence[ArrayLike]]) -> Suggestion:
    """Suggest the largest weight decay that is not shown to be worse than the best one.

    Args:
        *rungs: data losses, without penalty, of each weight decay, as in `rank`; only who ran in
            the last rung can be suggested.
    """
    try:
        best, differences = rank(*rungs)
    except ValueError:
        return no_finite_candidate()
    tied = sorted([best, *(c for c, d in differences.items() if d.tied)])
    interval = (tied[0], tied[-1])
    if len(tied) == 1:
        return Suggestion(best, interval, "ok", f"{best:g} has the lowest loss, beyond the noise.")
    value = max(c for c in tied if c in rungs[-1])
    return Suggestion(
        value,
        interval,
        "undecided",
        f"{len(tied)} values from {tied[0]:g} to {tied[-1]:g} can't be told apart; the largest of "
        f"the last rung is the safer one. Raise find_wd.repeats or find_wd.steps to decide.",
    )


def suggest_momentum(
    *rungs: Mapping[float | str, Sequence[ArrayLike]], cycled: str = "cycled"
) -> Suggestion:
    """Suggest a momentum range from short runs at constant values and one over the default range.

    A constant winner is cycled around: see `momentum_range`. While the default range is among
    those that can't be told apart, it is the answer.

    Args:
        *rungs: data losses of each momentum, as in `rank`; the key `cycled` stands for the range
            `DEFAULT_MOMENTUM`, mirrored to the learning rate.
        cycled: that key.
    """
    try:
        best, differences = rank(*rungs)
    except ValueError:
        return no_finite_candidate()
    tied = [best, *(c for c, d in differences.items() if d.tied)]
    constants = [float(c) for c in tied if c != cycled]
    is_default = cycled in tied or (len(tied) > 1 and cycled not in rungs[0])
    value = momentum_range(cycled if is_default else best, cycled)
    spoken = f"{value['max']:g} to {value['min']:g}"
    interval = (min([*constants, *value.values()]), max([*constants, *value.values()]))
    if len(tied) > 1:
        names = ", ".join(str(c) for c in sorted(tied, key=str))
        choice = "the safe choice" if is_default else "around the best of them"
        return Suggestion(
            value,
            interval,
            "undecided",
            f"{names} can't be told apart; {spoken} is {choice}. Raise find_momentum.repeats or "
            f"find_momentum.steps to decide.",
        )
    if best == cycled:
        reason = f"cycling from {spoken} has the lowest loss, beyond the noise."
    else:
        reason = f"a constant {best:g} has the lowest loss, beyond the noise; cycle around it."
    return Suggestion(value, interval, "ok", reason)


def momentum_range(winner: float | str, cycled: str = "cycled") -> dict[str, float]:
    """Return the range that a winner stands for: of a constant m, `min(.99, m + .05)` to `m - .05`.

    Args:
        winner: a constant momentum, or the key of the default range.
        cycled: that key.
    """
    return dict(DEFAULT_MOMENTUM) if winner == cycled else _around(float(winner))


def no_finite_candidate() -> Suggestion:
    """Return the refusal where every candidate diverged."""
    return Suggestion(
        None,
        None,
        "non_finite",
        "no candidate finished with a finite loss; lower the learning rate and search again.",
    )


def _around(momentum: float) -> dict[str, float]:
    return {
        "max": round(min(0.99, momentum + 0.05), 6),
        "min": round(max(0.0, momentum - 0.05), 6),
    }


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
