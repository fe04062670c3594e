"""Optuna: its sampler TPE, with complete trials, and with its pruners ASHA and Hyperband."""

from __future__ import annotations

import optuna
import recipe
from problems import Problem
from searchers import space
from searchers.space import Found
from searchers.trainings import NINTHS, Trainings, Trial

RUNGS = 1, 3
"""Ninths of the cycle at which a trial may be pruned, as a reduction by 3 has them."""


def tpe(problem: Problem, trainings: Trainings, search: int, runs: int) -> Found:
    return _searched(problem, trainings, search, runs, optuna.pruners.NopPruner())


def asha(problem: Problem, trainings: Trainings, search: int, runs: int) -> Found:
    pruner = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
    return _searched(problem, trainings, search, runs, pruner)


def hyperband(problem: Problem, trainings: Trainings, search: int, runs: int) -> Found:
    pruner = optuna.pruners.HyperbandPruner(1, NINTHS, reduction_factor=3)
    return _searched(problem, trainings, search, runs, pruner)


def _searched(problem: Problem, trainings: Trainings, search: int, runs: int, pruner: optuna.pruners.BasePruner) -> Found:  # fmt: skip # noqa: E501
    """Begin trials as long as a complete one is within the budget; return the best complete one."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(
        study_name=f"{problem.name} {search}",  # from which the brackets follow
        direction="maximize",
        sampler=optuna.samplers.TPESampler(seed=space.seed(problem, search)),
        pruner=pruner,
    )
    while trainings.spent + trainings.whole <= runs * trainings.whole:
        asked = study.ask()
        trial = Trial(_suggested(asked, problem), seed=100 * search + asked.number)
        if isinstance(pruner, optuna.pruners.NopPruner) or not _pruned(asked, trial, trainings):
            study.tell(asked, trainings.train(trial))
        else:
            study.tell(asked, state=optuna.trial.TrialState.PRUNED)
    best = study.best_params
    return space.choice(best["lr"], best["momentum"], best["decay"]), len(study.trials)


def _suggested(asked: optuna.Trial, problem: Problem) -> recipe.Choice:
    return space.choice(
        asked.suggest_float("lr", *space.RATES, log=True),
        asked.suggest_float("momentum", *space.MOMENTA),
        asked.suggest_float("decay", *space.decays(problem), log=True),
    )


def _pruned(asked: optuna.Trial, trial: Trial, trainings: Trainings) -> bool:
    """Train from rung to rung; tell whether the trial is to end at one."""
    for rung in RUNGS:
        asked.report(trainings.train(trial, rung), rung)
        if asked.should_prune():
            return True
    return False
