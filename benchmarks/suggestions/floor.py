"""What complete trainings as trials reach: a grid of them, or a few at random learning rates.

They are the runs of the oracle, chosen by the validation part with one seed, and scored on the test
part with the others.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import oracle

SEEDS = range(6)


@lru_cache
def _validation() -> dict[str, oracle.Scores]:
    return oracle.read(column="validation")


def of_grid(problem: str, seeds: int) -> list[float]:
    """Return the rates that score best on validation, the mean of so many seeds counting.

    One for each of six seeds to begin with. Where a rate was not run with a seed, because it is far
    from the best, the seeds that it was run with count.
    """
    scores = _validation()[problem]
    found = []
    for first in SEEDS:
        wanted = {(first + k) % len(SEEDS) for k in range(seeds)}
        means = {place: oracle.mean_over(runs, wanted) for place, runs in scores.items()}
        found.append(oracle.GRID[max(means, key=lambda place: means[place])])
    return found


def of_random(problem: str, trials: int) -> list[float]:
    """Return the best on validation of so many rates drawn at random; six times."""
    scores = _validation()[problem]
    draw = np.random.default_rng(sum(problem.encode()) + trials)
    places = sorted(scores)
    x = np.log10([oracle.GRID[place] for place in places])
    found = []
    for seed in SEEDS:
        means = [oracle.mean_over(scores[place], {seed}) for place in places]
        drawn = draw.uniform(-5, 1, trials)
        found.append(float(10 ** max(drawn, key=lambda at: np.interp(at, x, means))))
    return found


def of_training_loss(problem: str) -> float:
    """Return the rate at which complete trainings reach the lowest training loss on average."""
    losses = _training_losses()[problem]
    return oracle.GRID[min(losses, key=lambda place: oracle.mean_over(losses[place], SEEDS))]


@lru_cache
def _training_losses() -> dict[str, oracle.Scores]:
    return oracle.read(column="training_loss")


def size(problem: str) -> int:
    """Return how many rates the grid has."""
    return len(_validation()[problem])
