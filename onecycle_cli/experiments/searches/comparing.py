"""A few values compared by probes: short, complete 1cycles from one start on the same batches."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli import suggest
from onecycle_cli.engine.steering.names import MOMENTUM
from onecycle_cli.engine.steering.optimizers import momentum_attributes
from onecycle_cli.experiments.drawn import Drawn
from onecycle_cli.experiments.hyper_parameters.values import Values
from onecycle_cli.experiments.searches.jobs import Candidate, scored_on
from onecycle_cli.experiments.searches.search import ByProbes, Probes, carried_out
from onecycle_cli.experiments.searches.trials import Trial, curves_table
from onecycle_cli.experiments.session import Session
from onecycle_cli.kinds import KINDS
from onecycle_cli.runs.files import Table, table_of
from onecycle_cli.runs.records import Record
from onecycle_cli.shown import Facts
from onecycle_cli.suggest import ComparisonPlan, Difference, Measure, Round, Scores, Suggestion
from onecycle_cli.workbench.cost import Cost, training_steps


@dataclass(frozen=True, repr=False)
class ComparisonResult(Drawn):
    """What `find_momentum` or `find_wd` found.

    Attributes:
        suggestion: the suggested value.
        trials: every short training, in order.
        best: the value with the lowest mean loss, or `None` if all broke off; of momentum, the
            middle of its range.
        differences: how much worse each other value is.
        values: the learning rate and so on that were used, and where they came from.
        cost: what it took.
        folder: where it is written, or `None`.
        record: what its files say.
    """

    suggestion: Suggestion
    trials: list[Trial]
    best: float | None
    differences: dict[float, Difference]
    values: Values
    cost: Cost
    folder: Path | None
    record: Record | None = None

    def _sentence(self) -> str:
        name = "value" if self.record is None else str(KINDS[self.record.kind].finds)
        return self.suggestion.sentence(name.replace("_", " "))

    def _facts(self) -> Facts:
        yield "suggestion", self.suggestion
        yield "best", self.best
        yield "trials", len(self.trials)
        yield "values", self.values
        yield "cost", self.cost
        yield "folder", self.folder


@dataclass(frozen=True)
class Question:
    """What a comparison is to find out.

    Attributes:
        plan: which values run, and for how long.
        candidate: returns the setting that a value stands for.
        in_words: how a candidate's value is shown.
        answer: makes a suggestion from the judged losses, those of the first round and then of the
            values that ran again, and what losses are measured against.
        more: what else it goes by, for `result.json`.
    """

    plan: ComparisonPlan
    candidate: Callable[[Round, float], Candidate]
    in_words: Callable[[Candidate], str]
    answer: Callable[[list[Scores], Measure], Suggestion]
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Compared:
    """What a comparison has found out.

    Attributes:
        suggestion: the suggested value.
        best: the value with the lowest mean loss, or `None` if all broke off.
        differences: how much worse each other value is.
    """

    suggestion: Suggestion
    best: float | None
    differences: dict[float, Difference]


def compare(question: Question, ready: Session) -> ComparisonResult:
    """Run the values, suggest, and write everything down."""
    search = Comparing(question, ready)
    found, cost, record = carried_out(ready, search)
    return ComparisonResult(
        found.suggestion,
        search.trials,
        found.best,
        found.differences,
        ready.values,
        cost,
        ready.folder,
        record,
    )


class Comparing(ByProbes):
    """Compares values on a model that is set up already.

    Args:
        question: what is compared.
        session: the model, to be rewound before each probe, and where to write.
    """

    def __init__(self, question: Question, session: Session) -> None:
        self.question, self.session = question, session
        self._key = str(session.kind.finds)
        self._judged_by = scored_on(session.bench, question.plan.steps)
        name = self._key.replace("_", " ")
        self._probes = Probes(
            session,
            question.plan,
            question.candidate,
            lambda candidate: f"{name} {question.in_words(candidate)}",
        )

    @property
    def replicates(self) -> int:
        """From how many initial weights they start, at most."""
        return self.question.plan.repeats

    def announce(self) -> None:
        """Say what will be done, and what it will cost."""
        observer, plan = self.session.observer, self.question.plan
        observer.note(f"{in_words(plan)}; judged on the {self._judged_by}")
        observer.note(Cost.forecast(self.session.bench, plan.most_steps))
        observer.expect(plan.most_steps)

    def carry_out(self, after_round: Callable[[], None]) -> Compared:
        """Run the probes, and choose."""
        probes = self._probes.carry_out(after_round)
        rounds = suggest.rounds_of(probes)
        measure = Measure.of(probes, self.session.bench.bounds)
        suggestion = self.question.answer(rounds, measure)
        try:
            return Compared(suggestion, *suggest.rank(*rounds))
        except ValueError:
            return Compared(suggestion, None, {})

    def result(self, found: Compared) -> dict[str, Any]:
        """Return what `result.json` says of what was found."""
        return {
            "suggestion": found.suggestion.as_dict(),
            "best": found.best,
            "differences": {
                str(value): {"mean": d.mean, "interval": list(d.interval)}
                for value, d in found.differences.items()
            },
            "training_steps": training_steps(self.session.bench),
            "decay": self.session.config.optimizer.decay_kind,
            "momentum_name": self._momentum_name,
            "scored_on": self._judged_by,
            "chance_loss": self.session.bench.bounds.guessing,
            "floor": self.session.bench.bounds.floor,
        } | self.question.more

    def tables(self) -> dict[str, Table]:
        """Return `trials.csv` and `curves.csv`: every probe, and every step of it."""
        names = dict.fromkeys((
            "trial", self._key, "stage", "replicate", "lr", "momentum_max", "momentum_min",
            "weight_decay", "steps", "score",
        ))  # fmt: skip
        rows = (
            {
                "trial": number,
                "weight_decay": trial.candidate.weight_decay,
                "stage": trial.candidate.stage,
                "replicate": trial.replicate,
                "lr": trial.candidate.max_lr,
                "momentum_max": trial.candidate.momentum["max"],
                "momentum_min": trial.candidate.momentum["min"],
                "steps": trial.steps,
                "score": trial.score,
                self._key: trial.candidate.value,
            }
            for number, trial in enumerate(self.trials)
        )
        trials = table_of(tuple(names), ([row[name] for name in names] for row in rows))
        return {"trials": trials, "curves": curves_table(self.trials)}

    @property
    def _momentum_name(self) -> str:
        """What the optimizer calls its momentum; the usual name where it has none."""
        return (*momentum_attributes(self.session.bench.model.optimizer), MOMENTUM)[0]


def in_words(plan: ComparisonPlan) -> str:
    """Say what a comparison does."""
    most = len(plan.values) + plan.refinements
    values = f"{len(plan.values)} values" if plan.refinements == 0 else f"{most} values at most"
    what = f"{values}, each by a complete 1cycle of {plan.steps} steps"
    if plan.repeats > 1:
        what += f"; then the best {suggest.FINALISTS} again, {plan.repeats} times in all"
    return what
