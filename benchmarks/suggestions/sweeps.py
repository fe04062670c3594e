"""Record range tests on every problem: raw losses, many seeds, over each tool's own range.

    python benchmarks/suggestions/sweeps.py [NAME ...]

Writes sweeps/NAME.npz beside this file, an array of losses of shape (seeds, steps) for each range;
after the first loss that is not finite a row is NaN. No sweep is stopped early: every tool's stop
rule is applied afterwards, to the raw losses. What exists is not recorded again.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from problems import PROBLEMS, Problem

FOLDER = Path(__file__).with_name("sweeps")
FIRST_SEED = 1000  # far from those of the oracle


@dataclass(frozen=True)
class Range:
    """Where a range test begins and ends, and how often it is repeated.

    Attributes:
        low: first learning rate.
        high: last one.
        seeds: number of sweeps.
        steps: in a sweep; `None`: one epoch, at least 100 and at most 300.
    """

    low: float
    high: float
    seeds: int
    steps: int | None = 100

    def lrs(self, count: int) -> np.ndarray:
        """Return the learning rates of `count` steps."""
        return np.geomspace(self.low, self.high, count)


RANGES = {
    "onecycle": Range(1e-5, 10.0, 18, None),
    "fastai": Range(1e-7, 10.0, 6),  # torch-lr-finder's users start there, too
    "lightning": Range(1e-8, 1.0, 6),
}


def read(problem: str) -> dict[str, list[tuple[np.ndarray, np.ndarray]]]:
    """Return learning rates and losses of each seed, by range; NaN where it broke off."""
    with np.load(_file(problem)) as stored:
        return {
            name: [(wanted.lrs(stored[name].shape[1]), row) for row in stored[name].astype(float)]
            for name, wanted in RANGES.items()
        }


def chance(problem: str) -> float:
    """Return the loss of always giving the same best answer."""
    with np.load(_file(problem)) as stored:
        return float(stored["chance"])


def record(problem: Problem) -> None:
    from onecycle_cli.callbacks.lr_finder import LRFinder
    from onecycle_cli.config import load_config
    from onecycle_cli.engine.steering import names
    from onecycle_cli.observer import Observer
    from onecycle_cli.workbench.bench import Workbench
    from onecycle_cli.workbench.cost import short_run_steps

    bench = Workbench(load_config(problem.config()), Observer())
    found = {}
    for name, wanted in RANGES.items():
        steps = wanted.steps or short_run_steps("auto", bench.steps_per_epoch)
        losses = np.full((wanted.seeds, steps), np.nan, np.float32)
        for seed in range(wanted.seeds):
            finder = LRFinder(
                min_lr=wanted.low,
                max_lr=wanted.high,
                stopping_criterion_factor=None,
                num_steps=steps,
                restore=False,
                verbose=False,
            )
            bench.rewind(FIRST_SEED + seed)
            bench.assign({names.MOMENTUM: 0.9, bench.decay_name: problem.weight_decay})
            bench.train(steps, [finder], replicate=FIRST_SEED + seed)
            losses[seed, : len(finder.losses)] = finder.losses
        found[name] = losses
    found["chance"] = np.array(bench.chance)
    bench.close()
    FOLDER.mkdir(exist_ok=True)
    np.savez_compressed(_file(problem.name), **found)


def _file(name: str) -> Path:
    return FOLDER / f"{name.replace('/', '-').replace(' ', '-')}.npz"


if __name__ == "__main__":
    from onecycle_cli.engine.start import start_keras

    start_keras()
    for problem in PROBLEMS.values():
        asked = not sys.argv[1:] or problem.name in sys.argv or problem.task in sys.argv
        if asked and not _file(problem.name).exists():
            print(problem.name, flush=True)
            record(problem)
