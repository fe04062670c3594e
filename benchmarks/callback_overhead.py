"""What each callback adds to a training step, against a bare `fit`, in CPU time.

    python benchmarks/callback_overhead.py

Two models: MiniVGG on random images at batch size 128, as a real training step, and a tiny
perceptron, whose step is so short that nothing but the overhead is left. For each, a bare `fit`,
one with `OneCycleLR` and one with `LRFinder` run in turn, each time in another order; the training
step of each is traced beforehand. What is compared is the CPU time of the whole process, of all
steps but the first two, each round with its own bare `fit`: a busy machine makes all of them
wait, and adds nothing to that. The 95 % interval of the mean difference says what noise is left.
The result goes to callback_overhead.json beside this file, or to the path given as the only
argument.
"""

import sys
import time
from collections.abc import Callable

import record

from onecycle_cli.engine.start import start_keras

keras = start_keras()

import numpy as np  # noqa: E402
from onecycle_models import mini_vgg, mlp  # noqa: E402
from scipy import stats  # noqa: E402

from onecycle_cli import LRFinder, OneCycleLR  # noqa: E402
from onecycle_cli.engine import instruments  # noqa: E402
from onecycle_cli.engine.steering import names  # noqa: E402

CALLBACKS: dict[str, Callable[[int], list]] = {
    "bare fit": lambda steps: [],
    "OneCycleLR": lambda steps: [OneCycleLR(max_lr=1e-3, verbose=False)],
    "LRFinder": lambda steps: [
        LRFinder(
            min_lr=1e-6,
            max_lr=1e-3,
            num_steps=steps,
            stopping_criterion_factor=None,
            restore=False,
            verbose=False,
        )
    ],
}


class Clock(keras.callbacks.Callback):
    """CPU seconds of the process at the start of each batch."""

    def on_train_begin(self, logs=None):
        self.starts = []

    def on_train_batch_begin(self, batch, logs=None):
        self.starts.append(time.process_time())

    def mean(self) -> float:
        return float(np.mean(np.diff(self.starts)[2:]))


def compiled(build, shape):
    model = build(shape, 10)
    optimizer = keras.optimizers.SGD(1e-3, momentum=0.9, nesterov=True)
    model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=False)
    return model


def seconds_of_a_step(model, x, y, batch_size, callbacks) -> float:
    clock = Clock()
    model.fit(x, y, batch_size=batch_size, shuffle=False, verbose=0, callbacks=[clock, *callbacks])
    return clock.mean()


def measure(build, shape, *, batch_size: int, steps: int, rounds: int) -> dict:
    """CPU milliseconds of a step, and what each callback adds to the bare one of its round."""
    random = np.random.default_rng(0)
    x = random.normal(size=(batch_size * steps, *shape)).astype("float32")
    y = random.integers(0, 10, len(x))
    bare, watched = compiled(build, shape), compiled(build, shape)
    steered = (names.LEARNING_RATE, names.MOMENTUM)
    instruments.Instruments.attach(watched, steered, owner="benchmark")  # traced once for all fits
    models = {"bare fit": bare, "OneCycleLR": watched, "LRFinder": watched}
    times: dict[str, list[float]] = {name: [] for name in CALLBACKS}
    for turn in range(rounds + 1):
        for name in random.permutation(list(CALLBACKS)):
            callbacks = CALLBACKS[name](steps)
            seconds = seconds_of_a_step(models[name], x, y, batch_size, callbacks)
            if turn:  # the first warms up
                times[name].append(1000 * seconds)
    return {"cpu_milliseconds_per_step": {n: record.spread(t) for n, t in times.items()}} | {
        name: added(times[name], times["bare fit"]) for name in CALLBACKS if name != "bare fit"
    }


def added(times: list[float], bare: list[float]) -> dict:
    """The mean paired difference, in milliseconds and in percent of the bare step."""
    differences = np.subtract(times, bare)
    half = stats.sem(differences) * stats.t.ppf(0.975, len(differences) - 1)
    found = {"added": differences.mean(), "from": differences.mean() - half}
    found["to"] = differences.mean() + half
    percent = {name: 100 * value / np.mean(bare) for name, value in found.items()}
    return {
        "milliseconds": {name: float(f"{value:.3g}") for name, value in found.items()},
        "percent": {name: float(f"{value:.3g}") for name, value in percent.items()},
    }


if __name__ == "__main__":
    record.write(
        __file__,
        "CPU time of a step of fit, and what each callback adds, with 95 % intervals",
        {
            "mini_vgg, batch 128, 32x32x3": measure(
                mini_vgg.build, (32, 32, 3), batch_size=128, steps=12, rounds=12
            ),
            "mlp, batch 128, 8x8x1": measure(
                mlp.build, (8, 8, 1), batch_size=128, steps=300, rounds=12
            ),
        },
        *sys.argv[1:],
    )
