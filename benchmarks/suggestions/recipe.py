"""The whole recipe against random search, the framework's defaults, and keras-one-cycle's protocol.

    python benchmarks/suggestions/recipe.py [TASK ...]

On the first variant of each scored task, appended to recipe.csv beside this file, a row a complete
training; what is there is not done again. Scores are on the test part, in points, from seeds that
nobody searched with; computing is counted in training steps (a validation batch as a third of one).

- onecycle: what `onecycle run` finds, then the mean over `SEEDS` trainings with it.
- random search: `TRIALS` complete 1cycle runs, learning rate, momentum and weight decay drawn at
  random, the best on the validation part trained again with the same seeds.
- defaults: Keras' own optimizer as it comes, at a constant learning rate.
- keras-one-cycle: its way of comparing momentum values and weight decays, at the learning rate that
  ours found: each candidate built afresh, one epoch at a rising learning rate, five validation
  batches after every step, penalty included; chosen by the mean over the last fifth.
"""

from __future__ import annotations

import csv
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from oracle import Runs, append
from problems import SCORED, Problem

FILE = Path(__file__).with_name("recipe.csv")
COLUMNS = ("problem", "method", "seed", "lr", "momentum_max", "momentum_min", "weight_decay", "search_steps", "search_seconds", "run_steps", "validation", "test")  # fmt: skip # noqa: E501
TRIALS, SEEDS = 50, (50, 51, 52)
CROSS_ENTROPY = "sparse_categorical_crossentropy"
DECAYS = {"l2": (1e-7, 1e-2), "decoupled": (1e-5, 1.0)}
"""Weight decays that a random search draws from: a decoupled one acts per step as lr * decay."""


class Choice(dict[str, Any]):
    """Values that a method chose, and what the search took."""


def ours(problem: Problem) -> Choice:
    from onecycle_cli.experiments.recipe.run import run

    started = time.perf_counter()
    found = run(problem.config(), out=None).recipe
    seconds = time.perf_counter() - started
    stages = found.stages
    searches = [stages[name] for name in ("find-lr", "find-wd", "find-momentum")]
    momentum = stages["find-momentum"].value
    return Choice(
        lr=stages["train"].conditions["max_lr"],
        momentum_max=momentum["max"],
        momentum_min=momentum["min"],
        weight_decay=stages["find-wd"].value,
        search_steps=sum(stage.cost.get("steps", 0) for stage in searches),
        search_seconds=seconds,
    )


def random_search(problem: Problem, runs: Runs) -> Choice:
    draw = np.random.default_rng(len(problem.name))
    low, high = np.log10(DECAYS["decoupled" if problem.optimizer == "adamw" else "l2"])
    best, steps, started = Choice(validation=-np.inf), 0, time.perf_counter()
    for trial in range(TRIALS):
        top = float(draw.uniform(0.8, 0.99))
        tried = Choice(
            lr=float(10 ** draw.uniform(-4, 0.5)),
            momentum_max=top,
            momentum_min=max(0.0, top - 0.1),
            weight_decay=float(10 ** draw.uniform(low, high)),
        )
        tried |= trained(runs, tried, seed=trial)
        steps += tried["run_steps"]
        best = max(best, tried, key=lambda choice: choice["validation"])
    return Choice(best, search_steps=steps, search_seconds=time.perf_counter() - started)


def trained(runs: Runs, choice: Choice, seed: int) -> dict[str, float]:
    found = runs.run(
        choice["lr"],
        seed,
        momentum=(choice["momentum_max"], choice["momentum_min"]),
        weight_decay=choice["weight_decay"],
    )
    return {
        "validation": found["validation"],
        "test": found["test"],
        "run_steps": found["steps"],
    }


def defaults(problem: Problem, runs: Runs, seed: int) -> dict[str, float]:
    """Train the same network with a stock `fit`, for as many epochs."""
    import keras

    from onecycle_cli import data

    bench, config = runs.bench, runs.bench.config
    keras.utils.set_random_seed(seed)
    twin = keras.models.clone_model(bench.model)
    loss = "mse" if bench.dataset.task == "regression" else CROSS_ENTROPY
    twin.compile(problem.optimizer, loss)
    steps = bench.steps_per_epoch * problem.epochs
    batches = data.Batches(
        bench.dataset, seed=seed, batch_size=config.batch_size, num_steps=steps, augment=None
    )
    twin.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)
    runs.bench.model.set_weights(twin.get_weights())
    return {"validation": runs.score("validation"), "test": runs.score("test"), "run_steps": steps}


