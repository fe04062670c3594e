"""From recorded curves to suggested values: pure functions on arrays.

Every suggestion carries an interval, a verdict and a reason, because refusing to suggest is a
correct answer when the data do not support one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

BANDWIDTH = 0.35
"""Width of the smoothing kernel, in natural logarithms of the learning rate."""

MARGIN = 2.0
"""The suggested learning rate is this factor below the one at which the loss rebounds."""

DEFAULT_MOMENTUM = {"max": 0.95, "min": 0.85}
"""L. N. Smith's range, the safe answer where a comparison stays undecided."""

ACCEPTED = ("ok", "undecided")
"""Verdicts that come with a value."""

_FEWEST_POINTS = 12
_REBOUND = 0.1
_SIGNIFICANT = 4.0
_SMALLEST_DROP = 0.02
_ONE_SWEEP_SPREAD = 1.7
_REPEATS_AGREE = 4.0
_BLOCKS = 10


@dataclass(frozen=True)
class Suggestion:
    """A suggested value with its evidence.

    Attributes:
        value: the value to use; a mapping with `max` and `min` for momentum; `None` if refused.
        interval: lowest and highest value that the data support as well; `None` if refused.
        verdict: `ok`, `undecided` (the value is the safe one), or why there is no value:
            `too_short`, `non_finite`, `never_descended`, `never_diverged`.
        reason: one sentence for a person, with the advice what to do.
    """

    value: float | dict[str, float] | None
    interval: tuple[float, float] | None
    verdict: str
    reason: str

    @property
    def accepted(self) -> bool:
        """Whether there is a value to use."""
        return self.verdict in ACCEPTED

    def as_dict(self) -> dict[str, Any]:
        """Return the suggestion as plain data for a file."""
        return asdict(self) | {"interval": list(self.interval) if self.interval else None}


@dataclass(frozen=True)
class Landmarks:
    """Learning rates that stand out on one smoothed curve; `None` where there is no such point.

    Attributes:
        first: where the loss is first clearly below its start.
        steep: where it falls fastest per logarithm of the learning rate.
        minimum: where it is lowest.
        diverge: where, after the minimum, it has risen by a tenth of its fall.
    """

    first: float | None = None
    steep: float | None = None
    minimum: float | None = None
    diverge: float | None = None


