"""A learning rate confirmed by short, complete 1cycles: every candidate, then the best again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli import suggest
from onecycle_cli.config import Config, load_config
from onecycle_cli.engine.layers import every_layer
from onecycle_cli.experiments.hyper_parameters import Values, conditions_of, gather
from onecycle_cli.experiments.race.trials import Candidate, Trial, Trials, curves_table, scored_on
from onecycle_cli.experiments.session import workbench
from onecycle_cli.observer import Observer
from onecycle_cli.runs.files import Table, table_of
from onecycle_cli.runs.journal import Journal
from onecycle_cli.shown import Facts, Shown
from onecycle_cli.suggest import Rung, Scores, Suggestion
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.cost import Cost, short_run_steps, training_steps

_SHARE_OF_TRAINING = 1 / 8
_FEWEST_STEPS = 30
_LONGER = 2
_FINALISTS = 3

_NORMALISING = (
    keras.layers.BatchNormalization,
    keras.layers.LayerNormalization,
    keras.layers.GroupNormalization,
)


@dataclass(frozen=True, repr=False)
class Confirmation(Shown):
    """What the short 1cycles say.

    Attributes:
        suggestion: the learning rate that they confirm, or why there is none.
        rates: the learning rates tried, rising.
        rungs: the rounds: all of the rates, then the best of them for longer.
        trials: every run, in order.
        normalised: whether the network has normalisation layers.
        scored_on: what each round is judged by, by its name.
        cost: what it took.
        provisional: what the range test alone suggested, or `None`.
    """

    suggestion: Suggestion
    rates: list[float]
    rungs: list[Rung]
    trials: list[Trial]
    normalised: bool
    scored_on: dict[str, str]
    cost: Cost
    provisional: Suggestion | None = field(default=None)

    def _facts(self) -> Facts:
        yield "max_lr", self.suggestion
        yield "tried", ", ".join(f"{rate:.3g}" for rate in self.rates)
        yield "trials", f"{len(self.trials)} in {len(self.rungs)} rounds"
        yield "cost", self.cost

    def mean_losses(self, rung: Rung) -> dict[float, float]:
        """Return the mean loss of each learning rate in a round; infinite where it diverged."""
        scores = _scores(self.trials, rung.name)
        return {lr: float(np.mean([run.mean() for run in runs])) for lr, runs in scores.items()}

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data for `result.json`."""
        final = _scores(self.trials, self.rungs[-1].name)
        try:
            best, differences = suggest.rank(final)
            good = suggest.as_good_as_the_best(final)
        except ValueError:
            best, differences, good = None, {}, []
        return {
            "suggestion": self.suggestion.as_dict(),
            "provisional": self.provisional.as_dict() if self.provisional else None,
            "tried": self.rates,
            "best": best,
            "as_good": good,
            "normalised": self.normalised,
            "rungs": [
                {
                    "name": rung.name,
                    "steps": rung.steps,
                    "replicates": list(rung.numbers),
                    "scored_on": self.scored_on[rung.name],
                    "losses": {str(lr): loss for lr, loss in self.mean_losses(rung).items()},
                }
                for rung in self.rungs
            ],
            "differences": {
                str(rate): {
                    "mean": difference.mean,
                    "error": suggest.paired_error(final[rate], final[best]),
                }
                for rate, difference in differences.items()
            },
            "cost": self.cost.as_dict(),
        }


def confirm(
    config: str | Path | Mapping[str, Any] | Config,
    rates: Sequence[float],
    *,
    out: str | Path | None = None,
    observer: Observer | None = None,
) -> Confirmation:
    """Compare learning rates by short, complete 1cycles, and choose the lowest of the best.

    All of them run for an eighth of the configured training's steps, and further ones while the
    best is at an end; then the best and its neighbours twice as long, from two other initial
    weights. Writes nothing.

    Args:
        config: a path, a mapping or a `Config`.
        rates: the learning rates to try, > 0.
        out: the folder of runs, for suggestions of momentum and weight decay; `None`: none.
        observer: hears of the progress.

    Raises:
        OnecycleError: when the configuration, the data or the model won't do.
        ValueError: when there are no rates, or one is not above 0.
    """
    if not rates or not all(rate > 0 and np.isfinite(rate) for rate in rates):
        raise ValueError(f"`rates` must be learning rates > 0; got {list(rates)}.")
    config, observer = load_config(config), observer or Observer()
    with workbench(config, observer) as bench:
        conditions = conditions_of(config, bench.dataset.fingerprint)
        values = gather(config, out, observer, conditions=conditions)
        journal = Journal(None, observer)
        return Confirming(bench, values, observer, journal, lambda: None).carry_out(rates)


