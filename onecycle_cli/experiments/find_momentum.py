"""Momentum values compared by short runs, and the range that they support."""

from __future__ import annotations

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
from onecycle_cli.kinds import FIND_MOMENTUM
from onecycle_cli.observer import Observer

if TYPE_CHECKING:
    import keras

CYCLED = "cycled"


def find_momentum(
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
    """Race `find_momentum.values`, and the default range as one more candidate.

    The default range stays in the race to the end, unless it diverges: only runs of full length,
    with every replicate, may overturn it.

    At a fixed learning rate a comparison of momentum values measures the step size
    lr / (1 - momentum). So each value m runs at `lr * (1 - m) / (1 - m_ref)`, where lr was found
    with m_ref; optimizers whose step does not grow with momentum run at the same lr.

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
    request = Request.of_call(FIND_MOMENTUM, asked, resume=resume, force=force)
    with session(request, observer or Observer()) as ready:
        return carry_out(ready)


def carry_out(ready: Session) -> ComparisonResult:
    """Carry out the search of a session."""
    question = Question(
        kind=FIND_MOMENTUM,
        candidates=_candidates,
        answer=lambda rungs: suggest.suggest_momentum(*rungs, cycled=CYCLED),
        safest=lambda _: CYCLED,
        meaning=lambda winner: tuple(suggest.momentum_range(winner, CYCLED).values()),
    )
    return compare(question, ready)


def _candidates(config: Config, values: Values) -> list[Candidate]:
    lr, reference = values.known_max_lr(config), values.reference_momentum
    middle = sum(suggest.DEFAULT_MOMENTUM.values()) / 2

    def rate_for(momentum: float) -> float:
        if not config.optimizer.step_grows_with_momentum:
            return lr
        return lr * (1 - momentum) / (1 - reference)

    constants = [
        Candidate(m, rate_for(m), {"max": m, "min": m}, values.weight_decay)
        for m in config.find_momentum.values
    ]
    cycled = Candidate(CYCLED, rate_for(middle), suggest.DEFAULT_MOMENTUM, values.weight_decay)
    return [*constants, cycled]
