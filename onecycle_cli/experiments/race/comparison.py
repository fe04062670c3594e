"""Candidates raced: short, complete 1cycle runs from the same start on the same batches.

A race has rungs. All candidates run the first one, of short cycles and one replicate; the better
half runs the next one, of longer cycles and more replicates; the last two run the last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli import suggest
from onecycle_cli.config import Config
from onecycle_cli.engine.steering.names import MOMENTUM
from onecycle_cli.engine.steering.optimizers import momentum_attributes
from onecycle_cli.experiments.drawn import Drawn
from onecycle_cli.experiments.hyper_parameters import Values
from onecycle_cli.experiments.race.trials import Candidate, Trial, Trials, curves_table, scored_on
from onecycle_cli.experiments.session import Session
from onecycle_cli.kinds import Kind
from onecycle_cli.runs import records
from onecycle_cli.runs.files import Table, table_of
from onecycle_cli.runs.records import Record
from onecycle_cli.shown import Facts
from onecycle_cli.suggest import (
    Difference,
    Rung,
    Scores,
    Suggestion,
    plan_race,
    race_steps,
)
from onecycle_cli.workbench.cost import Cost, resolved_steps, training_steps


@dataclass(frozen=True)
class Heat:
    """A rung as it was run.

    Attributes:
        steps: the length of its cycles.
        replicates: runs of each candidate.
        scored_on: what it was judged by, in words.
        scores: for each candidate, the judged losses of each replicate.
        dropped: the candidates whose race ended here.
    """

    steps: int
    replicates: int
    scored_on: str
    scores: Scores
    dropped: list[float | str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return everything but the losses, as plain data for a file."""
        return {
            "steps": self.steps,
            "replicates": self.replicates,
            "scored_on": self.scored_on,
            "candidates": list(self.scores),
            "dropped": self.dropped,
        }


@dataclass(frozen=True, repr=False)
class ComparisonResult(Drawn):
    """What `find_momentum` or `find_wd` found.

    Attributes:
        suggestion: the suggested value.
        trials: every run, in order.
        rungs: the rungs of the race.
        best: the candidate with the lowest mean loss in the last rung, or `None` if all diverged.
        differences: how much worse each other candidate is, in the last rung that it ran in.
        values: the learning rate and so on that were in force, and where they came from.
        cost: what it took.
        folder: where it is written, or `None`.
        record: what its files say.
    """

    suggestion: Suggestion
    trials: list[Trial]
    rungs: list[Heat]
    best: float | str | None
    differences: dict[float | str, Difference]
    values: Values
    cost: Cost
    folder: Path | None
    record: Record | None = None

    @property
    def dropped(self) -> dict[float | str, int]:
        """The rung, counted from 1, that each candidate was dropped in which was not a finalist."""
        return _dropped(self.rungs)

    def _facts(self) -> Facts:
        yield "suggestion", self.suggestion
        yield "best", self.best
        yield "trials", f"{len(self.trials)} in {len(self.rungs)} rungs"
        yield "values", self.values
        yield "cost", self.cost
        yield "folder", self.folder


@dataclass(frozen=True)
class Question:
    """What a comparison is to find out.

    Attributes:
        kind: of the experiment; its section of the configuration has `steps` and `repeats`.
        candidates: makes the candidates, once the other values are known.
        answer: makes a suggestion from the scores of each rung.
        safest: given candidates that can't be told apart, who stays in the race in any case.
        meaning: what a candidate's victory would suggest; the race ends when there is but one.
        refine: makes further candidates from the scores of the first ones in the first rung.
        finer: how many further ones there may be.
    """

    kind: Kind
    candidates: Callable[[Config, Values], list[Candidate]]
    answer: Callable[[Sequence[Scores]], Suggestion]
    safest: Callable[[Sequence[Any]], Any]
    meaning: Callable[[Any], Any] = lambda candidate: candidate
    refine: Callable[[Scores, Config, Values], list[Candidate]] = lambda *_: []
    finer: Callable[[Config], int] = lambda _: 0


def compare(question: Question, session: Session) -> ComparisonResult:
    """Run the candidates, suggest, and write everything down."""
    candidates = question.candidates(session.config, session.values)
    comparison = Comparison(question, session)
    comparison.announce(len(candidates))
    rungs = comparison.race(candidates)
    return comparison.conclude(question.answer([rung.scores for rung in rungs]))


