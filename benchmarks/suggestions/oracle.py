"""What every learning rate is really worth: complete 1cycle runs over a dense grid, several seeds.

    python benchmarks/suggestions/oracle.py [NAME ...] [--horizon 1]

Appends to oracle.csv beside this file, a row a run, and does only what is missing there, so it can
be stopped and started at any time, and several can run at once on different problems.
The grid has four learning rates a decade. First every second one is tried with one seed; then all
next to one that comes within `PROMISING` points of the best, with three seeds; then those within
`CLOSE` points with six. A score is in points on the test part: accuracy in percent, which is that
of all labels together where there are several, or, of a regression, the percentage of the variance
that is explained, in all columns together; a run that breaks off scores chance.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Container, Iterator, Sequence
from pathlib import Path

import numpy as np
from problems import NEW, PROBLEMS, SCORED, TUNING, Problem

FILE = Path(__file__).with_name("oracle.csv")
COLUMNS = ("problem", "horizon", "lr", "seed", "test", "validation", "training_loss", "steps")
GRID = [10 ** (k / 4) for k in range(-16, 7)]
PROMISING, CLOSE = 6.0, 1.0

Scores = dict[int, dict[int, float]]
"""Test score by position in the grid and seed."""


class Runs:
    """Complete 1cycle runs of one problem, on one compiled model."""

    def __init__(self, problem: Problem) -> None:
        from onecycle_cli.config import load_config
        from onecycle_cli.observer import Observer
        from onecycle_cli.workbench.bench import Workbench

        self.bench = Workbench(load_config(problem.config()), Observer())
        self.epochs = problem.epochs
        self.decay = problem.weight_decay
        self.floor = chance(self.bench.dataset)

    def run(self, lr: float, seed: int, *, horizon: float = 1.0, momentum: tuple[float, float] = (0.95, 0.85), weight_decay: float | None = None) -> dict[str, float]:  # fmt: skip # noqa: E501
        """Train once with the given peak and return the scores."""
        from onecycle_cli.callbacks.recorded_cycle import RecordedCycle

        decay = self.decay if weight_decay is None else weight_decay
        cycle = RecordedCycle(
            constants={self.bench.decay_name: decay},
            max_lr=lr,
            maximum_momentum=momentum[0],
            minimum_momentum=momentum[1],
        )
        steps = max(10, round(self.bench.steps_per_epoch * self.epochs * horizon))
        self.bench.rewind(seed)
        self.bench.train(steps, [cycle], replicate=seed)
        losses = np.array(cycle.log.losses)
        broke = cycle.stop_reason is not None
        return {
            "test": self.floor if broke else self.score("test"),
            "validation": self.floor if broke else self.score("validation"),
            "training_loss": float("inf") if broke else float(losses[-len(losses) // 5 :].mean()),
            "steps": len(losses),
        }

    def score(self, part: str) -> float:
        """Return the points of the model as it is, at least those of chance."""
        value = points(self.bench.examine(part), self.bench.dataset.y)
        return max(self.floor, value) if np.isfinite(value) else self.floor

    def close(self) -> None:
        self.bench.close()


def points(found, targets: np.ndarray) -> float:
    """Return accuracy in percent, or the share of the variance of all targets that is explained.

    Args:
        found: the examination of a model.
        targets: of all examples, of shape (n,) or (n, columns).
    """
    if found.accuracy is not None:
        return 100 * found.accuracy
    return 100 * (1 - found.loss / float(np.var(targets, axis=0).mean()))


def chance(dataset) -> float:
    """Return the score of always giving the same answer."""
    if dataset.task == "regression":
        return 0.0
    if dataset.task == "multilabel":
        ones = dataset.y.mean(axis=0)
        return 100 * float(np.maximum(ones, 1 - ones).mean())
    return 100 * float(np.bincount(dataset.y).max()) / len(dataset.y)


def read(file: Path = FILE, horizon: float = 1.0, column: str = "test", grid: Sequence[float] = GRID) -> dict[str, Scores]:  # fmt: skip # noqa: E501
    """Return the scores by problem, position in the grid and seed."""
    places = {f"{lr:.6g}": place for place, lr in enumerate(grid)}
    found: dict[str, Scores] = defaultdict(lambda: defaultdict(dict))
    if file.exists():
        with file.open() as lines:
            for row in csv.DictReader(lines):
                if float(row["horizon"]) == horizon:
                    place = places[row["lr"]]
                    found[row["problem"]][place][int(row["seed"])] = float(row[column])
    return found


def mean_over(runs: dict[int, float], seeds: Container[int]) -> float:
    """Return the mean score of these seeds; of all, where none of them was run."""
    return float(np.mean([s for seed, s in runs.items() if seed in seeds] or [*runs.values()]))


def missing(scores: Scores) -> Iterator[tuple[int, int]]:
    """Yield (position, seed) of the runs to do next, going by those that there are."""
    yield from ((place, 0) for place in range(0, len(GRID), 2) if 0 not in scores.get(place, {}))
    means = {place: np.mean(list(runs.values())) for place, runs in scores.items()}
    best = max(means.values())
    good = {place for place, mean in means.items() if mean > best - PROMISING}
    near = {p + d for p in good for d in (-1, 0, 1) if 0 <= p + d < len(GRID)}
    yield from _lacking(scores, near, 3)
    means = {place: np.mean(list(scores[place].values())) for place in near}
    close = {place for place, mean in means.items() if mean > max(means.values()) - CLOSE}
    yield from _lacking(scores, close, 6)


def _lacking(scores: Scores, places: set[int], seeds: int) -> Iterator[tuple[int, int]]:
    for place in sorted(places):
        yield from ((place, seed) for seed in range(seeds) if seed not in scores.get(place, {}))


def fill(problem: Problem, horizon: float, file: Path) -> None:
    scores = read(file, horizon)[problem.name]
    runs = None
    for place, seed in missing(scores):
        runs = runs or Runs(problem)
        found = runs.run(GRID[place], seed, horizon=horizon)
        scores[place][seed] = found["test"]
        append(file, {"problem": problem.name, "horizon": horizon, "lr": f"{GRID[place]:.6g}", "seed": seed, **found})  # fmt: skip # noqa: E501
    if runs is not None:
        runs.close()


def append(file: Path, row: dict, columns: Sequence[str] = COLUMNS) -> None:
    """Add a row in one write, so that a kill leaves whole lines; keys beyond the columns drop."""
    new = not file.exists()
    with file.open("a", newline="") as lines:
        table = csv.DictWriter(lines, columns, extrasaction="ignore")
        if new:
            table.writeheader()
        table.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="problems or tasks; all without")
    parser.add_argument("--horizon", type=float, default=1.0, help="share of the training's length")
    parser.add_argument("--file", type=Path, default=FILE)
    asked = parser.parse_args()

    from onecycle_cli.engine.start import start_keras

    start_keras()
    for problem in [*TUNING, *SCORED, *NEW]:
        if not asked.names or problem.name in asked.names or problem.task in asked.names:
            print(problem.name, flush=True)
            fill(PROBLEMS[problem.name], asked.horizon, asked.file)
