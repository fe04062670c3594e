"""Trials of a search, of which each is done once: run by an engine, or recalled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli import suggest
from onecycle_cli.experiments.searches.engines.engine import Engine
from onecycle_cli.experiments.searches.jobs import Candidate, Job, Rules
from onecycle_cli.observer import Observer
from onecycle_cli.runs.files import table_of
from onecycle_cli.runs.journal import Journal
from onecycle_cli.suggest import Round


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


Title = Callable[[Candidate, int], str]


class Trials:
    """Has trials run, and remembers them.

    Args:
        engine: carries out those that are not remembered yet.
        journal: recalls the trials of a run that is resumed.
        keep: called when a trial is finished and worth keeping.
        observer: hears of the steps that are recalled.
        rules: how trials end and are judged.

    Attributes:
        done: every trial, in order.
    """

    def __init__(
        self,
        engine: Engine,
        journal: Journal,
        keep: Callable[[], None],
        observer: Observer,
        rules: Rules,
    ) -> None:
        self._engine, self._journal, self._keep, self._rules = engine, journal, keep, rules
        self._observer = observer
        self.done: list[Trial] = []

    def run(self, wave: Round, candidates: Sequence[Candidate], title: Title) -> None:
        """Run a round, a trial for each candidate; they stay in this order.

        What is finished stays if it breaks off.

        Args:
            wave: of what length they are, and from which initial weights.
            candidates: one for each of its values.
            title: says what a trial is called, given its candidate and its number from 1.
        """
        jobs = [
            Job(candidate, wave.replicate, wave.steps, title(candidate, number), self._rules)
            for number, candidate in enumerate(candidates, len(self.done) + 1)
        ]
        finished: dict[int, Trial] = {}
        try:
            for place, gave in self._recalled_or_carried_out(jobs):
                finished[place] = _trial(jobs[place], gave)
        finally:
            self.done.extend(finished[place] for place in sorted(finished))

    def _recalled_or_carried_out(self, jobs: Sequence[Job]) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the place of each job and what it gave, as that becomes known."""
        missing = []
        for place, job in enumerate(jobs):
            gave = self._journal.recall(job.piece)
            if gave is None:
                missing.append(place)
            else:
                self._keep()
                self._observer.recall(len(gave["losses"]))
                yield place, gave
        for number, outcome in self._engine.run([jobs[place] for place in missing]):
            place = missing[number]
            self._keep()
            self._journal.enter(jobs[place].piece, outcome.gave)
            yield place, outcome.gave


def _trial(job: Job, gave: dict[str, Any]) -> Trial:
    taken = gave["lrs"], gave["momenta"], gave["losses"]
    scored = [np.array(gave["scored"])] if gave["scored"] else []
    return Trial(job.candidate, job.replicate, job.steps, *taken, *scored)


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
