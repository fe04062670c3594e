"""Ranges of momentum compared by short trainings, and the best of them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from onecycle_cli import suggest
from onecycle_cli.experiments.asked.fit_arguments import FitArguments
from onecycle_cli.experiments.asked.in_hand import WHERE_USUAL, given
from onecycle_cli.experiments.asked.request import Request, Source
from onecycle_cli.experiments.asked.watching import Progress, watching
from onecycle_cli.experiments.hyper_parameters.values import in_words
from onecycle_cli.experiments.searches.comparing import ComparisonResult, Question, compare
from onecycle_cli.experiments.searches.jobs import Candidate
from onecycle_cli.experiments.session import Session, session
from onecycle_cli.kinds import FIND_MOMENTUM
from onecycle_cli.observer import Observer
from onecycle_cli.suggest import ComparisonPlan, Round
from onecycle_cli.workbench.cost import resolved_steps

if TYPE_CHECKING:
    import keras

    from onecycle_cli.workbench.bench import Workbench


def find_momentum(
    config: Source | keras.Model | None = None,
    x: Any = None,
    y: Any = None,
    *,
    out: str | Path | None = WHERE_USUAL,
    observer: Observer | None = None,
    progress: Progress = "auto",
    resume: str | Path | None = None,
    force: bool = False,
    **fit: Unpack[FitArguments],
) -> ComparisonResult:
    """Compare ranges of momentum by short, complete 1cycles, each as in the training to come.

    At a fixed learning rate a comparison of momentum values measures the step size
    lr / (1 - momentum). So each range with the middle m runs at `lr * (1 - m) / (1 - m_ref)`, where
    lr was found with m_ref; optimizers whose step does not grow with momentum run at the same lr.

    Args:
        config: a path, a mapping or a `Config`; or a compiled model. Not needed with
            `resume`.
        x: with a model, its inputs: an array, or several in a dictionary or a list.
        y: with a model, its targets, as it was compiled for them.
        out: the folder for runs, or the URL of an object store as text; `None` writes nothing. If
            it is not given, `runs` for a configuration, and nothing is written for a model.
        observer: is told of the progress, which is then not shown.
        progress: show it; `"auto"`: in a notebook and on a terminal.
        resume: the folder of an interrupted run, to continue it; `out` is where it is.
        force: use a learning rate that was suggested for another optimizer, model or data set.
        **fit: with a model, `batch_size`, `epochs`, `validation_split` and so on, see
            `FitArguments`.

    Raises:
        OnecycleError: when the configuration, the data or the model can't be used, or the learning
            rate is not known yet.
    """
    asked = given(config, x, y, out, **fit)
    request = Request.of_call(FIND_MOMENTUM, asked, resume=resume, force=force)
    with session(request, watching(observer, progress)) as ready:
        return carry_out(ready)


def carry_out(ready: Session) -> ComparisonResult:
    """Carry out the search of a session."""
    config, values = ready.config, ready.values
    lr, width = values.known_max_lr(config), config.find_momentum.width

    def candidate(wave: Round, middle: float) -> Candidate:
        momentum = suggest.momentum_range(middle, width)
        rate = lr
        if config.optimizer.step_grows_with_momentum:
            mean = sum(momentum.values()) / 2
            rate *= (1 - mean) / (1 - values.reference_momentum)
        return Candidate(middle, rate, momentum, values.weight_decay, wave.stage)

    question = Question(
        plan=plan_of(ready.bench),
        candidate=candidate,
        in_words=lambda it: in_words(it.momentum),
        answer=lambda rounds, _: suggest.suggest_momentum(
            rounds, width=width, reference=values.reference_momentum
        ),
        more={"reference": values.reference_momentum},
    )
    result = compare(question, ready)
    _tell_of_a_fixed_rate(ready, result, lr)
    return result


def _tell_of_a_fixed_rate(ready: Session, result: ComparisonResult, lr: float) -> None:
    """Warn where a training would not have the learning rate that the momentum was found with."""
    suggested = result.suggestion.value
    rates = [t.candidate.max_lr for t in result.trials if t.candidate.momentum == suggested]
    if rates and not math.isclose(rates[0], lr) and not ready.values.follows_momentum:
        ready.observer.warn(
            f"train.max_lr is fixed at {lr:.3g}, but that momentum was compared at max_lr "
            f"{rates[0]:.3g}, where steps are as large; set train.max_lr to it."
        )


def plan_of(bench: Workbench) -> ComparisonPlan:
    """Return which ranges of momentum are compared, by their middles."""
    settings = bench.config.find_momentum
    steps = resolved_steps(bench, FIND_MOMENTUM.section)
    return ComparisonPlan(tuple(sorted(settings.values)), steps, settings.repeats)
