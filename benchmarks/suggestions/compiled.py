"""Complete 1cycle runs of the perceptrons and recurrent nets, as one compiled JAX loop.

Data, split, order of the batches, network, schedules and optimizer are the tool's own; only `fit`
is not: `lax.scan` goes through the steps, and `vmap` trains a group of runs side by side.
Convolutions are slower this way, and stay with Keras.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import datasets
import numpy as np
import oracle
from numpy.typing import NDArray
from problems import Problem

NETWORKS = ("mlp", "recurrent")
GROUP = 32
"""So many runs are trained side by side."""

Tree = dict[str, Any]

SINGLE_THREAD = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"


@dataclass(frozen=True)
class Run:
    """One complete 1cycle.

    Attributes:
        lr: its highest learning rate.
        seed: of the initial weights and of the order of the data.
        momentum: its highest and its lowest; of Adam and AdamW, beta_1.
        weight_decay: `None` for that of the problem.
    """

    lr: float
    seed: int
    momentum: tuple[float, float] = (0.95, 0.85)
    weight_decay: float | None = None


class Trained(NamedTuple):
    """What training leaves.

    Attributes:
        weights: of shape (runs, ...) each.
        fixed: what is not trained by gradients, alike.
        losses: of each batch before its update, of shape (runs, steps).
    """

    weights: list[Any]
    fixed: list[Any]
    losses: NDArray[np.float32]


class Scored(NamedTuple):
    """How the runs do on a part of the data.

    Attributes:
        losses: mean data loss, of shape (runs,).
        points: accuracy in percent, or the explained variance in percent, alike.
    """

    losses: NDArray[np.float64]
    points: NDArray[np.float64]


def start_jax() -> None:
    """Start Keras on JAX, on one thread."""
    os.environ["KERAS_BACKEND"] = "jax"
    os.environ.setdefault("XLA_FLAGS", SINGLE_THREAD)
    from onecycle_cli.engine.start import start_keras

    start_keras()


def can_be_compiled(problem: Problem) -> bool:
    """Tell whether the loop is for this problem.

    A batch that is filled up would be seen by batch normalisation.
    """
    return problem.network in NETWORKS and problem.options.get("norm") != "batch"


class CompiledRuns:
    """Complete 1cycle runs of one problem, many at once; Keras must run on JAX."""

    def __init__(self, problem: Problem) -> None:
        import jax

        from onecycle_cli.config import load_config
        from onecycle_cli.engine.steering.optimizers import core, momentum_attributes
        from onecycle_cli.observer import Observer
        from onecycle_cli.workbench.bench import Workbench

        self.problem = problem
        self.bench = Workbench(load_config(on_logits(problem)), Observer())
        self.steps = self.bench.steps_per_epoch * problem.epochs
        self.floor = oracle.chance(self.bench.dataset)
        self._optimizer = core(self.bench.model.optimizer)
        self._loss = self.bench.objective.per_example()
        self._places = self._scheduled(momentum_attributes(self._optimizer)[0])
        self._starts: dict[int, tuple[list[NDArray[Any]], list[NDArray[Any]]]] = {}
        self._train = jax.jit(self._train_groups)
        self._answer = jax.jit(self._answer_groups)

    def start(self, seed: int) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
        """Return the initial weights of a seed, and what else the model holds."""
        if seed not in self._starts:
            self.bench.rewind(seed)
            model = self.bench.model
            held = (model.trainable_variables, model.non_trainable_variables)
            weights, fixed = ([np.array(v) for v in variables] for variables in held)
            self._starts[seed] = weights, fixed
            self.bench.rewind()
        return self._starts[seed]

    def train(
        self, runs: Sequence[Run], steps: int | None = None, until: int | None = None
    ) -> Trained:
        """Train each run in a cycle of so many steps; without, of the problem's length.

        `until`: of these steps, only so many are taken.
        """
        steps = steps or self.steps
        seeds = sorted({run.seed for run in runs})
        weights, fixed = zip(*(self.start(seed) for seed in seeds), strict=True)
        orders, shares = zip(*(self._order(seed, until or steps) for seed in seeds), strict=True)
        by_seed = {"weights": _stacked(weights), "fixed": _stacked(fixed), "rows": np.array(orders)}
        each = {"seed": np.array([seeds.index(run.seed) for run in runs])}
        tables = self._tables(runs, steps)
        each |= {name: np.array(t, np.float32)[:, :until] for name, t in tables.items()}
        trained = self._train(*self._arrays("train"), shares[0], by_seed, each)
        return Trained(*trained[:2], np.asarray(trained[2]))

    def score(self, trained: Trained, part: str) -> Scored:
        """Return how trained runs do on the `validation` or `test` part; at least chance."""
        x, y = self._arrays(part)
        losses, hits = self._answer(x, y, trained.weights, trained.fixed)
        losses, hits = (np.asarray(found, np.float64).mean(axis=1) for found in (losses, hits))
        is_regression = self.bench.dataset.task == "regression"
        share = 1 - losses / float(np.var(self.bench.dataset.y)) if is_regression else hits
        points = np.fmax(self.floor, 100 * share)  # which takes NaN for nothing, too
        broke = ~np.isfinite(trained.losses).all(axis=1)
        return Scored(np.where(broke, np.inf, losses), np.where(broke, self.floor, points))

    def outcomes(self, runs: Sequence[Run], steps: int | None = None) -> list[dict[str, float]]:
        """Train, and return what `oracle.Runs.run` does, for each run."""
        trained = self.train(runs, steps)
        test, validation = self.score(trained, "test"), self.score(trained, "validation")
        length = trained.losses.shape[1]
        tails = trained.losses[:, -length // 5 :].astype(float).mean(axis=1)
        broke = ~np.isfinite(trained.losses).all(axis=1)
        return [
            {
                "test": float(test.points[i]),
                "validation": float(validation.points[i]),
                "validation_loss": float(validation.losses[i]),
                "training_loss": float("inf") if broke[i] else float(tails[i]),
                "steps": length,
            }
            for i in range(len(runs))
        ]

    def close(self) -> None:
        self.bench.close()

    def _scheduled(self, momentum: str) -> dict[str, int]:
        """Return where the optimizer's variables hold what changes from step to step."""
        names = [variable.name for variable in self._optimizer.variables]
        wanted = {"lr": "learning_rate", "momentum": momentum, "decay": self.bench.decay_name}
        return {ours: names.index(theirs) for ours, theirs in wanted.items()}

    def _tables(self, runs: Sequence[Run], steps: int) -> dict[str, list[list[float]]]:
        """Return the value of each step of each run, by what changes."""
        from onecycle_cli import schedules

        own = self.problem.weight_decay
        decays = [own if run.weight_decay is None else run.weight_decay for run in runs]
        return {
            "lr": [schedules.learning_rates(steps, run.lr) for run in runs],
            "momentum": [schedules.momenta(steps, *run.momentum) for run in runs],
            "decay": [[decay] * steps for decay in decays],
        }

    def _order(self, seed: int, steps: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return which rows each batch has, and how much each of them counts, (steps, batch) each.

        The last batch of an epoch is filled up with rows that count nothing.
        """
        from onecycle_cli import data

        dataset, size = self.bench.dataset, self.problem.batch_size
        numbers = replace(dataset, x=np.arange(len(dataset)), mean=None, std=None)
        rows, shares = np.zeros((steps, size), np.int32), np.zeros((steps, size), np.float32)
        for i in range(steps):
            epoch, step = divmod(i, self.bench.steps_per_epoch)
            found, *_ = data.batch(numbers, seed=seed, epoch=epoch, step=step, batch_size=size)
            rows[i, : len(found)], shares[i, : len(found)] = found, 1 / len(found)
        return rows, shares

    def _arrays(self, part: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return inputs and targets; for `train` the whole pool, in which the rows count."""
        dataset = self.bench.dataset
        if part == "test":
            x, y = dataset.test()
        else:
            rows = dataset.validation if part == "validation" else slice(None)
            x, y = dataset.x[rows], dataset.y[rows]
        return dataset.normalise(x), y[:, None] if dataset.task == "regression" else y

    def _train_groups(self, x: Any, y: Any, shares: Any, by_seed: Tree, each: Tree) -> Any:
        """Train all runs, `GROUP` of them at a time."""
        import jax

        def train_one(run: Tree) -> tuple[Any, Any, Any]:
            own = jax.tree.map(lambda values: values[run["seed"]], by_seed)
            tables = {name: run[name] for name in self._places}
            steps = {"rows": own["rows"], "shares": shares, "tables": tables}
            slots = [variable.value for variable in self._optimizer.variables]
            start = (own["weights"], own["fixed"], slots)
            (weights, fixed, _), losses = jax.lax.scan(partial(self._step, x, y), start, steps)
            return weights, fixed, losses

        return jax.lax.map(train_one, each, batch_size=GROUP)

    def _step(self, x: Any, y: Any, state: tuple[Any, Any, Any], now: Tree) -> Any:
        """Take one step, as Keras does; return the new state, and the loss before."""
        import jax

        weights, fixed, slots = state

        def loss_of(weights: Any, fixed: Any) -> tuple[Any, Any]:
            outputs, fixed = self.bench.model.stateless_call(
                weights, fixed, x[now["rows"]], training=True
            )
            return (self._loss(y[now["rows"]], outputs) * now["shares"]).sum(), fixed

        differentiated = jax.value_and_grad(loss_of, has_aux=True)
        (loss, fixed), gradients = differentiated(weights, fixed)
        slots = list(slots)
        for name, place in self._places.items():
            slots[place] = now["tables"][name]
        weights, slots = self._optimizer.stateless_apply(slots, gradients, weights)
        return (weights, fixed, slots), loss

    def _answer_groups(self, x: Any, y: Any, weights: Any, fixed: Any) -> Any:
        """Return the loss of each example, and whether the answer is the right class."""
        import jax

        def answer_one(held: tuple[Any, Any]) -> tuple[Any, Any]:
            outputs, _ = self.bench.model.stateless_call(*held, x, training=False)
            return self._loss(y, outputs), outputs.argmax(axis=1) == y.reshape(-1)

        return jax.lax.map(answer_one, (weights, fixed), batch_size=GROUP)


def on_logits(problem: Problem) -> dict[str, Any]:
    """Return the configuration, without a softmax at the network's end.

    TensorFlow finds the logits behind a softmax by itself and takes the cross-entropy of them; JAX
    would take it of probabilities, and cut these at 1e-7.
    """
    targets = np.load(datasets.path_of(problem.data))["y_train"]
    if targets.dtype.kind == "f":
        return problem.config()
    return problem.config(loss={"from_logits": True})


def _stacked(trees: Sequence[list[NDArray[Any]]]) -> list[NDArray[Any]]:
    """Return each array of all of them as one, of shape (n, ...)."""
    return [np.stack(arrays) for arrays in zip(*trees, strict=True)]
