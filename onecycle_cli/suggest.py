"""From recorded curves to suggested values: pure functions on arrays.

Every suggestion carries an interval, a verdict and a reason, because refusing to suggest is a
correct answer when the data do not support one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]

Scores = Mapping[Any, Sequence[ArrayLike]]
"""For each candidate of a comparison, the judged losses of each replicate, of shape (n,)."""

BANDWIDTH = 0.35
"""Width of the smoothing kernel, in natural logarithms of the learning rate."""

MARGIN = 2.0
"""The suggested learning rate is this factor below the one at which the loss rebounds."""

DEFAULT_MOMENTUM = {"max": 0.95, "min": 0.85}
"""L. N. Smith's range, the safe answer where a comparison stays undecided."""

FINALISTS = 2
"""How many candidates run the last rung of a race, unless only one is left."""

FEWEST_STEPS = 24
"""Steps of the shortest rung: the last fifth of fewer would be too few losses to compare."""

ACCEPTED = ("ok", "undecided")
"""Verdicts that come with a value."""

_FEWEST_POINTS = 12
_REBOUND = 0.1
_SIGNIFICANT = 4.5
_SMALLEST_DROP = 0.02
_ONE_SWEEP_SPREAD = 1.7
_REPEATS_AGREE = 4.0
_BLOCKS = 10
_LAST = 5
_WEIGHTS_AT_ONCE = 1_000_000


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
    return _kernel(np.asarray(lrs, float), np.asarray(losses, float), bandwidth)[0]


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
    end = _first_broken(y)
    x, y = x[:end], y[:end]
    highest_before = np.fmax.accumulate(np.concatenate([[0.0], x]))[:-1]
    rising = np.isfinite(x) & (x / (1 + 1e-9) > highest_before)
    return x[rising], y[rising]


def find_landmarks(lrs: ArrayLike, losses: ArrayLike) -> Landmarks:
    """Return the landmarks of one sweep, which may end in a non-finite loss.

    `diverge` is the first rate after the minimum at which the smoothed loss has risen by a tenth
    of its fall, or doubled if that is less, beyond the noise; where the sweep breaks off before
    the smoothed loss can show that, its last finite rate.
    """
    trend = _Trend.of(lrs, losses)
    return trend.landmarks() if trend else Landmarks()


