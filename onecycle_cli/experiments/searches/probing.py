"""A learning rate searched by probes: short, complete 1cycles, of which each says which is next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli import suggest
from onecycle_cli.engine.steering import optimizers
from onecycle_cli.experiments import hyper_parameters
from onecycle_cli.experiments.race.trials import Candidate, Trial, Trials, curves_table
from onecycle_cli.experiments.session import Session
from onecycle_cli.kinds import PROBES
from onecycle_cli.plugin_names import short
from onecycle_cli.runs.curve import Curve
from onecycle_cli.runs.files import Table, table_of
from onecycle_cli.suggest import (
    Estimate,
    Explosion,
    Family,
    LRFindings,
    Probe,
    Rung,
    SearchPlan,
)
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.cost import Cost, training_steps

_ADAPTIVE = ("beta_1", "rho")
_MANY_EPOCHS = 8
_SHARE_SEEN = 1 / 8


class Probing:
    """Runs probes on a model that is set up already, and suggests.

    Args:
        session: the model, to be rewound before each probe, and where to write.

    Attributes:
        plan: which probes are run, and how long they may take.
        shift: decades from the best rate of short trainings to that of the whole one.
        bounds: between which losses the model learns.
        curves: of range tests, of which there are none.
    """

    def __init__(self, session: Session) -> None:
        self.bench, self.values, self.observer = session.bench, session.values, session.observer
        family = family_of(self.bench.model.optimizer)
        self.plan, self.shift = plan_of(self.bench, family), family.shift
        self.bounds = self.bench.bounds
        self.curves: list[Curve] = []
        self._trials = Trials(
            self.bench,
            session.observer,
            session.journal,
            session.run.keep,
            stop_rule=self._explosion,
            judge=_held_out_or_last,
        )

    @property
    def trials(self) -> list[Trial]:
        """Every trial that is finished, in order."""
        return self._trials.done

    @property
    def probes(self) -> list[Probe]:
        """The same as the suggestion sees them."""
        return [self._probe(trial) for trial in self.trials]

    @property
    def replicates(self) -> int:
        """How many initial weights they start from: all from the same."""
        return 1

    @property
    def steps(self) -> int:
        """The steps of all probes so far."""
        return sum(len(trial.losses) for trial in self.trials)

    def announce(self) -> None:
        """Say what will be done, what it will cost, and what it can't see."""
        config = self.bench.config
        self.observer.note(
            f"{in_words(self.plan)}: {short(config.optimizer.name)}, momentum "
            f"{hyper_parameters.in_words(self.values.momentum)}, {config.optimizer.decay_kind} "
            f"weight decay {self.values.weight_decay:g}"
        )
        self.observer.note(Cost.forecast(self.bench, self.plan.budget))
        seen = self.plan.final_steps / self.bench.steps_per_epoch
        epochs = training_steps(self.bench) / self.bench.steps_per_epoch
        if epochs >= _MANY_EPOCHS and seen < _SHARE_SEEN * epochs:
            self.observer.note(
                f"the longest of them takes {seen:.2g} of {epochs:g} epochs, so overfitting can't "
                f"be seen; find-wd and train.early_finish are for that"
            )

    def carry_out(self) -> LRFindings:
        """Run the probes, and choose."""
        while (wave := self.plan.next_round(self.probes, self.bounds)) is not None:
            candidates = [
                Candidate(lr, lr, self.values.momentum, self.values.weight_decay, stage=wave.stage)
                for lr in wave.rates
            ]
            rung = Rung(len(candidates), wave.steps, 1, name=wave.stage)
            self._trials.run_rung(rung, 1, candidates, self._title)
        return LRFindings.of(
            suggest.suggest_from_probes(
                self.probes, self.plan, bounds=self.bounds, shift=self.shift
            )
        )

    def result(self, findings: LRFindings) -> dict[str, Any]:
        """Return what `result.json` says of the search."""
        return {
            "suggestion": findings.suggestion.as_dict(),
            "min_lr": findings.min_lr,
            "method": PROBES,
            "chance_loss": self.bounds.guessing,
            "floor": self.bounds.floor,
            "plan": suggest.plan_as_data(self.plan, self.shift),
        }

    def tables(self) -> dict[str, Table]:
        """Return `trials.csv` and `curves.csv`: every probe, and every step of it."""
        rows = suggest.rows_of(self.probes, self.bounds)
        return {
            "trials": table_of(suggest.COLUMNS, rows),
            "curves": curves_table(self.trials),
        }

    def _probe(self, trial: Trial) -> Probe:
        held_out = None
        if is_held_out(self.bench, trial.steps) and np.isfinite(trial.scored).all():
            held_out = Estimate.of(trial.scored)
        losses = np.asarray(trial.losses, float)
        stage = trial.candidate.stage
        return Probe(trial.candidate.max_lr, stage, trial.steps, losses, held_out)

    def _explosion(self) -> Explosion:
        return Explosion(self.bounds)

    def _title(self, candidate: Candidate, *_: int) -> str:
        number = len(self.trials) + 1
        return f"{candidate.stage} probe {number}, max_lr {candidate.max_lr:.3g}"


def _held_out_or_last(bench: Workbench, losses: Sequence[float]) -> NDArray[np.float64]:
    """Return losses of examples that a probe was not trained with; else its last ones."""
    if is_held_out(bench, len(losses)):
        return bench.examine("validation").losses
    return suggest.annealed(losses)


def is_held_out(bench: Workbench, steps: int) -> bool:
    """Tell whether a probe of so many steps is examined on examples that it never saw."""
    return steps > bench.steps_per_epoch and bench.dataset.validates


def plan_of(bench: Workbench, family: Family) -> SearchPlan:
    """Return how a learning rate is searched, as the configuration has it."""
    settings, training = bench.config.find_lr, training_steps(bench)
    given = tuple(sorted(settings.rates or ()))
    if settings.budget == "auto":
        budget = suggest.usual_budget(training)
    else:
        budget = round(settings.budget * training)
    budget = max(budget, suggest.least_budget(len(given)))
    lowest, highest = (given[0], given[-1]) if given else (settings.min_lr, settings.max_lr)
    first = min(max(family.first, lowest), highest)
    return SearchPlan(budget, first, lowest, highest, given)


def family_of(optimizer: Any) -> Family:
    """Return what is known beforehand of learning rates for an optimizer."""
    optimizer = optimizers.core(optimizer)
    names = [part.__name__ for part in type(optimizer).__mro__]
    return suggest.family_of(names, adapts=any(hasattr(optimizer, name) for name in _ADAPTIVE))


def in_words(plan: SearchPlan) -> str:
    """Say what a search does."""
    if plan.given:
        rates = ", ".join(f"{rate:.3g}" for rate in plan.given)
        return f"complete 1cycles of {plan.given_steps} steps to max_lr {rates}"
    return (
        f"complete 1cycles of {plan.ladders[0]} steps around max_lr {plan.first:.3g}, further if "
        f"that is better, within {plan.lowest:g} and {plan.highest:g}; then three or four of "
        f"{plan.final_steps} steps around the best"
    )
