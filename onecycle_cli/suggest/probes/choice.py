"""From the losses of probes to a learning rate, its interval and a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from onecycle_cli.suggest.bounds import Bounds
from onecycle_cli.suggest.probes.plan import FINE, SearchPlan
from onecycle_cli.suggest.probes.probe import FINAL, GOOD, LADDER, Estimate, Measure, Probe
from onecycle_cli.suggest.probes.profile import Profile
from onecycle_cli.suggest.refusals import CONSTANT
from onecycle_cli.suggest.suggestion import Suggestion, rounded

SPREAD = 0.25
"""Decades that the best rate of one seed and length may lie off that of another: the standard
deviation of the kernel that the curve is smoothed with."""

REACH = 0.32
"""Decades that the answer may lie off the best probe."""

AS_GOOD = 0.05
"""The interval holds the rates whose smoothed loss is so little above the lowest: a logarithm."""

NARROWEST, WIDEST = 0.1, 0.6
"""Decades that it reaches to either side, at least and at most."""

_FALL_PER_DECADE = 0.5
_RISE_PER_DECADE = 2.0
_LIKELY, _CLEAR = 1.0, 2.0
_CLEAR_SHARE = 0.02
_FAR_ABOVE_CHANCE = 2.0
_GO_FURTHER = "raise find_lr.budget, or try rates of your own by find_lr.rates"


def profile_of(probes: Sequence[Probe], bounds: Bounds) -> Profile:
    """Return the profile of the last probes, prolonged by the shape of the ladder."""
    points = _points(probes, Measure.of(probes, bounds))
    return Profile.through(points, spread=SPREAD, below=_FALL_PER_DECADE, above=_RISE_PER_DECADE)


def suggest_from_probes(
    probes: Sequence[Probe], plan: SearchPlan, *, bounds: Bounds, shift: float = 0.0
) -> Suggestion:
    """Suggest a maximum learning rate from short, complete 1cycles.

    Args:
        probes: all of them, in the order in which the plan asked for them.
        plan: what they were planned by.
        bounds: between which losses a model learns.
        shift: decades that the best rate of the whole training lies above that of a short one.

    Returns:
        The suggestion, and as its interval the rates that do about as well by the smoothed curve.
        `undecided` where the best probe is at the end of those tried, or where the budget did not
        allow the last ones; `non_finite` where no loss was finite, and `never_descended` where no
        probe learned anything.
    """
    found = _suggested(probes, plan, bounds, shift)
    if plan.usual is None:
        return found
    return replace(found, reason=f"{found.reason} {in_a_hurry(plan, found)}")


def in_a_hurry(plan: SearchPlan, found: Suggestion) -> str:
    """Say that a search was a quick one, and what that means for what it found."""
    what = f"This was a quick search, of at most {plan.budget} steps where {plan.usual} are usual"
    if not found.accepted:
        return f"{what}; a search without --quick may find a rate."
    return (
        f"{what}: the value may be further off than its interval says; search without --quick to "
        f"be sure."
    )


def _suggested(
    probes: Sequence[Probe], plan: SearchPlan, bounds: Bounds, shift: float
) -> Suggestion:
    measure = Measure.of(probes, bounds)
    if not any(np.isfinite(probe.losses).any() for probe in probes):
        return Suggestion(None, None, "non_finite", _NON_FINITE)
    good = [probe for probe in probes if measure.look(probe) == GOOD]
    if not good or not _learned(probes, measure, _LIKELY):
        return _refusal(probes, measure)
    finals = [probe for probe in probes if probe.stage == FINAL]
    best = min(finals or good, key=lambda probe: probe.loss)
    profile = profile_of(probes, bounds)
    x = min(max(profile.lowest + shift, best.x - REACH), best.x + REACH)
    value = rounded(min(max(10**x, plan.lowest), plan.highest))
    below, above = np.clip(profile.room(AS_GOOD), NARROWEST, WIDEST)
    interval = rounded(value / 10**below), rounded(value * 10**above)
    doubt = _doubt(probes, finals, best, plan, measure)
    return Suggestion(
        value, interval, "undecided" if doubt else "ok", _reason(probes, best, shift, doubt)
    )


def _points(probes: Sequence[Probe], measure: Measure) -> list[tuple[float, float]]:
    """Return where the curve is known: the finals, and the ladder beyond them, shifted to meet."""
    steps = max((probe.steps for probe in probes if probe.stage == LADDER), default=0)
    ladder = _known([p for p in probes if p.stage == LADDER and p.steps == steps], measure)
    finals = _known([probe for probe in probes if probe.stage == FINAL], measure)
    if not finals or not ladder:
        return finals or ladder
    (first, first_height), (last, last_height) = finals[0], finals[-1]
    below = first_height - _at(ladder, first)
    above = last_height - _at(ladder, last)
    return [
        *((x, height + below) for x, height in ladder if x < first - 0.05),
        *finals,
        *((x, min(0.0, max(height + above, height))) for x, height in ladder if x > last + 0.05),
    ]


def _known(probes: Sequence[Probe], measure: Measure) -> list[tuple[float, float]]:
    heights = measure.heights_of(probes)
    return sorted((probe.x, float(h)) for probe, h in zip(probes, heights, strict=True))


def _at(points: Sequence[tuple[float, float]], x: float) -> float:
    at, heights = zip(*points, strict=True)
    return float(np.interp(x, at, heights))


def _learned(probes: Sequence[Probe], measure: Measure, errors: float) -> bool:
    """Tell whether any probe came below the loss of guessing, by so many errors and a trifle.

    A network that starts far above it may not have come down to it yet: then nothing can be told,
    and having come half of the way is enough.
    """
    bounds = measure.bounds
    if not bounds.are_known:
        return True
    if any(_beats(_on_new_examples(p), bounds, errors) for p in probes if not p.broke_off):
        return True
    start = bounds.height(measure.start)
    best = bounds.height(min(probe.loss for probe in probes))
    return start > _FAR_ABOVE_CHANCE * bounds.height(bounds.chance) and best < 0.5 * start


def _on_new_examples(probe: Probe) -> Estimate:
    return probe.held_out or Estimate.of(probe.tail)


def _beats(loss: Estimate, bounds: Bounds, errors: float) -> bool:
    clear = max(errors * loss.error, _CLEAR_SHARE * bounds.height(bounds.chance))
    return bounds.chance - loss.mean > clear


def _doubt(
    probes: Sequence[Probe],
    finals: Sequence[Probe],
    best: Probe,
    plan: SearchPlan,
    measure: Measure,
) -> str:
    """Return what makes the answer uncertain, and what to do about it; "" if nothing does."""
    if plan.is_cut_short(probes, measure.bounds):
        return (
            "the first tries took most of the budget, so there were no closer ones; raise "
            "find_lr.budget"
        )
    if not any(measure.look(probe) == GOOD for probe in finals):
        return "the longer trainings learned nothing more; raise find_lr.budget"
    if not _learned(probes, measure, _CLEAR):
        return "it is hardly below that of guessing, and may be noise; raise find_lr.budget"
    tried = [probe.value for probe in probes]
    if best.value == min(tried):
        what = "lower find_lr.min_lr" if best.value / 10**FINE < plan.lowest else _GO_FURTHER
        return f"it is the lowest rate tried, and a lower one may do better; {what}"
    if best.value == max(tried):
        what = "raise find_lr.max_lr" if best.value * 10**FINE > plan.highest else _GO_FURTHER
        return f"it is the highest rate tried, and a higher one may do better; {what}"
    return ""


def _reason(probes: Sequence[Probe], best: Probe, shift: float, doubt: str) -> str:
    rates = [probe.value for probe in probes]
    what = (
        f"{len(probes)} short, complete 1cycle trainings from {min(rates):.3g} to {max(rates):.3g}"
        f": the loss is lowest around {best.value:.3g}"
    )
    if shift:
        what += f", and a whole training takes a little {'more' if shift > 0 else 'less'}"
    return f"{what}; {doubt}." if doubt else f"{what}."


def _refusal(probes: Sequence[Probe], measure: Measure) -> Suggestion:
    rates = [probe.value for probe in probes]
    if all(probe.broke_off for probe in probes):
        reason = _EXPLODED.format(count=len(probes), low=min(rates), high=max(rates))
        return Suggestion(None, None, "never_descended", reason)
    known = measure.bounds.are_known
    bound = CONSTANT if known else "its start"
    longest = max(probe.steps for probe in probes)
    what = (
        f"none of {len(probes)} short trainings, of up to {longest} steps and at learning rates "
        f"from {min(rates):.3g} to {max(rates):.3g}, brought the loss clearly below {bound}"
    )
    good = [probe for probe in probes if measure.look(probe) == GOOD]
    held_out = [probe.held_out.mean for probe in good if probe.held_out is not None]
    if held_out and min(held_out) >= measure.nothing:
        what = (
            "the loss fell on the examples trained with, but not on others: nothing was learned "
            "that holds for new examples"
        )
    return Suggestion(None, None, "never_descended", f"{what}; {_CHECK}.")


_CHECK = (
    "check the labels, the loss and that the layers are trainable, or raise find_lr.budget, in "
    "training runs"
)
_EXPLODED = (
    "the loss exploded in all of {count} short trainings, at learning rates from {low:.3g} to "
    "{high:.3g}; standardise inputs and targets that are far from 0 and 1, check the loss, or "
    "lower find_lr.min_lr. 'onecycle check CONFIG' looks at their size."
)
_NON_FINITE = (
    "the loss was not finite at the first steps of every training; check the inputs for NaN and "
    "the loss for a logarithm of zero."
)
