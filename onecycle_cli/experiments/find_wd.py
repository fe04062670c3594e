"""Weight decays compared by short trainings, and the one that suits the whole training."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from onecycle_cli import suggest
from onecycle_cli.experiments.asked.fit_arguments import FitArguments
from onecycle_cli.experiments.asked.in_hand import WHERE_USUAL, given
from onecycle_cli.experiments.asked.request import Request, Source
from onecycle_cli.experiments.asked.watching import Progress, watching
from onecycle_cli.experiments.searches.comparing import ComparisonResult, Question, compare
from onecycle_cli.experiments.searches.jobs import Candidate
from onecycle_cli.experiments.searches.rates import adapts
from onecycle_cli.experiments.session import Session, session
from onecycle_cli.kinds import FIND_WD
from onecycle_cli.observer import Observer
from onecycle_cli.suggest import ComparisonPlan
from onecycle_cli.workbench.cost import resolved_steps

if TYPE_CHECKING:
    import keras

    from onecycle_cli.workbench.bench import Workbench

REFINEMENTS = 2
"""How many decays are added around the best one, at most."""


def find_wd(
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
    """Compare weight decays by short, complete 1cycles, and suggest one for the whole training.

    They run at the learning rate and momentum of the training to come, and are judged on the data
    loss, without the penalty. Their result is combined with the decay that is usual at this
    learning rate.

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
    request = Request.of_call(FIND_WD, asked, resume=resume, force=force)
    with session(request, watching(observer, progress)) as ready:
        return carry_out(ready)


find_weight_decay = find_wd
"""The same by its full name."""


def carry_out(ready: Session) -> ComparisonResult:
    """Carry out the search of a session."""
    values, config = ready.values, ready.config
    max_lr = values.known_max_lr(config)
    usual = suggest.usual_decay(
        config.optimizer.decay_kind,
        max_lr=max_lr,
        momentum=sum(values.momentum.values()) / 2,
        steps_per_epoch=ready.bench.steps_per_epoch,
        normalised=adapts(ready.bench.model.optimizer),
    )
    question = Question(
        plan=plan_of(ready.bench),
        candidate=lambda wave, decay: Candidate(decay, max_lr, values.momentum, decay, wave.stage),
        in_words=lambda candidate: f"{candidate.value:g}",
        answer=lambda rounds, measure: suggest.suggest_weight_decay(
            rounds, measure=measure, usual=usual
        ),
        more={"usual": usual},
    )
    return compare(question, ready)


def plan_of(bench: Workbench) -> ComparisonPlan:
    """Return which weight decays are compared, as the configuration has it."""
    config = bench.config
    settings = config.find_wd
    usual = suggest.USUAL_DECAYS[config.optimizer.decay_kind]
    values = usual if settings.values == "auto" else settings.values
    return ComparisonPlan(
        tuple(sorted(values)),
        resolved_steps(bench, FIND_WD.section),
        settings.repeats,
        REFINEMENTS if settings.refine else 0,
    )
