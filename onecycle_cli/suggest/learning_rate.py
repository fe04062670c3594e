"""Several range tests of one model: the learning rate that they support, or a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from onecycle_cli.suggest.curves import BANDWIDTH, finite_part, first_broken
from onecycle_cli.suggest.rules import OURS, RULES, Rule
from onecycle_cli.suggest.suggestion import Suggestion, rounded
from onecycle_cli.suggest.trends import FEWEST_POINTS, Landmarks, Trend

Sweeps = Sequence[tuple[ArrayLike, ArrayLike]]
"""Learning rates and raw batch losses of each range test, arrays of shape (n,)."""

_ONE_SWEEP_SPREAD = 1.7
_REPEATS_AGREE = 4.0


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


def suggest_lr(
    sweeps: Sweeps,
    *,
    rule: str = OURS,
    bandwidth: float = BANDWIDTH,
    chance: float | None = None,
) -> LRFindings:
    """Suggest a maximum learning rate from range tests of one model and data set.

    Each sweep is judged by a rule; of several sweeps, the answer is the median, with the lowest and
    the highest as interval.

    Args:
        sweeps: learning rates and raw batch losses of each test, arrays of shape (n,); a sweep
            may end in a non-finite loss.
        rule: a name of `RULES`.
        bandwidth: the smoothing kernel's standard deviation in ln lr, > 0.
        chance: the loss of always giving the same best answer; a sweep that never comes clearly
            below it has learned nothing, however far it fell. `None`: not known.

    Returns:
        The findings. Never raises for data: what can't be judged gets a verdict that says so.

    Raises:
        ValueError: when there is no such rule.
    """
    if rule not in RULES:
        raise ValueError(f"`rule` must be one of {', '.join(RULES)}; got {rule!r}.")
    every = [Trend.of(*sweep, bandwidth) for sweep in sweeps]
    trends = [trend for trend in every if trend]
    learned = [trend for trend in trends if trend.descended and trend.beats(chance)]
    suggestion = _suggest(sweeps, trends, learned, RULES[rule])
    value = suggestion.value
    return LRFindings(
        suggestion=suggestion,
        min_lr=base_lr(value) if isinstance(value, float) else None,
        landmarks=[trend.landmarks() if trend else Landmarks() for trend in every],
        rules={name: _median([r.of_trend(trend) for trend in trends]) for name, r in RULES.items()},
    )


def base_lr(max_lr: float) -> float:
    """Return the rate at which a 1cycle to `max_lr` starts: a tenth of it."""
    return rounded(max_lr / 10)


def _suggest(
    sweeps: Sweeps, trends: Sequence[Trend], learned: Sequence[Trend], rule: Rule
) -> Suggestion:
    """Refuse unless more than half of the sweeps could be judged, fell, and rose again."""
    if len(trends) * 2 <= len(sweeps):
        return _too_few(sweeps)
    if len(learned) * 2 <= len(trends):
        return _nothing_learned(trends)
    if rule.needs_rebound and not _rebounds(learned):
        highest = max(float(trend.lrs[-1]) for trend in learned)
        return Suggestion(
            None,
            None,
            "never_diverged",
            f"the loss was still falling, or flat, at the highest learning rate {highest:.3g}; "
            f"raise max_lr to {highest * 10:.3g} and search again.",
        )
    answers = [lr for trend in learned if (lr := rule.of_trend(trend)) is not None]
    return _accept(answers, rule.about) if answers else _too_few(sweeps)


def _nothing_learned(trends: Sequence[Trend]) -> Suggestion:
    fell = sum(trend.descended for trend in trends) * 2 > len(trends)
    bound = "what always giving the same answer costs" if fell else "its start"
    return Suggestion(
        None,
        None,
        "never_descended",
        f"the loss never fell clearly below {bound} at any learning rate, so there is nothing to "
        f"suggest; check the labels, the loss and that the layers are trainable, or raise max_lr.",
    )


def _rebounds(learned: Sequence[Trend]) -> list[float]:
    """Return where the sweeps that fell rose again; nothing unless more than half of them did."""
    diverged = [trend.diverge for trend in learned if trend.diverge is not None]
    return diverged if len(diverged) * 2 > len(learned) else []


def _too_few(sweeps: Sweeps) -> Suggestion:
    for lrs, losses in sweeps:
        broken = first_broken(np.asarray(losses, float))
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
        f"only {longest} steps were recorded, and a curve needs at least {FEWEST_POINTS}; raise "
        f"the number of steps.",
    )


def _accept(answers: Sequence[float], what: str) -> Suggestion:
    """Return the median of the sweeps' answers."""
    rates = sorted(rounded(lr) for lr in answers)
    value = rounded(float(np.median(rates)))
    if len(rates) == 1:
        interval = (rounded(value / _ONE_SWEEP_SPREAD), rounded(value * _ONE_SWEEP_SPREAD))
    else:
        interval = (rates[0], rates[-1])
    if rates[-1] > rates[0] * _REPEATS_AGREE:
        return Suggestion(
            value,
            interval,
            "undecided",
            f"the repeats disagree, from {rates[0]:.3g} to {rates[-1]:.3g}; this is their median. "
            f"Confirm it by complete 1cycles (find_lr.confirm), or raise the number of steps or of "
            f"repeats.",
        )
    basis = f"median of {len(rates)} sweeps" if len(rates) > 1 else "one sweep"
    return Suggestion(value, interval, "ok", f"{what} ({basis}).")


def _median(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.median(known)) if known else None
