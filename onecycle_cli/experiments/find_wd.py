"""Weight decays compared by short runs, and the largest one that the data support."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from onecycle_cli import suggest
from onecycle_cli.config import Config
from onecycle_cli.experiments.asked.in_hand import WHERE_USUAL, FitArguments, given
from onecycle_cli.experiments.asked.request import Request, Source
from onecycle_cli.experiments.hyper_parameters import Values
from onecycle_cli.experiments.race.comparison import ComparisonResult, Question, compare
from onecycle_cli.experiments.race.trials import Candidate
from onecycle_cli.experiments.session import Session, session
from onecycle_cli.kinds import FIND_WD
from onecycle_cli.observer import Observer
from onecycle_cli.suggest import Scores

if TYPE_CHECKING:
    import keras

_HALF_A_DECADE = math.sqrt(10)


def find_wd(
    config: Source | keras.Model | None = None,
    x: Any = None,
    y: Any = None,
    *,
    out: str | Path | None = WHERE_USUAL,
    observer: Observer | None = None,
    resume: str | Path | None = None,
    force: bool = False,
    **fit: Unpack[FitArguments],
) -> ComparisonResult:
    """Race `find_wd.values`, and half a decade above and below the one that starts best.

    Judged on the data loss without the penalty, at the learning rate and momentum of the training
    to come. Of values that can't be told apart, the largest is suggested.

    Args:
        config: a path, a mapping or a `Config`; or a compiled model that is in hand. May be left
            out with `resume`.
        x: with a model, its inputs: an array, or several in a dictionary or a list.
        y: with a model, its targets, as it was compiled for them.
        out: the folder for runs; `None` writes nothing. If it is not given, `runs` for a
            configuration, and nothing is written for a model.
        observer: hears of the progress.
        resume: the folder of a run that broke off, to be resumed; `out` is where it is.
        force: use a learning rate that was suggested for another optimizer, model or data set.
        **fit: with a model, `batch_size`, `epochs`, `validation_split` and so on, see
            `FitArguments`.

    Raises:
        OnecycleError: when the configuration, the data or the model won't do, or the learning
            rate is not known yet.
    """
    asked = given(config, x, y, out, **fit)
    request = Request.of_call(FIND_WD, asked, resume=resume, force=force)
    with session(request, observer or Observer()) as ready:
        return carry_out(ready)


find_weight_decay = find_wd
"""The same by its full name."""


def carry_out(ready: Session) -> ComparisonResult:
    """Carry out the search of a session."""
    question = Question(
        kind=FIND_WD,
        candidates=lambda config, values: _at(config.find_wd.values, config, values, "coarse"),
        refine=_refine,
        finer=lambda config: 2 * config.find_wd.refine,
        answer=lambda rungs: suggest.suggest_weight_decay(*rungs),
        safest=max,
    )
    return compare(question, ready)


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
