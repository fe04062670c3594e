"""A candidate tried: a short, complete 1cycle run from a rewound model, and how it is judged."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli import suggest
from onecycle_cli.callbacks.divergence import StopRule
from onecycle_cli.errors import DataError
from onecycle_cli.observer import Observer
from onecycle_cli.runs.files import table_of
from onecycle_cli.runs.journal import Journal
from onecycle_cli.suggest import ON_NEW_BATCHES, ON_VALIDATION, Round
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


@dataclass(frozen=True)
class Trial:
    """One run of a candidate.

    Attributes:
        candidate: what was tried.
        replicate: which initial weights and order of the data.
        steps: the length of its cycle.
        lrs: learning rate of each step.
        momenta: momentum of each step.
        losses: data loss of each step's batch before its update.
        scored: the losses that the trial is judged by, of shape (n,); infinite if it broke off
            because its loss was not finite.
    """

    candidate: Candidate
    replicate: int
    steps: int
    lrs: list[float]
    momenta: list[float]
    losses: list[float]
    scored: NDArray[np.float64] = field(default_factory=lambda: np.array([np.inf]))

    @property
    def loss(self) -> float:
        """The mean of the last fifth of its losses; infinite if it broke off."""
        return suggest.annealed_loss(self.losses, self.steps)

    @property
    def score(self) -> float:
        """The mean of the losses that it is judged by."""
        return float(self.scored.mean())


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
Title = Callable[[Candidate, int], str]


class Trials:
    """Runs trials on a model that is set up, and remembers them.

    Args:
        bench: the model, to be rewound before each trial.
        observer: hears of the progress.
        journal: recalls the trials of a run that is resumed.
        keep: called when a trial is finished and worth keeping.
        stop_rule: makes, for each trial, what ends it early because of its losses; `None`: only a
            loss that is not finite does.
        judge: returns the losses that a trial is judged by, given the model and its losses.

    Attributes:
        done: every trial, in order.
    """

    def __init__(
        self,
        bench: Workbench,
        observer: Observer,
        journal: Journal,
        keep: Callable[[], None],
        *,
        stop_rule: Callable[[], StopRule] | None = None,
        judge: Judge = judged,
    ) -> None:
        self._bench, self._observer, self._journal, self._keep = bench, observer, journal, keep
        self._stop_rule, self._judge = stop_rule, judge
        self.done: list[Trial] = []

    def run(self, wave: Round, candidates: Sequence[Candidate], title: Title) -> None:
        """Run a round, a trial for each candidate.

        Args:
            wave: of what length they are, and from which initial weights.
            candidates: one for each of its values.
            title: says what a trial is called, given its candidate and its number from 1.
        """
        for candidate in candidates:
            shown = title(candidate, len(self.done) + 1)
            self.done.append(self._run(candidate, wave.replicate, wave.steps, shown))

    def _run(self, candidate: Candidate, replicate: int, steps: int, title: str) -> Trial:
        """Run a candidate for a complete cycle of the training's shape, and judge it."""
        piece = f"{asdict(candidate)} replicate {replicate} steps {steps}"
        gave = self._journal.recall(piece)
        if gave is None:
            gave = self._carry_out(candidate, replicate, steps, title)
            self._keep()
            self._journal.enter(piece, gave)
        self._keep()
        taken = gave["lrs"], gave["momenta"], gave["losses"]
        judged = [np.array(gave["scored"])] if gave["scored"] else []
        return Trial(candidate, replicate, steps, *taken, *judged)

    def _carry_out(
        self, candidate: Candidate, replicate: int, steps: int, title: str
    ) -> dict[str, Any]:
        bench = self._bench
        cycle = cycle_of(
            bench,
            candidate.max_lr,
            candidate.momentum,
            candidate.weight_decay,
            divergence=self._stop_rule() if self._stop_rule else None,
        )
        bench.rewind(replicate)
        self._observer.begin(title, steps)
        callbacks = [cycle, Reporting(self._observer, cycle.log)]
        bench.train(steps, callbacks, replicate=replicate, together=trial_steps_together(bench))
        losses = list(cycle.log.losses)
        scored = [] if cycle.stop_reason else self._judge(bench, losses).tolist()
        shown = suggest.annealed(losses) if self._stop_rule else scored
        outcome = f"loss {np.mean(shown):.4g}" if scored else _WHY[str(cycle.stop_reason)]
        self._observer.end(outcome)
        lrs, momenta = (list(cycle.log.steps[name]) for name in ("lr", "momentum"))
        return {"lrs": lrs, "momenta": momenta, "losses": losses, "scored": scored}


def curves_table(trials: Sequence[Trial]) -> dict[str, list[Any]]:
    """Return `curves.csv`: every step of every trial."""
    return table_of(
        ("trial", "step", "lr", "momentum", "loss"),
        (
            (i, step, *row)
            for i, t in enumerate(trials)
            for step, row in enumerate(zip(t.lrs, t.momenta, t.losses, strict=True))
        ),
    )