@dataclass(frozen=True)
class LRFindings:
    """What one or several range tests say.

    Attributes:
        suggestion: the suggested `max_lr`.
        min_lr: a tenth of it, where the 1cycle starts; `None` if refused.
        landmarks: of each sweep, in order.
        rules: the answer of each known rule, as a median over the sweeps.
    """

    suggestion: Suggestion
    min_lr: float | None
    landmarks: list[Landmarks]
    rules: dict[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Difference:
    """How much worse a candidate scores than the best one: mean and 95 % interval, in loss."""

    mean: float
    interval: tuple[float, float]

    @property
    def tied(self) -> bool:
        """Whether the interval includes zero."""
        return self.interval[0] <= 0


def smooth(lrs: ArrayLike, losses: ArrayLike, bandwidth: float = BANDWIDTH) -> Array:
    """Return the losses smoothed by a Gaussian kernel in the logarithm of the learning rate.

    `k_i = sum_j w_ij L_j / sum_j w_ij`, `w_ij = exp(-((ln lr_i - ln lr_j) / bandwidth) ** 2 / 2)`.
    Symmetric, so that, unlike a moving average, it does not lag behind.

    Args:
        lrs: learning rates > 0, of shape (n,).
        losses: finite losses, of shape (n,).
        bandwidth: the kernel's standard deviation in ln lr, > 0.
    """
    x, y = np.log(np.asarray(lrs, float)), np.asarray(losses, float)
    weights = np.exp(-0.5 * ((x[:, None] - x[None, :]) / bandwidth) ** 2)
    return weights @ y / weights.sum(axis=1)


def moving_average(losses: ArrayLike, beta: float = 0.98) -> Array:
    """Return the bias-corrected exponential moving average, for display: it lags by 1/(1-beta)."""
    averages, average = [], 0.0
    for count, loss in enumerate(np.asarray(losses, float), start=1):
        average = beta * average + (1 - beta) * loss
        averages.append(average / (1 - beta**count))
    return np.array(averages)


def finite_part(lrs: ArrayLike, losses: ArrayLike) -> tuple[Array, Array]:
    """Return the curve up to, and without, its first non-finite loss."""
    x, y = np.asarray(lrs, float), np.asarray(losses, float)
    broken = np.flatnonzero(~np.isfinite(y))
    end = int(broken[0]) if broken.size else len(y)
    return x[:end], y[:end]


def find_landmarks(lrs: ArrayLike, losses: ArrayLike) -> Landmarks:
    """Return the landmarks of one sweep, which may end in a non-finite loss.

    `diverge` is the first rate after the minimum at which the smoothed loss has risen by a tenth
    of its fall; where it breaks off in a non-finite loss before that, the last finite rate.
    """
    x, y = finite_part(lrs, losses)
    if len(x) < _FEWEST_POINTS:
        return Landmarks()
    k = smooth(x, y)
    start, noise = _start(k), _noise(y)
    low = int(np.argmin(k))
    clearly_lower = np.flatnonzero(k < start - 3 * noise)
    rebound = np.flatnonzero(k[low:] > k[low] + _REBOUND * (start - k[low]))
    diverge = float(x[low + rebound[0]]) if rebound.size else None
    if diverge is None and len(x) < len(np.asarray(losses)):
        diverge = float(x[-1])
    return Landmarks(
        first=float(x[clearly_lower[0]]) if clearly_lower.size else None,
        steep=float(x[np.argmin(np.gradient(k, np.log(x)))]),
        minimum=float(x[low]),
        diverge=diverge,
    )


def valley(lrs: ArrayLike, losses: ArrayLike) -> float | None:
    """Return fastai's default answer: two thirds down the longest falling run of the curve.

    With `lds` the length of the longest decreasing subsequence that ends at each point, `e` its
    maximum's position and `a = e - lds[e]`: the rate at `a + (e - a) // 3 + (e - a) // 6`.
    Source: `fastai/callback/schedule.py`. Given here the kernel-smoothed curve.
    """
    x, y = finite_part(lrs, losses)
    if len(x) < _FEWEST_POINTS:
        return None
    k = smooth(x, y)
    lengths = np.ones(len(k), int)
    for i in range(1, len(k)):
        longer = lengths[:i][k[:i] > k[i]]
        lengths[i] = longer.max() + 1 if longer.size else 1
    end = int(np.argmax(lengths))
    begin = max(0, end - int(lengths[end]))
    third = (end - begin) / 3
    return float(x[begin + int(third) + int(third / 2)])


def suggest_lr(sweeps: Sequence[tuple[ArrayLike, ArrayLike]]) -> LRFindings:
    """Suggest a maximum learning rate from range tests of one model and data set.

    Of each sweep, the rate at which the smoothed loss rebounds after its minimum, divided by
    `MARGIN`; of several sweeps, the median, with the lowest and the highest as interval.

    Args:
        sweeps: learning rates and raw batch losses of each test, arrays of shape (n,); a sweep
            may end in a non-finite loss.

    Returns:
        The findings. Never raises for data: what can't be judged gets a verdict that says so.
    """
    landmarks = [find_landmarks(*sweep) for sweep in sweeps]
    suggestion = _refuse(sweeps, landmarks) or _accept(landmarks)
    value = suggestion.value
    return LRFindings(
        suggestion=suggestion,
        min_lr=_rounded(value / 10) if isinstance(value, float) else None,
        landmarks=landmarks,
        rules={
            "rebound/2": _median([_over(m.diverge, MARGIN) for m in landmarks]),
            "steep": _median([m.steep for m in landmarks]),
            "valley": _median([valley(*sweep) for sweep in sweeps]),
            "minimum/10": _median([_over(m.minimum, 10) for m in landmarks]),
        },
    )


def paired_difference(worse: Sequence[ArrayLike], best: Sequence[ArrayLike]) -> Difference:
    """Compare two candidates that saw the same examples in the same order.

    Args:
        worse: for each replicate, an array of losses of shape (n,).
        best: the same of the better candidate, aligned example by example.

    Returns:
        Mean of `worse - best` and its 95 % interval, from the larger of two standard errors: over
        blocks of neighbouring losses within the replicates, and between the replicates. Infinite
        where a loss is not finite.
    """
    pairs = [np.asarray(a, float) - np.asarray(b, float) for a, b in zip(worse, best, strict=True)]
    if not all(np.isfinite(p).all() for p in pairs):
        return Difference(float("inf"), (float("inf"), float("inf")))
    means = np.array([p.mean() for p in pairs])
    errors = [_standard_error(_block_means(p)) for p in pairs]
    within = float(np.sqrt(np.sum(np.square(errors))) / len(pairs))
    between = _standard_error(means) if len(means) > 2 else 0.0
    margin = 1.96 * max(within, between)
    mean = float(means.mean())
    return Difference(mean, (mean - margin, mean + margin))


def rank(scores: Mapping[Any, Sequence[ArrayLike]]) -> tuple[Any, dict[Any, Difference]]:
    """Return the candidate with the lowest mean loss, and every other one's distance from it.

    Args:
        scores: for each candidate, an array of losses for each replicate.

    Raises:
        ValueError: when no candidate has a finite mean loss.
    """
    means = {
        c: float(np.mean([np.mean(np.asarray(r, float)) for r in s])) for c, s in scores.items()
    }
    finite = {c: m for c, m in means.items() if np.isfinite(m)}
    if not finite:
        raise ValueError("no candidate has a finite loss.")
    best = min(finite, key=lambda c: finite[c])
    return best, {c: paired_difference(s, scores[best]) for c, s in scores.items() if c != best}


def suggest_weight_decay(scores: Mapping[float, Sequence[ArrayLike]]) -> Suggestion:
    """Suggest the largest weight decay that is not shown to be worse than the best one.

    Args:
        scores: data losses, without penalty, of each weight decay, as in `rank`.
    """
    try:
        best, differences = rank(scores)
    except ValueError:
        return _no_finite_candidate()
    tied = sorted([best, *(c for c, d in differences.items() if d.tied)])
    interval = (tied[0], tied[-1])
    if len(tied) == 1:
        return Suggestion(best, interval, "ok", f"{best:g} has the lowest loss, beyond the noise.")
    return Suggestion(
        tied[-1],
        interval,
        "undecided",
        f"{len(tied)} values from {tied[0]:g} to {tied[-1]:g} can't be told apart; the largest is "
        f"the safer one. Raise find_wd.repeats or find_wd.steps to decide.",
    )


def suggest_momentum(
    scores: Mapping[float | str, Sequence[ArrayLike]], cycled: str = "cycled"
) -> Suggestion:
    """Suggest a momentum range from short runs at constant values and one over the default range.

    A constant winner m suggests `max = min(.99, m + .05)`, `min = m - .05`.

    Args:
        scores: data losses of each momentum, as in `rank`; the key `cycled` stands for the range
            `DEFAULT_MOMENTUM`, mirrored to the learning rate.
        cycled: that key.
    """
    try:
        best, differences = rank(scores)
    except ValueError:
        return _no_finite_candidate()
    tied = [best, *(c for c, d in differences.items() if d.tied)]
    constants = sorted(float(c) for c in tied if c != cycled)
    low, high = DEFAULT_MOMENTUM["min"], DEFAULT_MOMENTUM["max"]
    interval = (min([*constants, low]), max([*constants, high])) if cycled in tied else None
    if len(tied) > 1:
        names = ", ".join(str(c) for c in sorted(tied, key=str))
        return Suggestion(
            dict(DEFAULT_MOMENTUM),
            interval or (constants[0], constants[-1]),
            "undecided",
            f"{names} can't be told apart; {high:g} to {low:g} is the safe choice. Raise "
            f"find_momentum.repeats or find_momentum.steps to decide.",
        )
    if best == cycled:
        reason = f"cycling from {high:g} to {low:g} has the lowest loss, beyond the noise."
        return Suggestion(dict(DEFAULT_MOMENTUM), (low, high), "ok", reason)
    value = {"max": round(min(0.99, best + 0.05), 6), "min": round(max(0.0, best - 0.05), 6)}
    reason = f"a constant {best:g} has the lowest loss, beyond the noise; cycle around it."
    return Suggestion(value, (value["min"], value["max"]), "ok", reason)


def _refuse(
    sweeps: Sequence[tuple[ArrayLike, ArrayLike]], landmarks: Sequence[Landmarks]
) -> Suggestion | None:
    curves = [finite_part(*sweep) for sweep in sweeps]
    longest = max((len(x) for x, _ in curves), default=0)
    if longest < _FEWEST_POINTS:
        return _too_few(sweeps, longest)
    judged = [(x, y) for x, y in curves if len(x) >= _FEWEST_POINTS]
    descended = [_descended(x, y) for x, y in judged]
    if sum(descended) * 2 <= len(descended):
        return Suggestion(
            None,
            None,
            "never_descended",
            "the loss never fell clearly below its start at any learning rate, so there is nothing "
            "to suggest; check the labels, the loss and that the layers are trainable, or raise "
            "max_lr.",
        )
    if sum(m.diverge is not None for m in landmarks) * 2 <= len(judged):
        highest = max(float(x[-1]) for x, _ in curves)
        return Suggestion(
            None,
            None,
            "never_diverged",
            f"the loss was still falling, or flat, at the highest learning rate {highest:.3g}; "
            f"raise max_lr to {highest * 10:.3g} and search again.",
        )
    return None


def _too_few(sweeps: Sequence[tuple[ArrayLike, ArrayLike]], longest: int) -> Suggestion:
    for lrs, losses in sweeps:
        broken = np.flatnonzero(~np.isfinite(np.asarray(losses, float)))
        if broken.size:
            step, lr = int(broken[0]) + 1, np.asarray(lrs, float)[broken[0]]
            return Suggestion(
                None,
                None,
                "non_finite",
                f"the loss was not finite at step {step}, at the learning rate {lr:.3g}; check the "
                f"inputs for NaN and the loss for a logarithm of zero, or lower min_lr.",
            )
    return Suggestion(
        None,
        None,
        "too_short",
        f"only {longest} steps were recorded, and a curve needs at least {_FEWEST_POINTS}; raise "
        f"the number of steps.",
    )


def _accept(landmarks: Sequence[Landmarks]) -> Suggestion:
    rates = sorted(m.diverge / MARGIN for m in landmarks if m.diverge is not None)
    rates = [_rounded(rate) for rate in rates]
    value = _rounded(float(np.median(rates)))
    if len(rates) == 1:
        interval = (_rounded(value / _ONE_SWEEP_SPREAD), _rounded(value * _ONE_SWEEP_SPREAD))
    else:
        interval = (rates[0], rates[-1])
    if rates[-1] > rates[0] * _REPEATS_AGREE:
        return Suggestion(
            rates[0],
            interval,
            "undecided",
            f"the repeats disagree, from {rates[0]:.3g} to {rates[-1]:.3g}; the lowest is the safe "
            f"one. Raise the number of steps or of repeats to decide.",
        )
    reason = (
        f"half the learning rate at which the loss rebounds from its minimum "
        f"({'median of ' + str(len(rates)) + ' sweeps' if len(rates) > 1 else 'one sweep'})."
    )
    return Suggestion(value, interval, "ok", reason)


def _no_finite_candidate() -> Suggestion:
    return Suggestion(
        None,
        None,
        "non_finite",
        "no candidate finished with a finite loss; lower the learning rate and search again.",
    )


def _descended(x: Array, y: Array) -> bool:
    k = smooth(x, y)
    drop = _start(k) - float(k.min())
    return drop > max(_SIGNIFICANT * _noise(y), _SMALLEST_DROP * abs(_start(k)))


def _start(k: Array) -> float:
    return float(k[: max(5, len(k) // 10)].mean())


def _noise(y: Array) -> float:
    """Standard error of the smoothed curve, from neighbouring raw losses of its quieter half."""
    steps = np.sort(np.abs(np.diff(y)))
    spread = float(np.median(steps)) / 0.954  # median of |N(0,1) - N(0,1)|
    return spread / np.sqrt(max(1.0, len(y) / 12))


def _block_means(values: Array) -> Array:
    return np.array([b.mean() for b in np.array_split(values, min(_BLOCKS, len(values)))])


def _standard_error(values: Array) -> float:
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else 0.0


def _rounded(value: float) -> float:
    """Return three significant digits: more would be noise, and what is shown is what is used."""
    return float(f"{value:.3g}")


def _over(value: float | None, divisor: float) -> float | None:
    return None if value is None else value / divisor


def _median(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.median(known)) if known else None