def keras_one_cycle(problem: Problem, runs: Runs, lr: float, momenta: list[float], decays: list[float]) -> Choice:  # fmt: skip # noqa: E501
    """Compare the candidates as keras-one-cycle's scripts do."""
    started, steps = time.perf_counter(), 0
    scores: dict[str, dict[float, float]] = {"momentum": {}, "weight_decay": {}}
    for name, candidates in (("momentum", momenta), ("weight_decay", decays)):
        for number, value in enumerate(candidates):
            momentum = value if name == "momentum" else 0.9
            decay = value if name == "weight_decay" else 0.0
            losses = _sweep_with_validation(problem, runs, lr, momentum, decay, seed=number)
            scores[name][value] = float(
                np.nan_to_num(np.mean(losses[-len(losses) // 5 :]), nan=np.inf)
            )
            steps += round(len(losses) * (1 + 5 / 3))
    best = {name: min(found, key=lambda v: found[v]) for name, found in scores.items()}
    return Choice(
        lr=lr,
        momentum_max=min(0.99, best["momentum"] + 0.05),
        momentum_min=best["momentum"] - 0.05,
        weight_decay=best["weight_decay"],
        search_steps=steps,
        search_seconds=time.perf_counter() - started,
    )


def _sweep_with_validation(problem: Problem, runs: Runs, lr: float, momentum: float, decay: float, seed: int) -> list[float]:  # fmt: skip # noqa: E501
    import keras

    bench = runs.bench
    keras.utils.set_random_seed(seed)
    model = keras.models.clone_model(bench.model, clone_function=_with_penalty(problem, decay))
    optimizer = {
        "sgd": lambda: keras.optimizers.SGD(lr, momentum=momentum, nesterov=True),
        "adam": lambda: keras.optimizers.Adam(lr, beta_1=momentum),
        "adamw": lambda: keras.optimizers.AdamW(lr, beta_1=momentum, weight_decay=decay),
    }[problem.optimizer]()
    loss = "mse" if bench.dataset.task == "regression" else CROSS_ENTROPY
    model.compile(optimizer, loss)
    rates = np.linspace(lr / 10, lr, bench.steps_per_epoch)
    order = np.random.default_rng(seed)
    train, held_out = bench.dataset.train, bench.dataset.validation
    shuffled, losses = order.permutation(train), []
    size = problem.batch_size
    for step, rate in enumerate(rates):
        optimizer.learning_rate = float(rate)
        rows = shuffled[step * size : (step + 1) * size]
        model.train_on_batch(*_examples(bench, rows))
        sampled = [
            order.choice(held_out, min(size, len(held_out)), replace=False) for _ in range(5)
        ]
        losses.append(float(np.mean([model.test_on_batch(*_examples(bench, r)) for r in sampled])))
    return losses


def _with_penalty(problem: Problem, decay: float):
    """Return a maker of layers whose kernels have an L2 penalty, unless decay is decoupled."""

    def fresh(layer):
        config = layer.get_config()
        if problem.optimizer != "adamw" and "kernel_regularizer" in config:
            config["kernel_regularizer"] = {
                "class_name": "L2",
                "config": {"l2": decay},
                "registered_name": None,
                "module": "keras.regularizers",
            }
        return layer.__class__.from_config(config)

    return fresh


def _examples(bench, rows: np.ndarray):
    return bench.dataset.normalise(bench.dataset.x[rows]), bench.dataset.y[rows]


def fill(problem: Problem) -> None:
    """Do what is missing of a problem: each method's search, then trainings with its choice."""
    there = read()
    runs = Runs(problem)
    try:
        for method in ("onecycle", "random search", "keras-one-cycle", "defaults"):
            lacking = [seed for seed in SEEDS if (problem.name, method, seed) not in there]
            if not lacking:
                continue
            choice = _choose(method, problem, runs, there)
            for seed in lacking:
                scores = (
                    defaults(problem, runs, seed)
                    if method == "defaults"
                    else trained(runs, choice, seed)
                )
                row = {"problem": problem.name, "method": method, "seed": seed} | choice | scores
                there[problem.name, method, seed] = row
                append(FILE, row, COLUMNS)
                print(row, flush=True)
    finally:
        runs.close()


def _choose(method: str, problem: Problem, runs: Runs, there: dict) -> Choice:
    if method == "defaults":
        return Choice(search_steps=0, search_seconds=0.0)
    if method == "random search":
        return random_search(problem, runs)
    if method == "onecycle":
        return ours(problem)
    lr = _as_found(runs.bench.config, there[problem.name, "onecycle", SEEDS[0]])
    return keras_one_cycle(problem, runs, lr, [0.8, 0.85, 0.9, 0.95, 0.99], [1e-3, 1e-4, 1e-5, 1e-6, 1e-7])  # fmt: skip # noqa: E501


def _as_found(config, ours: dict) -> float:
    """Return our learning rate as it was found, at Smith's momentum."""
    lr, middle = float(ours["lr"]), (float(ours["momentum_max"]) + float(ours["momentum_min"])) / 2
    return lr * (1 - 0.9) / (1 - middle) if config.optimizer.step_grows_with_momentum else lr


def read() -> dict:
    if not FILE.exists():
        return {}
    with FILE.open() as lines:
        return {(r["problem"], r["method"], int(r["seed"])): r for r in csv.DictReader(lines)}


def summary() -> str:
    """Return the methods side by side, as a table in Markdown."""
    there = read()
    methods = ("onecycle", "random search", "keras-one-cycle", "defaults")
    lines = ["| task | " + " | ".join(methods) + " |", "|---" * (1 + len(methods)) + "|"]
    for problem in first_variants():
        cells = []
        for method in methods:
            rows = [there[key] for key in there if key[:2] == (problem.name, method)]
            if len(rows) < len(SEEDS):
                cells.append("")
                continue
            scores = [float(row["test"]) for row in rows]
            run_steps = max(float(row["run_steps"]) for row in rows)
            cost = float(rows[0]["search_steps"]) / run_steps
            cells.append(f"{np.mean(scores):.1f} ± {np.std(scores, ddof=1):.1f}, {cost:.1f} runs")
        lines.append(f"| {problem.task} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def first_variants() -> list[Problem]:
    found: dict[str, Problem] = {}
    for problem in SCORED:
        found.setdefault(problem.task, problem)
    return list(found.values())


if __name__ == "__main__":
    from onecycle_cli.engine.start import start_keras

    start_keras()
    for problem in first_variants():
        if not sys.argv[1:] or problem.task in sys.argv:
            print(problem.name, flush=True)
            fill(problem)
    sys.path.insert(0, str(Path(__file__).parent.parent))
    import record

    docs = Path(__file__).parents[2] / "docs"
    record.insert(docs / "suggestions.md", "recipes", summary())
    print(summary())
