"""From short trainings with several weight decays to the one for a longer training."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from onecycle_cli.suggest.comparison import (
    Difference,
    Scores,
    mean_loss,
    no_finite_candidate,
    rank,
)
from onecycle_cli.suggest.probes.probe import Measure
from onecycle_cli.suggest.probes.profile import Profile
from onecycle_cli.suggest.suggestion import Suggestion

USUAL_DECAYS = {"l2": (0.0, 1e-4, 1e-3, 1e-2), "decoupled": (0.0, 1e-3, 1e-2, 1e-1)}
"""What a search starts with, by the kind of decay: `l2` of the loss, or `decoupled` from it."""

SPREAD = 0.3
"""Decades that the best weight decay of one seed may lie off that of another: the standard
deviation of the kernel that the curve is smoothed with."""

MEMORY = 8.0
"""Epochs within which weights forget, with the usual decay."""

MOST = {"l2": 2e-3, "decoupled": 0.1}
"""The usual decay is never more."""

_NORMALISED_L2 = 5e-4
_MEAN_OF_CYCLE = 0.55
_PULL = 0.2
_RISE_PER_DECADE = 1.0
_NONE_BELOW = 1.0


def usual_decay(
    kind: str, *, max_lr: float, momentum: float, steps_per_epoch: int, normalised: bool
) -> float:
    """Return the weight decay that is expected before anything is tried.

    The one with which weights forget within `MEMORY` epochs, but no more than `MOST`. A step takes
    learning rate x decay off the weights, of an `l2` decay 2 / (1 - momentum) times as much; and
    over a cycle, the rate is about 0.55 times its highest. Source: X. Wang and L. Aitchison,
    arXiv:2405.13698, who find the best memory to be between an epoch and the whole training.

    Args:
        kind: `l2` or `decoupled`.
        max_lr: the highest learning rate, > 0.
        momentum: the mean momentum, from 0 up to 1.
        steps_per_epoch: at least 1.
        normalised: whether the optimizer divides gradients by their size, so that an `l2` decay
            takes off less than that, and 0.0005 is usual.
    """
    if kind == "l2" and normalised:
        return _NORMALISED_L2
    times = 2 / (1 - momentum) if kind == "l2" else 1.0
    return min(MOST[kind], 1 / (MEMORY * steps_per_epoch * _MEAN_OF_CYCLE * max_lr * times))


def suggest_weight_decay(rounds: Sequence[Scores], *, measure: Measure, usual: float) -> Suggestion:
    """Suggest a weight decay for a training from trainings that are shorter.

    A curve through their losses is smoothed, and weighed against what is usual: a decay that is
    ten times as large or as small, or more, has to lower the loss by a fifth. For short trainings
    see little of what a decay is good for.

    Args:
        rounds: data losses, without penalty, of each weight decay, as in `rank`.
        measure: what losses are measured against.
        usual: the decay that is expected before anything is tried, > 0; see `usual_decay`.

    Returns:
        The suggestion. `undecided` where the lowest or the highest decay tried does as well as the
        best one, within the noise, or is it, and where the usual decay overrules what short
        trainings say; `non_finite` where every loss was.
    """
    try:
        best, differences = rank(*rounds)
    except ValueError:
        return no_finite_candidate()
    means = _means(rounds, best, differences)
    value = _rounded(_lowest(means, measure, usual))
    tied = sorted([best, *(decay for decay, d in differences.items() if d.tied)])
    interval = min(value, tied[0]), max(value, tied[-1])
    what = (
        f"in short trainings, {_shown(best)} has the lowest loss; the suggestion also takes into "
        f"account {usual:.2g}, the usual weight decay at this learning rate"
    )
    doubt = _doubt(best, tied, sorted(means)) or _disagreement(value, best, tied, means)
    reason = f"{what}. {doubt}." if doubt else f"{what}."
    return Suggestion(value, interval, "undecided" if doubt else "ok", reason)


def _means(
    rounds: Sequence[Scores], best: float, differences: dict[float, Difference]
) -> dict[float, float]:
    """Return the mean loss of each decay, as far above the best as where both ran alike."""
    lowest = mean_loss(rounds[-1][best])
    above = {decay: difference.mean for decay, difference in differences.items()}
    return {decay: lowest + above.get(decay, 0.0) for decay in (best, *differences)}


def _lowest(means: dict[float, float], measure: Measure, usual: float) -> float:
    """Return where the smoothed curve and the pull of the usual decay are lowest together.

    That is 0 if it is nearer to no decay than to any that was tried.
    """
    decays = sorted(means)
    heights = dict(zip(decays, measure.heights([means[d] for d in decays]), strict=True))
    positive = [decay for decay in decays if decay > 0]
    points = [(math.log10(decay), float(heights[decay])) for decay in positive]
    if not points:
        return 0.0
    none = points[0][0] - _NONE_BELOW
    if 0 in heights:
        points = [(none, float(heights[0])), *points]
    profile = Profile.through(points, spread=SPREAD, below=0.0, above=_RISE_PER_DECADE)
    pull = _PULL * np.minimum((profile.x - math.log10(usual)) ** 2, 1.0)
    x = float(profile.x[(profile.smoothed + pull).argmin()])
    if 0 in heights and x < none + _NONE_BELOW / 2:
        return 0.0
    return float(min(max(10**x, positive[0]), positive[-1]))


def _doubt(best: float, tied: Sequence[float], tried: Sequence[float]) -> str:
    """Return what leaves it open, as a sentence; "" if nothing does.

    Args:
        best: the decay with the lowest loss.
        tied: that and those that can't be told apart from it, rising.
        tried: all, rising.
    """
    least, most = tried[0], tried[-1]
    if least in tied and most in tied:
        return (
            f"From {_shown(least)} to {_shown(most)} no difference is beyond the noise: weight "
            f"decay hardly matters here, or only in longer trainings (see find_wd.steps)"
        )
    if most in tied:
        return f"The highest value tried, {most:g}, does as well as any: try higher ones, too"
    if least in tied and least < best:
        return f"But {least:g} does as well, within the noise"
    if best == least > 0:
        return "It is the lowest value tried: try lower ones, or 0, too"
    if len(tied) > 1 and best == least:
        return f"But up to {tied[-1]:g} does as well, within the noise"
    return ""


def _disagreement(value: float, best: float, tied: Sequence[float], tried: Iterable[float]) -> str:
    """Return that a value lies beyond one that was worse than the best; "" if it does not."""
    worse = [decay for decay in tried if decay not in tied]
    below = any(value <= decay < tied[0] for decay in worse)
    above = any(tied[-1] < decay <= value for decay in worse)
    if not (below or above):
        return ""
    return (
        f"In short trainings {best:g} is better than {value:g}, beyond the noise; a whole training "
        f"usually needs {'more' if above else 'less'}, but try {best:g}, too"
    )


def _shown(decay: float) -> str:
    return f"{decay:g}" if decay else "no decay"


def _rounded(decay: float) -> float:
    """Return two significant digits: more would be noise."""
    return float(f"{decay:.2g}")
