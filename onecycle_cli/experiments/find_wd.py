"""Weight decays compared by short runs, and the largest one that the data support."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onecycle_cli import suggest
from onecycle_cli.config import Config
from onecycle_cli.experiments.comparison import (
    Candidate,
    ComparisonResult,
    Question,
    Scores,
    compare,
)
from onecycle_cli.experiments.observer import Observer
from onecycle_cli.experiments.values import Values

_HALF_A_DECADE = math.sqrt(10)
_MOST_SHRINKAGE = 0.1


def find_wd(
    config: str | Path | Mapping[str, Any] | Config,
    *,
    out: str | Path | None = "runs",
    observer: Observer | None = None,
) -> ComparisonResult:
    """Race `find_wd.values`, and half a decade above and below the one that starts best.

    With `find_wd.scale`, the values are those of the configured training, and the short runs use
    larger ones, which show as much of their effect: see `decay_factor`.

    Judged on the data loss without the penalty, at the learning rate and momentum of the training
    to come. Of values that can't be told apart, the largest is suggested.

    Args:
        config: a path, a mapping or a `Config`.
        out: the folder for runs; `None` writes nothing.
        observer: hears of the progress.

    Raises:
        OnecycleError: when the configuration, the data or the model won't do, or the learning
            rate is not known yet.
    """
    question = Question(
        kind="find-wd",
        section="find_wd",
        key="weight_decay",
        candidates=lambda config, values: _at(config.find_wd.values, config, values, "coarse"),
        refine=_refine,
        finer=lambda config: 2 * config.find_wd.refine,
        answer=lambda rungs: suggest.suggest_weight_decay(*rungs),
        safest=max,
        decay_factor=decay_factor,
    )
    return compare(question, config, out=out, observer=observer)


def decay_factor(config: Config, values: Values, training: int, steps: int) -> float:
    """Return by what to multiply weight decays in a run of `steps` steps.

    Decay shrinks the weights by lr * decay at each step, so over a run by lr * decay * steps. A run
    that is `training / steps` times shorter than the training needs a decay so many times larger
    to show as much of it. The factor is bounded, so that the largest decay of the search takes
    no more than a tenth off the weights at the highest learning rate.

    It is 1 unless `find_wd.scale` is set.

    With L2 in an optimizer that normalises its steps (the Adam family) decay does not shrink the
    weights by lr * decay, and the factor is 1.

    Args:
        config: the configuration.
        values: the highest learning rate and the momentum.
        training: steps of the configured training.
        steps: steps of the run.
    """
    is_l2 = config.optimizer.decay_kind == "l2"
    shrinks = config.optimizer.step_grows_with_momentum or not is_l2
    if not (config.find_wd.scale and shrinks):
        return 1.0
    largest = max(config.find_wd.values) * (_HALF_A_DECADE if config.find_wd.refine else 1)
    shrinkage = values.known_max_lr(config) * largest
    if is_l2:
        shrinkage *= 2 / (1 - sum(values.momentum.values()) / 2)
    bound = _MOST_SHRINKAGE / shrinkage if shrinkage else math.inf
    return max(1.0, min(training / steps, bound))


def _at(decays: list[float], config: Config, values: Values, stage: str) -> list[Candidate]:
    max_lr = values.known_max_lr(config)
    return [Candidate(decay, max_lr, values.momentum, decay, stage) for decay in decays]


def _refine(scores: Scores, config: Config, values: Values) -> list[Candidate]:
    """Return half a decade above and below the best value, to one significant figure."""
    if not config.find_wd.refine:
        return []
    try:
        best, _ = suggest.rank(scores)
    except ValueError:
        return []
    around = [float(f"{best * f:.0e}") for f in (_HALF_A_DECADE, 1 / _HALF_A_DECADE)]
    return _at([d for d in around if d > 0 and d not in scores], config, values, "fine")