class Confirming:
    """Runs the rounds on a model that is set up already.

    Args:
        bench: the model, to be rewound before each trial.
        values: momentum and weight decay of the training to come.
        observer: hears of the progress.
        journal: recalls the trials of a run that is resumed.
        keep: called when a trial is finished and worth keeping.

    """

    def __init__(
        self,
        bench: Workbench,
        values: Values,
        observer: Observer,
        journal: Journal,
        keep: Callable[[], None],
    ) -> None:
        self.bench, self.values, self.observer = bench, values, observer
        self._trials = Trials(bench, observer, journal, keep)
        self.rungs = rungs_of(bench, 0)
        self._added = 0
        self._most_trials = 0

    @property
    def trials(self) -> list[Trial]:
        """Every trial that is finished, in order."""
        return self._trials.done

    def steps(self, candidates: int) -> int:
        """Return the steps of all rounds, at most."""
        return sum(rung.trials * rung.steps for rung in rungs_of(self.bench, candidates))

    def forecast(self, candidates: int) -> list[str]:
        """Return in words what will be done, and what it will cost."""
        first, final = self.rungs
        return [
            f"{candidates} learning rates, or up to {suggest.FURTHEST} more beyond them, x "
            f"{_runs(first)}, judged on the {scored_on(self.bench, first.steps)}; the best and its "
            f"neighbours x {_runs(final)}, judged on the {scored_on(self.bench, final.steps)}",
            Cost.forecast(self.bench, self.steps(candidates)),
        ]

    def carry_out(self, rates: Sequence[float]) -> Confirmation:
        """Run both rounds and choose."""
        started = time.perf_counter()
        rates = sorted(set(rates))
        first, final = self.rungs
        self._most_trials = sum(rung.trials for rung in rungs_of(self.bench, len(rates)))
        named = ", ".join(f"{rate:.3g}" for rate in rates)
        self.observer.note(f"confirming by complete 1cycles: max_lr {named}")
        for line in self.forecast(len(rates)):
            self.observer.note(line)
        self._run_all(first, rates)
        while (further := self._next_rate(rates)) is not None:
            self._run_all(first, [further])
            rates = sorted([*rates, further])
        last = suggest.finalists(_scores(self.trials, first.name))
        self._run_all(final, last)
        rates = sorted({*rates, *last})
        normalised = has_normalisation(self.bench.model)
        suggestion = suggest.confirm_lr(
            _scores(self.trials, final.name),
            tried=rates,
            normalised=normalised,
        )
        steps = sum(len(trial.losses) for trial in self.trials)
        return Confirmation(
            suggestion,
            rates,
            self.rungs,
            self.trials,
            normalised,
            {rung.name: scored_on(self.bench, rung.steps) for rung in self.rungs},
            Cost.of(self.bench, steps, time.perf_counter() - started),
        )

    def tables(self) -> dict[str, Table]:
        """Return `trials.csv` and `curves.csv`: every trial, and every step of it."""
        trials = table_of(
            ("trial", "max_lr", "stage", "replicate", "steps", "score"),
            (
                (i, t.candidate.max_lr, t.candidate.stage, t.replicate, len(t.losses), t.score)
                for i, t in enumerate(self.trials)
            ),
        )
        return {"trials": trials, "curves": curves_table(self.trials)}

    def _next_rate(self, rates: Sequence[float]) -> float | None:
        """Return the rate beyond those tried that may be better still, while there may be one."""
        if self._added == suggest.FURTHEST:
            return None
        self._added += 1
        return suggest.next_rate(_scores(self.trials, self.rungs[0].name))

    def _run_all(self, rung: Rung, rates: Sequence[float]) -> None:
        candidates = [
            Candidate(rate, rate, self.values.momentum, self.values.weight_decay, stage=rung.name)
            for rate in rates
        ]
        self._trials.run_rung(rung, 1 + self.rungs.index(rung), candidates, self._title)

    def _title(self, candidate: Candidate, *_: int) -> str:
        number = len(self.trials) + 1
        return f"trial {number} of at most {self._most_trials}, max_lr {candidate.max_lr:.3g}"


def rungs_of(bench: Workbench, candidates: int) -> list[Rung]:
    """Return the rungs of a confirmation of so many candidates, at most.

    The replicates of the second rung are new ones, because those of the first have chosen who
    takes part.
    """
    steps = first_steps(bench)
    return [
        Rung(candidates + suggest.FURTHEST, steps, 1, name="first"),
        Rung(_FINALISTS, _LONGER * steps, 2, first=1, name="final"),
    ]


def first_steps(bench: Workbench) -> int:
    """Return the length of the first round's trials.

    An eighth of the configured training, at least 30 steps, and no more than a range test takes:
    an epoch, within 100 and 300 steps.
    """
    share = round(training_steps(bench) * _SHARE_OF_TRAINING)
    return max(_FEWEST_STEPS, min(share, short_run_steps("auto", bench.steps_per_epoch)))


def has_normalisation(model: Any) -> bool:
    """Tell whether a network has batch, layer or group normalisation, at any depth."""
    return any(isinstance(layer, _NORMALISING) for layer in every_layer(model))


def _scores(trials: Sequence[Trial], stage: str) -> Scores:
    scores: Scores = {}
    for trial in trials:
        if trial.candidate.stage == stage:
            scores.setdefault(trial.candidate.value, []).append(trial.scored)
    return suggest.aligned(scores)


def _runs(rung: Rung) -> str:
    count = rung.replicates
    return f"{count} run{'' if count == 1 else 's'} of {rung.steps} steps"
