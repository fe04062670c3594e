"""The oracle again, by the compiled loop: every rate of a denser grid, eight seeds at each.

    python benchmarks/suggestions/compiled_oracle.py [NAME ...]
    python benchmarks/suggestions/compiled_oracle.py --check

Appends to compiled_oracle.csv beside this file, with the columns of oracle.csv, and does only what
is missing there: problem by problem, those that `compiled.can_be_compiled`. `--check` then compares
it with oracle.csv, whose runs Keras did, and writes compiled.json: how far the scores differ, what
a step takes in each, and what difference it makes to the regret of `find-lr`.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import compiled
import numpy as np
import oracle
import probes
import regret
from compiled import CompiledRuns, Run
from numpy.typing import NDArray
from problems import DEFAULTS, SCORED, TUNING, Problem

sys.path.insert(0, str(Path(__file__).parent.parent))
import record

FILE = Path(__file__).with_name("compiled_oracle.csv")
GRID = [10 ** (k / 8) for k in range(-32, 13)]
SEEDS = range(8)
EVERYWHERE = [Run(lr, seed) for lr in GRID for seed in SEEDS]
COMPARED = {"promising": 3, "best": 6}
"""Which rates are compared: those that Keras ran with so many seeds, see oracle.py."""

DRAWS = 2000
TIMED_STEPS, TIMES = 100, 3
PROBLEMS = [problem for problem in [*TUNING, *SCORED] if compiled.can_be_compiled(problem)]


def fill(problem: Problem, file: Path = FILE, wanted: Iterable[Run] = EVERYWHERE) -> None:
    """Carry out the runs that are missing in a file, and write a row for each."""
    done = _done(file, problem)
    missing = [run for run in wanted if (f"{run.lr:.6g}", str(run.seed)) not in done]
    if not missing:
        return
    print(problem.name, len(missing), "runs", flush=True)
    runs = CompiledRuns(problem)
    for run, found in zip(missing, runs.outcomes(missing), strict=True):
        row = {"problem": problem.name, "horizon": 1.0, "lr": f"{run.lr:.6g}", "seed": run.seed}
        oracle.append(file, row | found)
    runs.close()


def _done(file: Path, problem: Problem) -> set[tuple[str, str]]:
    """Return learning rate and seed of the runs that a file has."""
    if not file.exists():
        return set()
    with file.open() as lines:
        rows = list(csv.DictReader(lines))
    return {(row["lr"], row["seed"]) for row in rows if row["problem"] == problem.name}


def differences(problem: Problem) -> dict[str, Any]:
    """Return the difference at the promising rates, and at the best of them."""
    return {rates: difference(problem, fewest) for rates, fewest in COMPARED.items()}


def difference(problem: Problem, fewest: int) -> dict[str, Any]:
    """Return by how many points the compiled loop's scores are higher than those of Keras.

    The mean over the rates that Keras ran with so many seeds, and its 95 % interval from a
    bootstrap over the seeds of either side.
    """
    keras, ours = oracle.read()[problem.name], oracle.read(FILE, grid=GRID)[problem.name]
    places = [place for place, runs in keras.items() if len(runs) >= fewest]
    sides = [
        _by_seed([ours[GRID.index(oracle.GRID[place])] for place in places]),
        _by_seed([keras[place] for place in places]),
    ]
    means = [float(np.nanmean(scores, axis=1).mean()) for scores in sides]
    draw = np.random.default_rng(0)
    drawn = np.subtract(*(_drawn_means(scores, draw) for scores in sides))
    return {
        "rates": len(places),
        "points": means[0] - means[1],
        "interval": np.percentile(drawn, [2.5, 97.5]).tolist(),
    }


def _by_seed(runs: list[dict[int, float]]) -> NDArray[np.float64]:
    """Return scores of shape (rates, seeds), NaN where a seed was not run."""
    seeds = range(1 + max(max(scores) for scores in runs))
    return np.array([[scores.get(seed, np.nan) for seed in seeds] for scores in runs])


def _drawn_means(scores: NDArray[np.float64], draw: np.random.Generator) -> NDArray[np.float64]:
    """Return the mean over the rates with the seeds drawn anew, all rates alike, of shape (DRAWS,).

    A rate that was run with none of the seeds drawn counts as it is.
    """
    seeds = scores.shape[1]
    counts = draw.multinomial(seeds, [1 / seeds] * seeds, DRAWS)
    weights = counts @ ~np.isnan(scores).T
    means = counts @ np.nan_to_num(scores).T / np.maximum(weights, 1)
    return np.where(weights > 0, means, np.nanmean(scores, axis=1)).mean(axis=1)


def seconds_compiled(problem: Problem) -> list[float]:
    """Return what a step of one run takes, once the loop is compiled."""
    runs = CompiledRuns(problem)
    group = [Run(0.01, seed) for seed in range(compiled.GROUP)]

    def once() -> float:
        started = time.perf_counter()
        runs.train(group, TIMED_STEPS)
        return (time.perf_counter() - started) / (TIMED_STEPS * len(group))

    once()
    taken = [once() for _ in range(TIMES)]
    runs.close()
    return taken


def seconds_of_keras(problem: Problem) -> list[float]:
    """Return the same of Keras' `fit` on TensorFlow; runs in a process of its own."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    from onecycle_cli.engine.start import start_keras

    start_keras()
    runs = oracle.Runs(problem)
    share = TIMED_STEPS / (runs.bench.steps_per_epoch * problem.epochs)

    def once() -> float:
        started = time.perf_counter()
        steps = runs.run(0.01, 0, horizon=share)["steps"]
        return (time.perf_counter() - started) / steps

    once()
    return [once() for _ in range(TIMES)]


