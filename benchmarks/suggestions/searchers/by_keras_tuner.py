"""KerasTuner's Hyperband: its oracle, which says what to train and how far, without its tuner."""

from __future__ import annotations

import tempfile

import keras_tuner
import recipe
from problems import Problem
from searchers import space
from searchers.space import Found
from searchers.trainings import NINTHS, Trainings, Trial


def hyperband(problem: Problem, trainings: Trainings, search: int, runs: int) -> Found:
    """Do the oracle's trials as long as they are within the budget; return its best one.

    A trial that it takes up goes on with its own weights and optimizer, as with its tuner. A few
    steps more than the budget are allowed, as a ninth of a run may not be a whole number of steps.
    """
    with tempfile.TemporaryDirectory() as folder:
        oracle = _oracle(problem, search)
        oracle._set_project_dir(folder, "search")
        oracle.verbose = 0
        begun: dict[str, Trial] = {}
        while (asked := oracle.create_trial("tuner")).status == "RUNNING":
            values = asked.hyperparameters.values
            until, before = values["tuner/epochs"], values["tuner/initial_epoch"]
            needed = trainings.whole * (until - before) / NINTHS
            if trainings.spent + needed > runs * trainings.whole + NINTHS:
                break
            earlier = begun.get(values.get("tuner/trial_id", ""))
            trial = earlier or Trial(_chosen(values), seed=100 * search + len(begun))
            begun[asked.trial_id] = trial
            oracle.update_trial(asked.trial_id, {"score": trainings.train(trial, until)})
            asked.status = "COMPLETED"
            oracle.end_trial(asked)
        best = oracle.get_best_trials(1)[0]
        return _chosen(best.hyperparameters.values), len({id(trial) for trial in begun.values()})


def _oracle(problem: Problem, search: int) -> keras_tuner.Oracle:
    values = keras_tuner.HyperParameters()
    values.Float("lr", *space.RATES, sampling="log")
    values.Float("momentum", *space.MOMENTA)
    values.Float("decay", *space.decays(problem), sampling="log")
    return keras_tuner.oracles.HyperbandOracle(
        objective=keras_tuner.Objective("score", "max"),
        max_epochs=NINTHS,
        factor=3,
        seed=space.seed(problem, search),
        hyperparameters=values,
    )


def _chosen(values: dict[str, float]) -> recipe.Choice:
    return space.choice(values["lr"], values["momentum"], values["decay"])
