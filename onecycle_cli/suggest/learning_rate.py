"""Several range tests of one model: the learning rate that they support, or a refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from onecycle_cli.errors import ArgumentError
from onecycle_cli.suggest.own_rule import OwnRule, RuleFunction
from onecycle_cli.suggest.refusals import (
    IN_GENERAL,
    STOPPED,
    Course,
    Names,
    Sweeps,
    never_rose,
    nothing_learned,
    too_few_points,
)
from onecycle_cli.suggest.rules import OURS, RULES, Rule, present_name
from onecycle_cli.suggest.suggestion import Suggestion, rounded
from onecycle_cli.suggest.trends import Landmarks, Trend

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
    landmarks: list[Landmarks] = field(default_factory=list)
    rules: dict[str, float | None] = field(default_factory=dict)

    @classmethod
    def of(cls, suggestion: Suggestion) -> LRFindings:
        """Return a suggestion with the rate that its 1cycle starts at."""
        value = suggestion.value
        return cls(suggestion, base_lr(value) if isinstance(value, float) else None)


def suggest_lr(
    sweeps: Sweeps,
    *,
    rule: str | RuleFunction = OURS,
    bandwidth: float | None = None,
    chance: float | None = None,
    floor: float | None = 0.0,
    planned: tuple[int, float] | None = None,
    stopped: str | None = None,
    skip_begin: int = 0,
    skip_end: int = 0,
    names: Names = IN_GENERAL,
) -> LRFindings:
    """Suggest a maximum learning rate from range tests of one model and data set.

    Each sweep is judged by a rule; of several sweeps, the answer is the median, with the lowest and
    the highest as interval.

    Args:
        sweeps: learning rates and raw batch losses of each test, arrays of shape (n,); a sweep
            may end in a non-finite loss.
        rule: a name of `RULES`, or a function from the learning rates and raw losses of one sweep
            to a learning rate.
        bandwidth: the smoothing kernel's standard deviation in ln lr, > 0; `None`: what
            `usual_bandwidth` says of each sweep.
        chance: the loss of the best constant prediction; a sweep that never comes clearly
            below it has learned nothing, however far it fell. `None`: not known. Means something
            only where the floor is known.
        floor: the least that the loss can be, which is 0 for a cross-entropy or an error; `None`:
            not known, so that a constant added to all losses changes nothing.
        planned: how many steps each test was to take, and its last learning rate; `None`: not
            known. Says, with `stopped`, whether a test was cut short.
        stopped: how most of the tests ended, as the finder's `stop_reason` says: `"completed"`,
            `"diverged"` or `"non_finite"`; `None`: not known, or ended early by `fit`.
        skip_begin: how many points at the beginning of each curve the rules leave out, >= 0.
        skip_end: how many at its end, >= 0.
        names: what the settings of the test are called in advice.

    Returns:
        The findings. Never raises for data: what can't be judged gets a verdict that says so.

    Raises:
        ValueError: when there is no such rule or ending, or when points to skip are negative; a
            `PluginError`, which is one too, when a function gives no learning rate of the sweep.
    """
    chosen = _rule(rule)
    if stopped is not None and stopped not in STOPPED:
        raise ArgumentError(
            f"`stopped` must be one of {', '.join(STOPPED)}, or None; got {stopped!r}."
        )
    for name, points in (("skip_begin", skip_begin), ("skip_end", skip_end)):
        if points < 0:
            raise ArgumentError(f"`{name}` must be at least 0; got {points}.")
    skipped = (skip_begin, skip_end)
    course = Course.of(sweeps, planned, stopped, skipped, names)
    every = [Trend.of(*sweep, bandwidth, skipped, floor) for sweep in sweeps]
    trends = [trend for trend in every if trend]
    fell = [trend for trend in trends if trend.descended]
    learned = [trend for trend in fell if trend.beats(chance)]
    suggestion = _suggest(course, sweeps, trends, fell, learned, chosen)
    value = suggestion.value
    return LRFindings(
        suggestion=suggestion,
        min_lr=base_lr(value) if isinstance(value, float) else None,
        landmarks=[trend.landmarks() if trend else Landmarks() for trend in every],
        rules={name: _median([r.of_trend(trend) for trend in trends]) for name, r in RULES.items()},
    )


def _rule(rule: str | RuleFunction) -> Rule:
    if callable(rule):
        return OwnRule.of(rule).as_rule()
    rule = present_name(rule)
    if rule not in RULES:
        raise ArgumentError(
            f"`rule` must be one of {', '.join(RULES)}, or a function; got {rule!r}."
        )
    return RULES[rule]


def base_lr(max_lr: float) -> float:
    """Return the rate at which a 1cycle to `max_lr` starts: a tenth of it."""
    return rounded(max_lr / 10)


def _suggest(
    course: Course,
    sweeps: Sweeps,
    trends: Sequence[Trend],
    fell: Sequence[Trend],
    learned: Sequence[Trend],
    rule: Rule,
) -> Suggestion:
    """Refuse unless more than half of the sweeps could be judged, fell, and rose again."""
    if len(trends) * 2 <= len(sweeps):
        return too_few_points(sweeps, course)
    if len(learned) * 2 <= len(trends):
        return nothing_learned(course, fell=len(fell) * 2 > len(trends))
    if rule.needs_rebound and not _rebounds(learned):
        return never_rose(course, max(float(trend.lrs[-1]) for trend in learned))
    answers = [lr for trend in learned if (lr := rule.of_trend(trend)) is not None]
    return _accept(answers, rule.about, course.names) if answers else too_few_points(sweeps, course)


def _rebounds(learned: Sequence[Trend]) -> list[float]:
    """Return where the sweeps that fell rose again; nothing unless more than half of them did."""
    diverged = [trend.diverge for trend in learned if trend.diverge is not None]
    return diverged if len(diverged) * 2 > len(learned) else []


def _accept(answers: Sequence[float], what: str, names: Names) -> Suggestion:
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
            f"Search by short trainings (find_lr.method: probes), or {names.more_of_both}.",
        )
    basis = f"median of {len(rates)} sweeps" if len(rates) > 1 else "one sweep"
    return Suggestion(value, interval, "ok", f"{what} ({basis}).")


def _median(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.median(known)) if known else None
