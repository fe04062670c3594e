"""What the stages of a recipe are going to take."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from onecycle_cli.experiments import find_momentum, find_wd
from onecycle_cli.experiments.searches.jobs import scored_on
from onecycle_cli.experiments.searches.rates import family_of, plan_of
from onecycle_cli.experiments.searches.search import is_held_out
from onecycle_cli.kinds import FIND_LR, FIND_MOMENTUM, FIND_WD, PROBES, TRAIN
from onecycle_cli.suggest import ComparisonPlan, Plan
from onecycle_cli.workbench.cost import Cost, resolved_steps, training_steps

if TYPE_CHECKING:
    from onecycle_cli.experiments.recipe.pace import Pace
    from onecycle_cli.workbench.bench import Workbench


@dataclass(frozen=True)
class Work:
    """What a stage does, at most.

    Attributes:
        steps: training steps.
        starts: calls to `fit`, each from a rewound model.
        replicates: those of them with other initial weights.
        validations: passes over the validation split.
        savings: how often the model is written.
    """

    steps: int
    starts: int = 1
    replicates: int = 0
    validations: int = 0
    savings: int = 0

    def __add__(self, other: Work) -> Work:
        """Return the work of both."""
        return Work(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))

    def seconds(self, pace: Pace) -> float:
        """Return what it takes; each stage draws one picture."""
        return (
            self.steps * pace.step
            + self.starts * pace.start
            + self.replicates * pace.replicate
            + self.validations * pace.validation
            + self.savings * pace.saving
            + pace.drawing
        )


def forecast(bench: Workbench, pace: Pace, stage: str) -> Cost:
    """Return what a stage is going to cost, at most."""
    work = _WORK[stage](bench)
    return Cost.of(bench, work.steps, work.seconds(pace))


def _find_lr(bench: Workbench) -> Work:
    settings = bench.config.find_lr
    if settings.method == PROBES:
        return _probes(bench)
    steps = resolved_steps(bench, "find_lr")
    return Work(settings.repeats * steps, settings.repeats, settings.repeats - 1)


def _probes(bench: Workbench) -> Work:
    return _course(bench, plan_of(bench, family_of(bench.model.optimizer)))


def _find_wd(bench: Workbench) -> Work:
    return _comparison(bench, find_wd.plan_of(bench))


def _find_momentum(bench: Workbench) -> Work:
    return _comparison(bench, find_momentum.plan_of(bench))


def _comparison(bench: Workbench, plan: ComparisonPlan) -> Work:
    scored_on(bench, plan.steps)  # refuses what could not be judged
    return _course(bench, plan)


def _course(bench: Workbench, plan: Plan) -> Work:
    rounds = plan.longest_course()
    return Work(
        plan.most_steps,
        starts=sum(len(wave.values) for wave in rounds),
        replicates=sum(len(wave.values) for wave in rounds if wave.replicate > 0),
        validations=sum(len(wave.values) for wave in rounds if is_held_out(bench, wave.steps)),
    )


def _train(bench: Workbench) -> Work:
    epochs = sum(cycle.epochs for cycle in bench.config.train.cycles)
    return Work(
        steps=training_steps(bench),
        starts=len(bench.config.train.cycles),
        validations=epochs + 1,
        savings=epochs + 1,
    )


_WORK = {
    FIND_LR.name: _find_lr,
    FIND_WD.name: _find_wd,
    FIND_MOMENTUM.name: _find_momentum,
    TRAIN.name: _train,
}
