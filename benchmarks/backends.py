"""The same configurations on TensorFlow, JAX and PyTorch: what is suggested, what a step costs.

    python benchmarks/backends.py [--torch PYTHON] [--only NETWORK] [--seeds N] [--repeats N]
                                  [RESULT.json]

For each network on the digits: the learning rate that `find-lr` suggests on each backend with its
interval, for several seeds, since a backend draws other initial weights just as another seed does.
And the processor time of a training step of `train`, beside one of Keras' plain `fit` on the same
backend. Both train the same network at the same batch size in float32 and validate after each
epoch; the first epoch, with its tracing and compiling, is left out. `train` also schedules learning
rate and momentum, records every loss, and writes its files; `fit` gets float32 arrays that were
normalised beforehand. Processor time is that of the whole process, so each epoch's end and
validation are in it; operations get one thread, lest threads that wait for each other count. Each
figure is found in a process of its own, the backends in turn. PyTorch runs under the interpreter
named by --torch or $ONECYCLE_TORCH, and is left out where there is none. The result goes to
backends.json beside this file, and from there into docs/backends.md, or to the path given.
"""

import argparse
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import record

ROOT = Path(__file__).parents[1]
BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX", "torch": "PyTorch"}
NETWORKS = {
    "mlp": {"title": "perceptron", "epochs": 20, "timed_epochs": 40},
    "mini_vgg": {"title": "MiniVGG", "epochs": 10, "timed_epochs": 6},
}
SEEDS, REPEATS = 3, 2
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
}


def config(network: str, *, seed: int = 0, timed: bool = False) -> dict:
    epochs = NETWORKS[network]["timed_epochs" if timed else "epochs"]
    return {
        "seed": seed,
        "batch_size": 64,
        "dataset": {"name": "digits"},
        "model": {"name": network},
        "train": {"cycles": [{"epochs": epochs}], **({"max_lr": 0.05} if timed else {})},
    }


def suggestion(network: str, seed: int) -> dict:
    from onecycle_cli import find_lr

    found = find_lr(config(network, seed=seed), out=None).suggestion
    return {"value": found.value, "interval": found.interval, "verdict": found.verdict}


class Clock:
    """Processor time at the end of each epoch, its validation included."""

    def __init__(self) -> None:
        self.ends: list[float] = []

    def lap(self, *_) -> None:
        self.ends.append(time.process_time())

    def seconds_of_a_step(self, steps_per_epoch: int) -> float:
        """From the second epoch on."""
        return (self.ends[-1] - self.ends[0]) / (len(self.ends) - 1) / steps_per_epoch


def with_train(network: str, _seed: int) -> float:
    from onecycle_cli import train
    from onecycle_cli.observer import Observer

    clock = Clock()

    class Watching(Observer):
        def note(self, text):
            if text.startswith("epoch "):
                clock.lap()

    with tempfile.TemporaryDirectory() as folder:
        result = train(config(network, timed=True), out=folder, observer=Watching())
    return clock.seconds_of_a_step(result.record.result["steps_per_epoch"])


def with_fit(network: str, _seed: int) -> float:
    from onecycle_cli import data, load_config
    from onecycle_cli.engine.repeatable import make_repeatable
    from onecycle_cli.engine.start import start_keras
    from onecycle_cli.registry import models

    keras = start_keras()
    settings = load_config(config(network, timed=True))
    make_repeatable(settings.seed)
    digits = data.load(settings.dataset, seed=settings.seed)
    (x, y), validation = (
        (digits.normalise(digits.x[rows]), digits.y[rows])
        for rows in (digits.train, digits.validation)
    )
    model = models.build(
        network,
        {},
        input_shape=digits.input_shape,
        num_outputs=digits.num_outputs,
        activation=None,
    )
    optimizer = keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    clock = Clock()
    model.fit(
        x,
        y,
        batch_size=settings.batch_size,
        epochs=settings.train.cycles[0].epochs,
        validation_data=validation,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=clock.lap)],
    )
    return clock.seconds_of_a_step(math.ceil(len(x) / settings.batch_size))


