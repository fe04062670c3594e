"""Weight decays compared by short runs, and the largest one that the data support."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onecycle_cli import suggest
from onecycle_cli.config import Config
from onecycle_cli.experiments.hyper_parameters import Values
from onecycle_cli.experiments.preparation import Shared
from onecycle_cli.experiments.race.comparison import ComparisonResult, Question, compare
from onecycle_cli.experiments.race.trials import Candidate
from onecycle_cli.observer import Observer
from onecycle_cli.suggest import Scores

_HALF_A_DECADE = math.sqrt(10)


def find_wd(
    config: str | Path | Mapping[str, Any] | Config | None = None,
    *,
    out: str | Path | None = "runs",
    observer: Observer | None = None,
    shared: Shared | None = None,
    resume: str | Path | None = None,
    force: bool = False,
) -> ComparisonResult:
    """Race `find_wd.values`, and half a decade above and below the one that starts best.

    Judged on the data loss without the penalty, at the learning rate and momentum of the training
    to come. Of values that can't be told apart, the largest is suggested.

    Args:
        config: a path, a mapping or a `Config`; may be left out with `resume`.
        out: the folder for runs; `None` writes nothing.
        observer: hears of the progress.
        shared: what a recipe gives its stages.
        resume: the folder of a run that broke off, to be taken up; `out` is where it is.
        force: use a learning rate that was suggested for another optimizer, model or data set.

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
    )
    return compare(
        question, config, out=out, observer=observer, shared=shared, resume=resume, force=force
    )


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