def valley(lrs: ArrayLike, losses: ArrayLike) -> float | None:
    """Return fastai's default answer: two thirds down the longest falling run of the curve.

    With `lds` the length of the longest decreasing subsequence that ends at each point, `e` its
    maximum's position and `a = e - lds[e]`: the rate at `a + (e - a) // 3 + (e - a) // 6`.
    Source: `fastai/callback/schedule.py`. Given here the kernel-smoothed curve.
    """
    x, y = finite_part(lrs, losses)
    if len(x) < _FEWEST_POINTS:
        return None
    k = smooth(x, _without_spikes(y))
    lengths = np.ones(len(k), int)
    for i in range(1, len(k)):
        longer = lengths[:i][k[:i] > k[i]]
        lengths[i] = longer.max() + 1 if longer.size else 1
    end = int(np.argmax(lengths))
    begin = end - int(lengths[end])
    third = (end - begin) / 3
    return float(x[max(0, begin + int(third) + int(third / 2))])


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
    trends = [_Trend.of(*sweep) for sweep in sweeps]
    landmarks = [trend.landmarks() if trend else Landmarks() for trend in trends]
    suggestion = _suggest(sweeps, [trend for trend in trends if trend])
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
        Mean of `worse - best` and its 95 % interval: the wider one of Student's, from blocks of
        neighbouring losses within the replicates, and, of three replicates or more, the normal
        one between them. Infinite where a loss is not finite, or where there is but one.
    """
    if not (_all_finite(worse) and _all_finite(best)):
        return Difference(float("inf"), (float("inf"), float("inf")))
    pairs = [np.asarray(a, float) - np.asarray(b, float) for a, b in zip(worse, best, strict=True)]
    blocks = [_block_means(p) for p in pairs]
    means = np.array([p.mean() for p in pairs])
    margins = []
    if freedom := sum(len(b) - 1 for b in blocks):
        within = np.linalg.norm([_standard_error(b) for b in blocks]) / len(blocks)
        margins.append(_student(freedom) * float(within))
    if len(means) > 2:
        margins.append(_student(np.inf) * _standard_error(means))
    margin, mean = max(margins, default=float("inf")), float(means.mean())
    return Difference(mean, (mean - margin, mean + margin))


def rank(*rungs: Scores) -> tuple[Any, dict[Any, Difference]]:
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


@dataclass(frozen=True)
class Rung:
    """A stage of a race: each candidate runs `replicates` cycles of `steps` steps."""

    candidates: int
    steps: int
    replicates: int


def plan_race(candidates: int, steps: int, replicates: int, done: int = 0) -> list[Rung]:
    """Return the rungs to come, if no candidate is dropped but to halve their number.

    The last rung, of no more than `FINALISTS`, takes all steps and replicates; each one before it
    half as many steps as the next, but at least `FEWEST_STEPS`, and a replicate less than the next,
    if there is more than one. Source: successive halving, K. Jamieson and A. Talwalkar,
    arXiv:1502.07943, with complete cycles in place of the first part of long ones.

    Args:
        candidates: how many are in the race, >= 1.
        steps: of a run in the last rung, >= 1.
        replicates: of each candidate in the last rung, >= 1.
        done: rungs behind them.
    """
    counts = [candidates]
    while counts[-1] > FINALISTS:
        counts.append(_seats(counts[-1]))
    before_last = range(len(counts) - 1, 0, -1)
    shortest = min(steps, FEWEST_STEPS)
    rungs = [
        Rung(counts[-1 - left], max(shortest, steps >> left), min(done + i + 1, replicates))
        for i, left in enumerate(before_last)
    ]
    return [*rungs, Rung(counts[-1], steps, replicates)]


def survivors(scores: Scores, safest: Callable[[Sequence[Any]], Any]) -> list[Any]:
    """Return the candidates that a rung leaves in the race, the best one first.

    Out is who is clearly worse than the best: the interval of the paired difference excludes zero.
    Of the others, the better half of those who started goes on, rounded up, but no fewer than
    `FINALISTS`; the safe choice is always among them. One replicate can't tell how much runs
    differ, so it never ends the race: the runner-up goes on with the best.

    Args:
        scores: the losses of the rung, as in `rank`; who diverged is out.
        safest: given those that can't be told apart, returns who stays in any case, or `None`.
    """
    try:
        best, differences = rank(scores)
    except ValueError:
        return []
    finite = [c for c in differences if np.isfinite(differences[c].mean)]
    behind = sorted(finite, key=lambda c: differences[c].mean)
    tied = [c for c in behind if differences[c].tied]
    left = [best, *(tied if tied or len(scores[best]) > 1 else behind[:1])]
    seats = _seats(len(scores))
    safe = safest([best, *tied])
    if safe in behind and safe not in left[:seats]:
        return [*left[: seats - 1], safe]
    return left[:seats]


def suggest_weight_decay(*rungs: Mapping[float, Sequence[ArrayLike]]) -> Suggestion:
    """Suggest the largest weight decay that is not shown to be worse than the best one.

    Args:
        *rungs: data losses, without penalty, of each weight decay, as in `rank`; only who ran in
            the last rung can be suggested.
    """
    try:
        best, differences = rank(*rungs)
    except ValueError:
        return _no_finite_candidate()
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
        return _no_finite_candidate()
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


def _seats(candidates: int) -> int:
    """Return how many of so many candidates the next rung has room for."""
    return min(candidates, max(FINALISTS, -(-candidates // 2)))


@dataclass(frozen=True)
class _Trend:
    """One sweep, smoothed.

    Attributes:
        lrs: rising learning rates, of shape (n,).
        losses: their raw, finite losses, of shape (n,).
        smoothed: the losses without single spikes, smoothed, of shape (n,).
        spread: by which share of the raw noise each smoothed loss errs, of shape (n,).
        broke_off: whether the sweep ended in a loss that was not finite.
    """

    lrs: Array
    losses: Array
    smoothed: Array
    spread: Array
    broke_off: bool

    @classmethod
    def of(cls, lrs: ArrayLike, losses: ArrayLike) -> _Trend | None:
        """Return the trend of a sweep; `None` if it is too short to have one."""
        x, y = finite_part(lrs, losses)
        if len(x) < _FEWEST_POINTS:
            return None
        smoothed, spread = _kernel(x, _without_spikes(y), BANDWIDTH)
        broke_off = _first_broken(np.asarray(losses, float)) < np.size(losses)
        return cls(x, y, smoothed, spread, broke_off)

    @property
    def first_tenth(self) -> slice:
        """The points in the first tenth of the sweep's logarithmic range, but at least 5."""
        x = np.log(self.lrs)
        return slice(max(5, int(np.searchsorted(x, 0.9 * x[0] + 0.1 * x[-1]))))

    @property
    def start(self) -> float:
        """The loss before anything was learned."""
        return float(self.smoothed[self.first_tenth].mean())

    @property
    def lowest(self) -> int:
        """The position of the minimum."""
        return int(np.argmin(self.smoothed))

    @property
    def fall(self) -> float:
        """By how much the loss fell from its start to its minimum."""
        return self.start - float(self.smoothed[self.lowest])

    @property
    def descended(self) -> bool:
        """Whether the fall is more than noise, and more than a trifle."""
        error = _noise(self.losses) * max(
            self.spread[self.lowest], self.spread[self.first_tenth].mean()
        )
        return self.fall > max(_SIGNIFICANT * error, _SMALLEST_DROP * abs(self.start))

    @property
    def diverge(self) -> float | None:
        """The rate at which the loss has clearly risen again."""
        low = self.lowest
        around = max(_FEWEST_POINTS // 2, len(self.lrs) // 12)
        noise = _noise(self.losses[max(0, low - around) : low + around])
        bottom = self.smoothed[low]
        rise = min(_REBOUND * self.fall, abs(bottom))
        clear = np.maximum(rise, _SIGNIFICANT * noise * self.spread[low:])
        rebound = np.flatnonzero(self.smoothed[low:] > bottom + clear)
        if rebound.size:
            return float(self.lrs[low + rebound[0]])
        last = self.losses[-_LAST:].mean()
        exploded = last > bottom + max(rise, _SIGNIFICANT * noise / np.sqrt(_LAST))
        return float(self.lrs[-1]) if self.broke_off or exploded else None

    def landmarks(self) -> Landmarks:
        """Return where the curve turns."""
        error = 3 * _noise(self.losses) * self.spread
        lower = np.flatnonzero(self.smoothed < self.start - error)
        steepness = np.gradient(self.smoothed, np.log(self.lrs))
        return Landmarks(
            first=float(self.lrs[lower[0]]) if lower.size else None,
            steep=float(self.lrs[np.argmin(steepness)]),
            minimum=float(self.lrs[self.lowest]),
            diverge=self.diverge,
        )


def _suggest(sweeps: Sequence[tuple[ArrayLike, ArrayLike]], trends: Sequence[_Trend]) -> Suggestion:
    """Refuse unless more than half of the sweeps could be judged, fell, and rose again."""
    if len(trends) * 2 <= len(sweeps):
        return _too_few(sweeps)
    descended = [trend for trend in trends if trend.descended]
    if len(descended) * 2 <= len(trends):
        return Suggestion(
            None,
            None,
            "never_descended",
            "the loss never fell clearly below its start at any learning rate, so there is nothing "
            "to suggest; check the labels, the loss and that the layers are trainable, or raise "
            "max_lr.",
        )
    diverged = [trend.diverge for trend in descended if trend.diverge is not None]
    if len(diverged) * 2 <= len(descended):
        highest = max(float(trend.lrs[-1]) for trend in descended)
        return Suggestion(
            None,
            None,
            "never_diverged",
            f"the loss was still falling, or flat, at the highest learning rate {highest:.3g}; "
            f"raise max_lr to {highest * 10:.3g} and search again.",
        )
    return _accept(diverged)


def _too_few(sweeps: Sequence[tuple[ArrayLike, ArrayLike]]) -> Suggestion:
    for lrs, losses in sweeps:
        broken = _first_broken(np.asarray(losses, float))
        if broken < min(np.size(lrs), np.size(losses)):
            lr = np.asarray(lrs, float)[broken]
            return Suggestion(
                None,
                None,
                "non_finite",
                f"the loss was not finite at step {broken + 1}, at the learning rate {lr:.3g}; "
                f"check the inputs for NaN and the loss for a logarithm of zero, or lower min_lr.",
            )
    longest = max((len(finite_part(*sweep)[0]) for sweep in sweeps), default=0)
    return Suggestion(
        None,
        None,
        "too_short",
        f"only {longest} steps were recorded, and a curve needs at least {_FEWEST_POINTS}; raise "
        f"the number of steps.",
    )


def _accept(diverged: Sequence[float]) -> Suggestion:
    rates = sorted(_rounded(lr / MARGIN) for lr in diverged)
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


def _kernel(lrs: Array, losses: Array, bandwidth: float) -> tuple[Array, Array]:
    """Return the smoothed losses, and by which share of the raw noise each of them errs."""
    x = np.log(lrs)
    smoothed, spread = np.empty(len(x)), np.empty(len(x))
    rows = max(1, _WEIGHTS_AT_ONCE // max(1, len(x)))
    for part in (slice(i, i + rows) for i in range(0, len(x), rows)):
        weights = np.exp(-0.5 * ((x[part, None] - x) / bandwidth) ** 2)
        weights /= weights.sum(axis=1, keepdims=True)
        smoothed[part] = weights @ losses
        spread[part] = np.sqrt(np.square(weights).sum(axis=1))
    return smoothed, spread


def _without_spikes(y: Array) -> Array:
    """Return each loss's median with its neighbours: one bad batch is no trend, a rise is."""
    return np.median([np.r_[y[2], y[:-1]], y, np.r_[y[1:], y[-1]]], axis=0)


def _first_broken(losses: Array) -> int:
    """Return the position of the first loss that is not finite; their number if all are."""
    broken = np.flatnonzero(~(np.abs(losses) <= np.finfo(np.float32).max))
    return int(broken[0]) if broken.size else len(losses)


def _noise(y: Array) -> float:
    """Standard deviation of raw losses about their trend, from the steps between neighbours."""
    return float(np.median(np.abs(np.diff(y)))) / 0.954  # median of |N(0,1) - N(0,1)|


def _around(momentum: float) -> dict[str, float]:
    return {
        "max": round(min(0.99, momentum + 0.05), 6),
        "min": round(max(0.0, momentum - 0.05), 6),
    }


def _all_finite(runs: Sequence[ArrayLike]) -> bool:
    """Tell whether there are losses, and all are finite."""
    arrays = [np.asarray(run, float) for run in runs]
    return bool(arrays) and all(0 < len(a) == _first_broken(a) for a in arrays)


def _student(freedom: float) -> float:
    """Return the 97.5 % quantile of Student's t: nearly straight in 1 / degrees of freedom."""
    known = {np.inf: 1.96, 30: 2.042, 10: 2.228, 5: 2.571, 3: 3.182, 2: 4.303, 1: 12.706}
    return float(np.interp(1 / freedom, [1 / f for f in known], list(known.values())))


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
