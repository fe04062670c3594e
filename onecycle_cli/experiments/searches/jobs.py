"""A candidate to be tried: a short, complete 1cycle from a rewound model, and how it is judged.

A job holds all that it takes beside the model, and can be sent to another process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli import suggest
from onecycle_cli.callbacks.divergence import StopRule
from onecycle_cli.errors import DataError
from onecycle_cli.observer import Observer
from onecycle_cli.suggest import ON_NEW_BATCHES, ON_VALIDATION
from onecycle_cli.training.plan import cycle_of
from onecycle_cli.training.reporting import Reporting
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.steps_together import trial_steps_together

_WHY = {"non_finite": "the loss is not finite", "diverged": "the loss explodes"}


@dataclass(frozen=True)
class Candidate:
    """One setting to try.

    Attributes:
        value: what tables and pictures call it; of momentum, the middle of its range.
        max_lr: the highest learning rate of its cycle.
        momentum: its momentum range; equal ends hold it constant.
        weight_decay: its weight decay, in the configured convention.
        stage: of the search, such as `ladder` or `first`.
    """

    value: float
    max_lr: float
    momentum: Mapping[str, float]
    weight_decay: float
    stage: str


def scored_on(bench: Workbench, steps: int) -> str:
    """Return what a trial of so many steps is judged by, in words.

    As long as no batch is seen twice, the loss before the update estimates the loss on new data;
    longer trials are judged on the validation split.

    Raises:
        DataError: there is none.
    """
    if steps <= bench.steps_per_epoch:
        return ON_NEW_BATCHES
    if not bench.dataset.validates:
        raise DataError(
            f"trials of {steps} steps see batches of {bench.steps_per_epoch} steps twice, so they "
            f"are judged on validation data, and there are none; give some, or let the trials take "
            f"{bench.steps_per_epoch} steps at most."
        )
    return ON_VALIDATION


def judged(bench: Workbench, losses: Sequence[float]) -> NDArray[np.float64]:
    """Return the losses that a trial is judged by: its last ones, or those on validation data.

    Raises:
        DataError: there is none, and it would be needed.
    """
    if scored_on(bench, len(losses)) == ON_VALIDATION:
        return bench.examine("validation").losses
    return suggest.annealed(losses)


Judge = Callable[[Workbench, Sequence[float]], NDArray[np.float64]]


@dataclass(frozen=True)
class Rules:
    """How the trials of a search end and are judged; functions that can be imported by their names.

    Attributes:
        stop_rule: makes, for each trial, what ends it early because of its losses; `None`: only a
            loss that is not finite does.
        judge: returns the losses that a trial is judged by, given the model and its losses.
    """

    stop_rule: Callable[[], StopRule] | None = None
    judge: Judge = judged


@dataclass(frozen=True)
class Job:
    """A trial to be carried out.

    Attributes:
        candidate: what is tried.
        replicate: which initial weights and order of the data.
        steps: the length of its cycle.
        title: what it is called.
        rules: how it ends and is judged.
    """

    candidate: Candidate
    replicate: int
    steps: int
    title: str
    rules: Rules

    @property
    def piece(self) -> str:
        """What it is remembered by."""
        return f"{asdict(self.candidate)} replicate {self.replicate} steps {self.steps}"


@dataclass(frozen=True)
class Outcome:
    """What a trial gave.

    Attributes:
        gave: learning rates, momenta and losses of its steps, and the losses that it is judged by;
            none of these if it broke off.
        in_words: how it ended.
    """

    gave: dict[str, Any]
    in_words: str


def carry_out(job: Job, bench: Workbench, observer: Observer) -> Outcome:
    """Run a candidate for a complete cycle of the training's shape, and judge it.

    Args:
        job: the trial.
        bench: the model, to be rewound before.
        observer: hears of the progress.
    """
    candidate, rules = job.candidate, job.rules
    cycle = cycle_of(
        bench,
        candidate.max_lr,
        candidate.momentum,
        candidate.weight_decay,
        divergence=rules.stop_rule() if rules.stop_rule else None,
    )
    bench.rewind(job.replicate)
    observer.begin(job.title, job.steps)
    bench.train(
        job.steps,
        [cycle, Reporting(observer, cycle.log)],
        replicate=job.replicate,
        together=trial_steps_together(bench),
    )
    losses = list(cycle.log.losses)
    scored = [] if cycle.stop_reason else rules.judge(bench, losses).tolist()
    shown = suggest.annealed(losses) if rules.stop_rule else scored
    in_words = f"loss {np.mean(shown):.4g}" if scored else _WHY[str(cycle.stop_reason)]
    observer.end(in_words)
    lrs, momenta = (list(cycle.log.steps[name]) for name in ("lr", "momentum"))
    gave = {"lrs": lrs, "momenta": momenta, "losses": losses, "scored": scored}
    return Outcome(gave, in_words)
