"""Other searchers at the budget of ours: what they choose, and what it is worth.

    pip install optuna==5.0.0 keras-tuner==1.4.8
    python benchmarks/suggestions/searchers/searches.py [TASK ...]

On the first variant of each scored task, appended to searches.csv beside this file, a row a
complete training with values that were chosen; what is there is not done again. Each search is done
with several seeds. It draws from the space of `recipe.random_search`, each trial is a 1cycle run
with a seed of its own, judged on the validation part, and the best one is trained again with the
seeds of recipe.py and scored on the test part.

A budget is in training steps, those of so many complete runs; what validation takes does not count,
as it does not for recipe.py's random search. A trial that may be stopped trains along the schedule
of a complete run, and is judged when a ninth and a third of it are done.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import compiled
import oracle
import recipe
from problems import Problem

FILE = Path(__file__).with_name("searches.csv")
COLUMNS = ("problem", "searcher", "search", "seed", "lr", "momentum_max", "momentum_min", "weight_decay", "trials", "search_steps", "run_steps", "validation", "test")  # fmt: skip # noqa: E501
SEARCHES = 5
SEARCHERS = {
    "Optuna TPE": ("by_optuna", "tpe", 3),
    "Optuna TPE, ASHA": ("by_optuna", "asha", 3),
    "Optuna TPE, Hyperband": ("by_optuna", "hyperband", 3),
    "KerasTuner Hyperband": ("by_keras_tuner", "hyperband", 3),
    "Optuna TPE, 12 runs": ("by_optuna", "tpe", 12),
}
"""Module, function, and the budget in complete training runs; ours takes 2.5 to 2.9."""


def fill(problem: Problem, searches: int) -> None:
    """Do what is missing of a problem: first one search of each searcher, then another one."""
    from searchers.trainings import ByKeras, Compiled

    trainings = (Compiled if compiled.can_be_compiled(problem) else ByKeras)(problem)

    @cache  # as two searchers often choose the same
    def trained(choice: tuple[tuple[str, float], ...], seed: int) -> dict[str, float]:
        return recipe.trained(trainings, recipe.Choice(choice), seed)

    for search in range(searches):
        for searcher, (module, function, runs) in SEARCHERS.items():
            there = read()
            lacking = [s for s in recipe.SEEDS if (problem.name, searcher, search, s) not in there]
            if not lacking:
                continue
            trainings.spent = 0
            look = getattr(import_module(f"searchers.{module}"), function)
            choice, trials = look(problem, trainings, search, runs)
            about = {"problem": problem.name, "searcher": searcher, "search": search}
            about |= choice | {"trials": trials, "search_steps": trainings.spent}
            for seed in lacking:
                row = about | {"seed": seed} | trained(tuple(choice.items()), seed)
                oracle.append(FILE, row, COLUMNS)
                print(row, flush=True)
    trainings.close()


def read() -> dict[tuple[str, str, int, int], dict[str, str]]:
    """Return the trainings by problem, searcher, number of the search and seed."""
    if not FILE.exists():
        return {}
    with FILE.open() as lines:
        rows = [*csv.DictReader(lines)]
    return {(r["problem"], r["searcher"], int(r["search"]), int(r["seed"])): r for r in rows}


def fill_elsewhere(problem: Problem, searches: int) -> None:
    """Fill in a process of its own, as not all problems have the same backend."""
    options = [problem.task, "--searches", str(searches)]
    subprocess.run([sys.executable, __file__, *options], check=True)


def start(problem: Problem) -> None:
    """Start Keras on what the problem is trained with."""
    from onecycle_cli.engine.start import start_keras

    compiled.start_jax() if compiled.can_be_compiled(problem) else start_keras()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("tasks", nargs="*", help="all without")
    parser.add_argument("--searches", type=int, default=SEARCHES, help="by each searcher")
    asked = parser.parse_args()
    chosen = [p for p in recipe.first_variants() if not asked.tasks or p.task in asked.tasks]
    for problem in chosen:
        if len(chosen) > 1:
            fill_elsewhere(problem, asked.searches)
        else:
            start(problem)
            fill(problem, asked.searches)