FIGURES: dict[str, Callable] = {"find-lr": suggestion, "train": with_train, "fit": with_fit}


def in_own_process(figure: str, network: str, backend: str, torch: str, seed: int = 0):
    python = torch if backend == "torch" else sys.executable
    environment = {"KERAS_BACKEND": backend, "PYTHONPATH": str(ROOT)} | ONE_THREAD
    command = [python, __file__, "--one", figure, network, str(seed)]
    run = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, env=os.environ | environment
    )
    return json.loads(run.stdout.splitlines()[-1])


def measure(network: str, torch: str, seeds: int, repeats: int) -> dict:
    backends = [name for name in BACKENDS if torch or name != "torch"]
    suggestions = [
        {name: in_own_process("find-lr", network, name, torch, seed) for name in backends}
        for seed in range(seeds)
    ]
    costs: dict[str, dict[str, list[float]]] = {n: {"train": [], "fit": []} for n in backends}
    for _ in range(repeats):
        for name in backends:
            for way, found in costs[name].items():
                found.append(1000 * in_own_process(way, network, name, torch))
    return {
        "suggestions": [
            {"seed": seed, **found, "within each other's intervals": agree(found)}
            for seed, found in enumerate(suggestions)
        ],
        "cpu_milliseconds_of_a_step": {
            name: {way: record.spread(found) for way, found in ways.items()}
            for name, ways in costs.items()
        },
    }


def agree(suggestions: dict[str, dict]) -> bool:
    """Whether each suggestion lies within the interval of every other."""
    found = list(suggestions.values())
    if any(one["value"] is None for one in found):
        return False
    return all(
        one["interval"][0] <= other["value"] <= one["interval"][1]
        for one in found
        for other in found
    )


def table_of_suggestions(results: dict) -> str:
    """What is suggested on each backend, in Markdown."""
    heads = ("network, seed", *BACKENDS.values(), "each within the others' intervals")
    rows = [
        (
            f"{NETWORKS[network]['title']}, {found['seed']}",
            *(in_words(found.get(name)) for name in BACKENDS),
            "yes" if found["within each other's intervals"] else "no",
        )
        for network, measured in results.items()
        for found in measured["suggestions"]
    ]
    return record.in_markdown(heads, rows)


def in_words(found: dict | None) -> str:
    if found is None:
        return ""
    if found["value"] is None:
        return found["verdict"]
    low, high = found["interval"]
    return f"{found['value']:.3g} ({low:.3g} to {high:.3g})"


def table_of_costs(results: dict) -> str:
    """The processor time of a step, in milliseconds, in Markdown."""
    ways = [(name, way) for name in BACKENDS for way in ("train", "fit")]
    heads = ("network", *(f"`{way}` on {BACKENDS[name]}" for name, way in ways))
    rows = [
        (NETWORKS[network]["title"], *(milliseconds(found, *where) for where in ways))
        for network, found in results.items()
    ]
    return record.in_markdown(heads, rows)


def milliseconds(found: dict, backend: str, way: str) -> str:
    costs = found["cpu_milliseconds_of_a_step"].get(backend)
    return f"{costs[way]['median']:.3g}" if costs else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch", default=os.environ.get("ONECYCLE_TORCH", ""))
    parser.add_argument("--only", choices=NETWORKS)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("result", nargs="?")
    given = parser.parse_args()
    if given.one:
        figure, network, seed = given.one
        print(json.dumps(FIGURES[figure](network, int(seed))))
        return
    networks = [given.only] if given.only else list(NETWORKS)
    results = {name: measure(name, given.torch, given.seeds, given.repeats) for name in networks}
    what = (
        f"find-lr's suggestion on each backend, and the processor time of a training step from "
        f"the second epoch on; {given.repeats} repeats in turn"
    )
    record.write(__file__, what, results, given.result)
    if given.result is None:
        document = ROOT / "docs" / "backends.md"
        record.insert(document, "suggestions", table_of_suggestions(results))
        record.insert(document, "costs", table_of_costs(results))


if __name__ == "__main__":
    main()