def regrets() -> dict[str, dict[str, float]]:
    """Return the mean regret of `find-lr` on the scored problems, by either oracle."""
    oracles = {"keras": regret.read(), "compiled": regret.read(FILE, GRID)}
    found: dict[str, dict[str, float]] = {}
    for problem in (p for p in PROBLEMS if p in SCORED):
        answers = [search.suggestion().value for search in probes.read(problem.name)]
        rates = [a if isinstance(a, float) else DEFAULTS[problem.optimizer] for a in answers]
        found[problem.name] = {
            side: float(np.mean([known[problem.name].regret(lr) for lr in rates]))
            for side, known in oracles.items()
        }
    found["mean"] = {
        side: float(np.mean([by_side[side] for by_side in found.values()])) for side in oracles
    }
    return found


def check() -> None:
    spawn = multiprocessing.get_context("spawn")
    by_problem: dict[str, Any] = {}
    for problem in PROBLEMS:
        with ProcessPoolExecutor(1, spawn) as other:
            keras = other.submit(seconds_of_keras, problem).result()
        by_problem[problem.name] = differences(problem) | {
            "seconds_a_step": {
                "compiled": record.spread(seconds_compiled(problem)),
                "keras": record.spread(keras),
            }
        }
        print(problem.name, by_problem[problem.name], flush=True)
    record.write(
        __file__,
        "points by which the compiled loop's runs score higher than Keras' own",
        {
            "mean_points": {
                rates: float(np.mean([found[rates]["points"] for found in by_problem.values()]))
                for rates in COMPARED
            },
            "problems": len(by_problem),
            "by_problem": by_problem,
            "regret_of_find_lr": regrets(),
        },
        str(Path(__file__).with_name("compiled.json")),
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="problems or tasks; all without")
    parser.add_argument("--check", action="store_true", help="compare with oracle.csv")
    asked = parser.parse_args()

    compiled.start_jax()
    for problem in PROBLEMS:
        if not asked.names or {problem.name, problem.task} & {*asked.names}:
            fill(problem)
    if asked.check:
        check()
