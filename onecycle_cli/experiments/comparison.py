"""Candidates compared by short, complete 1cycle runs from the same start on the same batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import onecycle_cli.experiments.quiet_start  # noqa: F401
from onecycle_cli import plotting, results, suggest
from onecycle_cli.callbacks.recorded_cycle import RecordedCycle
from onecycle_cli.config import Config, load_config
from onecycle_cli.experiments.cost import Cost, short_run_steps
from onecycle_cli.experiments.observer import Observer
from onecycle_cli.experiments.recorded_run import label_of, recorded_run, write_config
from onecycle_cli.experiments.reporting import Reporting
from onecycle_cli.experiments.setup import Shared, prepared
from onecycle_cli.experiments.values import Values, premises
from onecycle_cli.experiments.workbench import Workbench
from onecycle_cli.optimizers import momentum_attributes
from onecycle_cli.results import RunFolder
from onecycle_cli.suggest import Difference, Suggestion

ON_NEW_BATCHES = "batches before they were trained on"
ON_VALIDATION = "validation split"

_ANNEALED_SHARE = 0.2

Scores = dict[Any, list[NDArray[np.float64]]]
"""For each candidate, the judged losses of each replicate."""


@dataclass(frozen=True)
class Candidate:
    """One setting to try.

    Attributes:
        value: what tables and pictures call it: a number, or `cycled` for a momentum range.
        max_lr: the highest learning rate of its cycle.
        momentum: its momentum range; equal ends hold it constant.
        weight_decay: its weight decay, in the configured convention.
        stage: `coarse` or `fine`.
    """

    value: float | str
    max_lr: float
    momentum: Mapping[str, float]
    weight_decay: float
    stage: str = "coarse"


@dataclass(frozen=True)
class Trial:
    """One run of a candidate.

    Attributes:
        candidate: what was tried.
        replicate: which initial weights and order of the data.
        lrs: learning rate of each step.
        momenta: momentum of each step.
        losses: data loss of each step's batch before its update.
        scored: the losses that the trial is judged by, of shape (n,); infinite if it broke off
            because its loss was not finite.
    """

    candidate: Candidate
    replicate: int
    lrs: list[float]
    momenta: list[float]
    losses: list[float]
    scored: NDArray[np.float64] = field(default_factory=lambda: np.array([np.inf]))

    @property
    def score(self) -> float:
        """The mean of the losses that it is judged by."""
        return float(self.scored.mean())


@dataclass(frozen=True)
class ComparisonResult:
    """What `find_momentum` or `find_wd` found.

    Attributes:
        suggestion: the suggested value.
        trials: every run, in order.
        best: the candidate with the lowest mean loss, or `None` if all diverged.
        differences: how much worse each other candidate is.
        values: the learning rate and so on that were in force, and where they came from.
        cost: what it took.
        folder: where it is written, or `None`.
    """

    suggestion: Suggestion
    trials: list[Trial]
    best: float | str | None
    differences: dict[float | str, Difference]
    values: Values
    cost: Cost
    folder: Path | None


@dataclass(frozen=True)
class Question:
    """What a comparison is to find out.

    Attributes:
        kind: `find-momentum` or `find-wd`.
        section: its section of the configuration, with `steps` and `repeats`.
        key: what is suggested: `momentum` or `weight_decay`.
        candidates: makes the candidates, once the other values are known.
        answer: makes a suggestion from the scores.
        refine: makes further candidates from the scores of the first ones.
        finer: how many further ones there may be.
    """

    kind: str
    section: str
    key: str
    candidates: Callable[[Config, Values], list[Candidate]]
    answer: Callable[[Scores], Suggestion]
    refine: Callable[[Scores, Config, Values], list[Candidate]] = lambda *_: []
    finer: Callable[[Config], int] = lambda _: 0


def compare(
    question: Question,
    config: str | Path | Mapping[str, Any] | Config,
    *,
    out: str | Path | None,
    observer: Observer | None,
    shared: Shared | None = None,
) -> ComparisonResult:
    """Run the candidates, suggest, and write everything down."""
    config, observer = load_config(config), observer or Observer()
    with prepared(config, out, observer, searched=question.key, shared=shared) as ready:
        bench, values = ready.bench, ready.values
        candidates = question.candidates(config, values)
        with recorded_run(config, question.kind, out, values) as run:
            if run is not None:
                write_config(run, bench, values)
            comparison = Comparison(question, bench, values=values, observer=observer, run=run)
            comparison.announce(candidates)
            comparison.run_all(candidates)
            comparison.run_all(question.refine(comparison.scores(), config, values))
            result = comparison.conclude(question.answer(comparison.scores()))
            if out is not None:
                results.write_suggestion(
                    Path(out) / config.name,
                    question.key,
                    result.suggestion,
                    run=comparison.label,
                    conditions=ready.conditions | premises(values, question.key),
                )
            return result


class Comparison:
    """Runs candidates and keeps what came of them.

    A trial is judged by the mean data loss over the last fifth of its steps, where the learning
    rate is low, as long as no batch is seen twice: the loss before the update then estimates the
    loss on new data. Longer trials are judged on the validation split.

    Args:
        question: what to find out.
        bench: the model, to be rewound before each trial.
        values: what is known of the other hyper-parameters.
        observer: hears of the progress.
        run: where to write, or `None`.
    """

    def __init__(
        self,
        question: Question,
        bench: Workbench,
        *,
        values: Values,
        observer: Observer,
        run: RunFolder | None,
    ) -> None:
        self.question, self.bench, self.values = question, bench, values
        self.observer, self.run = observer, run
        settings = getattr(bench.config, question.section)
        self.repeats: int = settings.repeats
        self.steps = short_run_steps(settings.steps, bench.steps_per_epoch)
        self.label = label_of(run, bench.config, question.kind)
        self.trials: list[Trial] = []
        self._most_trials = 0
        self._started = time.perf_counter()

    @property
    def scored_on(self) -> str:
        """What the trials are judged by, in words."""
        one_pass = self.steps <= self.bench.steps_per_epoch
        return ON_NEW_BATCHES if one_pass else ON_VALIDATION

    def announce(self, candidates: Sequence[Candidate]) -> None:
        """Tell what the comparison is going to cost."""
        count = len(candidates) + self.question.finer(self.bench.config)
        self._most_trials = count * self.repeats
        self.observer.note(
            f"{count} candidates x {self.repeats} run{'' if self.repeats == 1 else 's'} of "
            f"{self.steps} steps, judged on the {self.scored_on}"
        )
        self.observer.note(Cost.forecast(self.bench, self._most_trials * self.steps))

    def run_all(self, candidates: Iterable[Candidate]) -> None:
        """Run every candidate, `repeats` times each; what is done is kept if it breaks off."""
        try:
            for candidate in candidates:
                for replicate in range(self.repeats):
                    self._run(candidate, replicate)
        except BaseException:
            if self.run is not None and self.trials:
                self.run.keep()
                self._write_tables(self.run)
            raise

    def scores(self) -> Scores:
        """Return the judged losses of each candidate, a list entry for each replicate."""
        scores: Scores = {}
        for trial in self.trials:
            scores.setdefault(trial.candidate.value, []).append(trial.scored)
        return _aligned(scores)

    def conclude(self, suggestion: Suggestion) -> ComparisonResult:
        """Write everything down and return it."""
        try:
            best, differences = suggest.rank(self.scores())
        except ValueError:
            best, differences = None, {}
        steps = sum(len(trial.losses) for trial in self.trials)
        cost = Cost.of(self.bench, steps, time.perf_counter() - self._started)
        folder = self.run.final if self.run else None
        result = ComparisonResult(
            suggestion, self.trials, best, differences, self.values, cost, folder
        )
        if self.run is not None:
            self._write(self.run, result)
        return result

    def _write(self, run: RunFolder, result: ComparisonResult) -> None:
        self._write_tables(run)
        found = result.suggestion
        if found.accepted:
            write_config(run, self.bench, self.values, **{self.question.key: found.value})
        results.write_json(
            run.path / "result.json",
            {
                "kind": self.question.kind,
                "label": self.label,
                "suggestion": found.as_dict(),
                "best": result.best,
                "differences": {
                    str(candidate): {"mean": d.mean, "interval": list(d.interval)}
                    for candidate, d in result.differences.items()
                },
                "decay": self.bench.config.optimizer.decay_kind,
                "momentum_name": momentum_attributes(self.bench.model.optimizer)[0],
                "scored_on": self.scored_on,
                "cost": result.cost.as_dict(),
            },
        )
        picture = plotting.draw(results.read_record(run.path))
        results.write_bytes(run.path / "plot.png", plotting.png(picture))

    def _run(self, candidate: Candidate, replicate: int) -> None:
        cycle = RecordedCycle(
            constants={self.bench.decay_name: candidate.weight_decay},
            max_lr=candidate.max_lr,
            maximum_momentum=candidate.momentum["max"],
            minimum_momentum=candidate.momentum["min"],
        )
        self.bench.rewind(replicate)
        shown = candidate.value if isinstance(candidate.value, str) else f"{candidate.value:g}"
        title = f"trial {len(self.trials) + 1} of {self._most_trials}"
        self.observer.begin(f"{title}, {self.question.key.replace('_', ' ')} {shown}", self.steps)
        self.bench.train(self.steps, [cycle, Reporting(self.observer, cycle)], replicate=replicate)
        judged = [] if cycle.stop_reason else [self._judge(cycle.losses)]
        self.trials.append(
            Trial(
                candidate,
                replicate,
                cycle.lrs,
                cycle.history["momentum"],
                cycle.losses,
                *judged,
            )
        )
        score = self.trials[-1].score
        self.observer.end("the loss is not finite" if cycle.stop_reason else f"loss {score:.4g}")

    def _judge(self, losses: Sequence[float]) -> NDArray[np.float64]:
        if self.scored_on == ON_VALIDATION:
            return self.bench.examine("validation").losses
        return np.array(losses[-max(1, round(len(losses) * _ANNEALED_SHARE)) :])

    def _write_tables(self, run: RunFolder) -> None:
        results.write_csv(
            run.path / "trials.csv",
            ("trial", self.question.key, "stage", "replicate", "lr", "steps", "score"),
            (
                (i, t.candidate.value, t.candidate.stage, t.replicate, t.candidate.max_lr,
                 len(t.losses), t.score)
                for i, t in enumerate(self.trials)
            ),
        )  # fmt: skip
        results.write_csv(
            run.path / "curves.csv",
            ("trial", "step", "lr", "momentum", "loss"),
            (
                (i, step, *row)
                for i, t in enumerate(self.trials)
                for step, row in enumerate(zip(t.lrs, t.momenta, t.losses, strict=True))
            ),
        )


def _aligned(scores: Scores) -> Scores:
    """Give diverged trials as many infinite losses as the others have finite ones."""
    length = max((len(s) for runs in scores.values() for s in runs), default=1)
    return {
        candidate: [s if len(s) == length else np.full(length, np.inf) for s in runs]
        for candidate, runs in scores.items()
    }
