"""A learning rate searched by probes: short, complete 1cycles, of which each says which is next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli import suggest
from onecycle_cli.engine.steering import optimizers
from onecycle_cli.experiments.hyper_parameters.values import in_words
from onecycle_cli.experiments.searches.jobs import Candidate, Rules
from onecycle_cli.experiments.searches.search import ByProbes, Probes, is_held_out
from onecycle_cli.experiments.searches.trials import curves_table
from onecycle_cli.experiments.session import Session
from onecycle_cli.kinds import PROBES
from onecycle_cli.plugin_names import short
from onecycle_cli.runs.curve import Curve
from onecycle_cli.runs.files import Table, table_of
from onecycle_cli.suggest import Explosion, Family, LRFindings, Round, SearchPlan, Suggestion
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.cost import Cost, training_steps

_ADAPTIVE = ("beta_1", "rho")
_MANY_EPOCHS = 8
_SHARE_SEEN = 1 / 8


class Probing(ByProbes):
    """Searches a learning rate by probes, on a model that is set up already.

    Args:
        session: the model, to be rewound before each probe, and where to write.

    Attributes:
        plan: which probes are run, and how long they may take.
        shift: decades from the best rate of short trainings to that of the whole one.
        bounds: between which losses the model learns.
        curves: of range tests, of which there are none.
        replicates: from how many initial weights probes start: all from the same.
    """

    replicates = 1

    def __init__(self, session: Session) -> None:
        self.bench, self.values, self.observer = session.bench, session.values, session.observer
        family = family_of(self.bench.model.optimizer)
        self.plan, self.shift = plan_of(self.bench, family), family.shift
        self.bounds = self.bench.bounds
        self.curves: list[Curve] = []
        self._probes = Probes(
            session,
            self.plan,
            self._candidate,
            lambda candidate: f"max_lr {candidate.max_lr:.3g}",
            bounds=self.bounds,
            rules=Rules(partial(Explosion, self.bounds), _held_out_or_last),
        )

    def announce(self) -> None:
        """Say what will be done, what it will cost, and what it can't see."""
        config = self.bench.config
        if self.plan.usual is not None:
            self.observer.note(
                f"a quick search: at most {self.plan.budget} steps where {self.plan.usual} are "
                f"usual"
            )
        self.observer.note(
            f"{_plan_in_words(self.plan)}: {short(config.optimizer.name)}, momentum "
            f"{in_words(self.values.momentum)}, {config.optimizer.decay_kind} "
            f"weight decay {self.values.weight_decay:g}"
        )
        self.observer.note(Cost.forecast(self.bench, self.plan.most_steps))
        self.observer.expect(self.plan.most_steps)
        seen = self.plan.final_steps / self.bench.steps_per_epoch
        epochs = training_steps(self.bench) / self.bench.steps_per_epoch
        if epochs >= _MANY_EPOCHS and seen < _SHARE_SEEN * epochs:
            self.observer.note(
                f"the longest of them takes {seen:.2g} of {epochs:g} epochs, so overfitting can't "
                f"be seen; to limit it, use find-wd or train.early_finish"
            )

    def carry_out(self, after_round: Callable[[], None]) -> LRFindings:
        """Run the probes, and choose."""
        probes = self._probes.carry_out(after_round)
        return LRFindings.of(
            suggest.suggest_from_probes(probes, self.plan, bounds=self.bounds, shift=self.shift)
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
            "caveats": self._caveats(findings.suggestion),
        }

    def tables(self) -> dict[str, Table]:
        """Return `trials.csv` and `curves.csv`: every probe, and every step of it."""
        rows = suggest.rows_of(self._probes.done, self.bounds)
        return {
            "trials": table_of(suggest.COLUMNS, rows),
            "curves": curves_table(self.trials),
        }

    def _caveats(self, found: Suggestion) -> list[str]:
        """Return what makes the suggestion less than it seems."""
        return [] if self.plan.usual is None else [suggest.in_a_hurry(self.plan, found)]

    def _candidate(self, wave: Round, lr: float) -> Candidate:
        return Candidate(lr, lr, self.values.momentum, self.values.weight_decay, wave.stage)


def _held_out_or_last(bench: Workbench, losses: Sequence[float]) -> NDArray[np.float64]:
    """Return losses of examples that a probe was not trained with; else its last ones."""
    if is_held_out(bench, len(losses)):
        return bench.examine("validation").losses
    return suggest.annealed(losses)


def plan_of(bench: Workbench, family: Family) -> SearchPlan:
    """Return how a learning rate is searched, as the configuration has it."""
    settings, training = bench.config.find_lr, training_steps(bench)
    given = tuple(sorted(settings.rates or ()))
    usual = max(suggest.usual_budget(training), suggest.least_budget(len(given)))
    match settings.budget:
        case "auto":
            budget = usual
        case "quick":
            budget = suggest.quick_budget(training)
        case runs:
            budget = round(runs * training)
    budget = max(budget, suggest.least_budget(len(given)))
    is_quick = settings.budget == "quick" and budget < usual
    lowest, highest = (given[0], given[-1]) if given else (settings.min_lr, settings.max_lr)
    first = min(max(family.first, lowest), highest)
    return SearchPlan(budget, first, lowest, highest, given, usual if is_quick else None)


def family_of(optimizer: Any) -> Family:
    """Return what is known beforehand of learning rates for an optimizer."""
    names = [part.__name__ for part in type(optimizers.core(optimizer)).__mro__]
    return suggest.family_of(names, adapts=adapts(optimizer))


def adapts(optimizer: Any) -> bool:
    """Tell whether it divides each step by the size of the gradients, as Adam and RMSprop do."""
    return any(hasattr(optimizers.core(optimizer), name) for name in _ADAPTIVE)


def _plan_in_words(plan: SearchPlan) -> str:
    """Say what a search does."""
    if plan.given:
        rates = ", ".join(f"{rate:.3g}" for rate in plan.given)
        return f"complete 1cycles of {plan.given_steps} steps to max_lr {rates}"
    return (
        f"complete 1cycles of {plan.ladders[0]} steps around max_lr {plan.first:.3g}, further if "
        f"that is better, within {plan.lowest:g} and {plan.highest:g}; then three or four of "
        f"{plan.final_steps} steps around the best"
    )