class Comparison:
    """Races candidates and keeps what came of it.

    A trial is judged by the mean data loss over the last fifth of its steps, where the learning
    rate is low, as long as no batch is seen twice: the loss before the update then estimates the
    loss on new data. Longer trials are judged on the validation split.

    Args:
        question: what to find out.
        session: the model, to be rewound before each trial, and where to write.
    """

    def __init__(self, question: Question, session: Session) -> None:
        self.question, self.session = question, session
        self.bench, self.values, self.run = session.bench, session.values, session.run
        self._trials = Trials(session.bench, session.observer, session.journal, session.run.keep)
        section = question.kind.section
        self._key = str(question.kind.finds)
        self.repeats: int = getattr(session.config, section).repeats
        self.steps = resolved_steps(session.bench, section)
        self.rungs: list[Heat] = []
        self._started = time.perf_counter()

    def announce(self, candidates: int) -> None:
        """Tell what the race is going to be like, and to cost."""
        plan = plan_race(
            candidates + self.question.finer(self.session.config), self.steps, self.repeats
        )
        rungs = "; then ".join(_in_words(rung) for rung in plan)
        self.session.observer.note(f"{rungs}; judged on the {scored_on(self.bench, self.steps)}")
        most, least = race_steps(plan), race_steps([plan[0], plan[-1]])
        self.session.observer.note(Cost.forecast(self.bench, most))
        if least < most:
            self.session.observer.note(f"{least} steps if the first rung leaves no more than two")

    def race(self, candidates: Sequence[Candidate]) -> list[Heat]:
        """Run rung after rung, until the answer is clear or the last one is done.

        What is done is kept on disk if it breaks off.
        """
        try:
            self._race(list(candidates))
        except BaseException:
            if self._trials.done:
                self.run.keep()
                records.write_tables(self.run.path, self._tables())
            raise
        return self.rungs

    def _race(self, racing: list[Candidate]) -> None:
        newcomers = self.question.finer(self.session.config)
        while True:
            number = len(self.rungs) + 1
            plan = plan_race(len(racing) + newcomers, self.steps, self.repeats, done=number - 1)
            scores = self._run_rung(racing, plan)
            if newcomers:
                finer = self.question.refine(scores, self.session.config, self.values)
                self._run_rung(finer, plan)
                racing, newcomers = [*racing, *finer], 0
                scores = self._trials.scores(plan[0], racing)
            is_last = len(plan) == 1
            left = list(scores) if is_last else suggest.survivors(scores, self.question.safest)
            dropped = [c for c in scores if c not in left]
            steps = plan[0].steps
            self.rungs.append(
                Heat(steps, plan[0].replicates, scored_on(self.bench, steps), scores, dropped)
            )
            if is_last or len({self.question.meaning(c) for c in left}) <= 1:
                return
            racing = [c for c in racing if c.value in left]

    def _run_rung(self, candidates: Sequence[Candidate], plan: Sequence[Rung]) -> Scores:
        """Run the first of the planned rungs."""
        number = len(self.rungs) + 1
        rungs, what = number + len(plan) - 1, self._key.replace("_", " ")

        def title(candidate: Candidate, place: int, trials: int) -> str:
            value = candidate.value
            shown = value if isinstance(value, str) else f"{value:g}"
            return f"rung {number} of {rungs}, run {place} of {trials}, {what} {shown}"

        self._trials.run_rung(plan[0], number, candidates, title)
        return self._trials.scores(plan[0], candidates)

    def conclude(self, suggestion: Suggestion) -> ComparisonResult:
        """Write everything down and return it."""
        try:
            best, differences = suggest.rank(*(rung.scores for rung in self.rungs))
        except ValueError:
            best, differences = None, {}
        steps = sum(len(trial.losses) for trial in self._trials.done)
        cost = Cost.of(self.bench, steps, time.perf_counter() - self._started)
        result = ComparisonResult(
            suggestion,
            self._trials.done,
            self.rungs,
            best,
            differences,
            self.values,
            cost,
            self.session.folder,
        )
        record = self._write(result)
        self.session.suggest(suggestion)
        return replace(result, record=record)

    def _write(self, result: ComparisonResult) -> Record:
        return self.session.write(
            {
                "suggestion": result.suggestion.as_dict(),
                "best": result.best,
                "differences": {
                    str(candidate): {
                        "mean": d.mean,
                        "interval": list(d.interval),
                        "rung": _last_rung(result.rungs, candidate),
                    }
                    for candidate, d in result.differences.items()
                },
                "rungs": [rung.as_dict() for rung in result.rungs],
                "training_steps": training_steps(self.bench),
                "decay": self.session.config.optimizer.decay_kind,
                "momentum_name": self._momentum_name,
                "scored_on": result.rungs[-1].scored_on,
                "cost": result.cost.as_dict(),
                "caveats": self.bench.caveats_of(self.repeats),
            },
            self._tables(),
            result.suggestion,
        )

    @property
    def _momentum_name(self) -> str:
        """What the optimizer calls its momentum; the usual name where it has none."""
        return (*momentum_attributes(self.bench.model.optimizer), MOMENTUM)[0]

    def _tables(self) -> dict[str, Table]:
        dropped = _dropped(self.rungs)
        names = ("trial", self._key, "stage", "rung", "replicate", "lr",
                 "steps", "score", "dropped")  # fmt: skip
        trials = table_of(
            names,
            (
                (i, t.candidate.value, t.candidate.stage, t.rung, t.replicate, t.candidate.max_lr,
                 t.steps, t.score,
                 int(dropped.get(t.candidate.value) == t.rung))
                for i, t in enumerate(self._trials.done)
            ),
        )  # fmt: skip
        return {"trials": trials, "curves": curves_table(self._trials.done)}


def _in_words(rung: Rung) -> str:
    runs = "1 run" if rung.replicates == 1 else f"{rung.replicates} runs"
    return f"{rung.candidates} candidates x {runs} of {rung.steps} steps"


def _dropped(rungs: Sequence[Heat]) -> dict[float | str, int]:
    return {c: i for i, rung in enumerate(rungs, start=1) for c in rung.dropped}


def _last_rung(rungs: Sequence[Heat], candidate: float | str) -> int:
    return max(i for i, rung in enumerate(rungs, start=1) if candidate in rung.scores)
