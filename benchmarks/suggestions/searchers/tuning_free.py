"""No search at all: optimizers that are to need no learning rate, by their own defaults.

    pip install prodigyopt==1.1.2 schedulefree==1.4.1 torch
    python benchmarks/suggestions/searchers/tuning_free.py [TASK ...]

Appended to searches.csv beside this file, a row a training; what is there is not done again. These
optimizers are PyTorch's. So Keras runs on PyTorch, and a plain loop takes the place of `fit`: the
same network, data, order of the batches, number of steps and seeds as in recipe.py.

- Prodigy at its defaults, and with the cosine annealing that its authors advise as the alternative.
- Schedule-free AdamW at its defaults. Before it is scored, 50 batches renew the statistics of batch
  normalisation, as its authors say.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
import compiled
import oracle
import recipe
from problems import Problem
from searchers import searches

PRODIGY, ANNEALED, SCHEDULE_FREE = "Prodigy", "Prodigy, annealed", "schedule-free AdamW"
NAMES = PRODIGY, ANNEALED, SCHEDULE_FREE
RENEWING = 50
"""Batches that renew the statistics of batch normalisation."""


def fill(problem: Problem) -> None:
    """Do what is missing of a problem."""
    from onecycle_cli.config import load_config
    from onecycle_cli.observer import Observer
    from onecycle_cli.workbench.bench import Workbench

    bench = Workbench(load_config(compiled.on_logits(problem)), Observer())
    steps, floor = bench.steps_per_epoch * problem.epochs, oracle.chance(bench.dataset)
    there = searches.read()
    for name in NAMES:
        for seed in recipe.SEEDS:
            about = {"problem": problem.name, "searcher": name, "search": 0, "seed": seed}
            if tuple(about.values()) in there:
                continue
            train(bench, name, seed, steps)
            row = about | {"search_steps": 0, "run_steps": steps}
            for part in ("validation", "test"):
                row[part] = max(floor, oracle.points(bench.examine(part), bench.dataset.y))
            oracle.append(searches.FILE, row, searches.COLUMNS)
            print(row, flush=True)
    bench.close()


def train(bench: Any, name: str, seed: int, steps: int) -> None:
    """Train the model of the bench from the start."""
    import torch

    from onecycle_cli import data

    bench.rewind(seed)
    weights = [variable.value for variable in bench.model.trainable_variables]
    optimizer, after_step = _made(name, weights, steps)
    size = bench.config.batch_size
    batches = data.Batches(bench.dataset, seed=seed, batch_size=size, num_steps=steps)
    loss_of = bench.objective.per_example()
    for x, y in _tensors(batches, steps):
        optimizer.zero_grad()
        loss_of(y, bench.model(x, training=True)).mean().backward()
        optimizer.step()
        after_step()
    if name == SCHEDULE_FREE:
        optimizer.eval()
        with torch.no_grad():
            for x, _ in _tensors(batches, RENEWING):
                bench.model(x, training=True)


def _made(name: str, weights: list[Any], steps: int) -> tuple[Any, Callable[[], Any]]:
    """Return the optimizer, ready to train, and what to do after each step."""
    if name == SCHEDULE_FREE:
        from schedulefree import AdamWScheduleFree

        optimizer = AdamWScheduleFree(weights)
        optimizer.train()
        return optimizer, lambda: None
    from prodigyopt import Prodigy
    from torch.optim.lr_scheduler import CosineAnnealingLR

    optimizer = Prodigy(weights)
    return optimizer, CosineAnnealingLR(optimizer, steps).step if name == ANNEALED else lambda: None


def _tensors(batches: Any, number: int) -> Iterable[tuple[Any, Any]]:
    import torch

    for i in range(number):
        x, y = batches[i][:2]
        yield torch.as_tensor(x), torch.as_tensor(y)


if __name__ == "__main__":
    os.environ["KERAS_BACKEND"] = "torch"
    from onecycle_cli.engine.start import start_keras

    start_keras()
    for problem in recipe.first_variants():
        if not sys.argv[1:] or problem.task in sys.argv:
            fill(problem)
