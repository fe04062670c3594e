"""Several training steps in one execution on JAX: dispatched in turn, and by `lax.scan`.

    python benchmarks/several_steps.py [--repeats N] [RESULT.json]

What a step takes in milliseconds, processor time and wall time, of the model's own training step on
digits, batches of 64, one thread: when its loss is waited for before the next step begins, when all
steps of an execution are dispatched first, as `steps_per_execution` has it, and when one compiled
loop takes them. "same bits" compares the losses and the whole state with those of the first way.
Each network is measured in a process of its own. The result goes to several_steps.json beside this
file, and from there into docs/backends.md, or to the path given.
"""

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

import record
from own_process import answer_of

NETWORKS = {"perceptron": ("mlp", 16), "MiniVGG": ("mini_vgg", 8)}
"""The model, and the steps of an execution."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false"}
BATCH = 64


def ways(step: Callable, batches: list, rows: list) -> dict[str, Callable]:
    """Functions from a state to the state after all steps, and their losses."""
    import jax
    import numpy as np

    single = jax.jit(step, donate_argnums=0)

    def waiting(state):
        losses = []
        for batch, row in zip(batches, rows, strict=True):
            state, loss = single(state, (batch, row))
            losses.append(float(loss))
        return state, losses

    def in_turn(state):
        losses = []
        for batch, row in zip(batches, rows, strict=True):
            state, loss = single(state, (batch, row))
            losses.append(loss)
        return state, [float(loss) for loss in losses]

    whole = jax.jit(lambda state, given: jax.lax.scan(step, state, given), donate_argnums=0)
    given = jax.tree.map(lambda *parts: np.stack(parts), *zip(batches, rows, strict=True))

    def scanned(state):
        state, losses = whole(state, given)
        return state, [float(loss) for loss in losses]

    return {"waiting for each": waiting, "in turn": in_turn, "lax.scan": scanned}


def measured(network: str, repeats: int) -> dict:
    import jax
    import numpy as np

    from onecycle_cli.config import load_config
    from onecycle_cli.engine.execution.in_turn import step_with_row
    from onecycle_cli.engine.instruments import INSTRUMENTS
    from onecycle_cli.observer import Observer
    from onecycle_cli.workbench.bench import Workbench

    name, count = NETWORKS[network]
    settings = {"batch_size": BATCH, "dataset": {"name": "digits"}, "model": {"name": name}}
    bench = Workbench(load_config(settings), Observer())
    held = vars(bench.model)[INSTRUMENTS]
    inner = step_with_row(bench.model, held._live, held._tracker.last)

    def step(state, given):
        _, state, loss = inner(state, *given)
        return state, loss

    random = np.random.default_rng(0)
    shape = (BATCH, *bench.dataset.input_shape)
    batches = [
        (random.normal(size=shape).astype(np.float32), random.integers(0, 10, BATCH, np.int32))
        for _ in range(count)
    ]
    rows = [np.array([1e-4, 0.05 + 0.001 * i, 0.9], np.float32) for i in range(count)]  # by name
    model = bench.model
    parts = model.trainable_variables, model.non_trainable_variables
    parts = (*parts, model.optimizer.variables, model.metrics_variables)
    start = [[np.array(variable) for variable in part] for part in parts]

    def fresh():
        return jax.block_until_ready(tuple(jax.tree.map(jax.numpy.array, start)))

    found, results = ways(step, batches, rows), {}
    ends = {way: jax.tree.map(np.asarray, run(fresh())) for way, run in found.items()}
    times = {way: [] for way in found}
    for _ in range(repeats):
        for way, run in found.items():
            state, cpu, wall = fresh(), time.process_time(), time.perf_counter()
            run(state)
            times[way].append((time.process_time() - cpu, time.perf_counter() - wall))
    expected = jax.tree.leaves(ends["waiting for each"])
    for way, taken in times.items():
        cpu, wall = ([1000 * t / count for t in kind] for kind in zip(*taken, strict=True))
        leaves = zip(jax.tree.leaves(ends[way]), expected, strict=True)
        results[way] = {
            "cpu_milliseconds_of_a_step": record.spread(cpu),
            "wall_milliseconds_of_a_step": record.spread(wall),
            "same bits": all(np.array_equal(a, b, equal_nan=True) for a, b in leaves),
        }
    return results


def table(results: dict) -> str:
    """The processor time of a step, in milliseconds, in Markdown."""
    heads = ("network, steps", *next(iter(results.values())))
    rows = [
        (f"{name}, {NETWORKS[name][1]}", *(in_words(one) for one in found.values()))
        for name, found in results.items()
    ]
    return record.in_markdown(heads, rows)


def in_words(found: dict) -> str:
    of_a_step = f"{found['cpu_milliseconds_of_a_step']['median']:.4g}"
    return of_a_step if found["same bits"] else f"{of_a_step}, other bits"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("result", nargs="?")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(given.one, given.repeats)))
        return
    results = {}
    for network in NETWORKS:
        one = "--repeats", str(given.repeats), "--one", network
        results[network] = answer_of(__file__, *one, KERAS_BACKEND="jax", **ONE_THREAD)
    record.write(__file__, "what a training step takes on JAX", results, given.result)
    if given.result is None:
        document = Path(__file__).parents[1] / "docs" / "backends.md"
        record.insert(document, "several steps", table(results))


if __name__ == "__main__":
    main()
