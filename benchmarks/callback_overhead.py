"""What each callback adds to a training step, against a bare `fit`.

    python benchmarks/callback_overhead.py

Two models: MiniVGG on random images at batch size 128, as a real training step, and a tiny
perceptron, whose step is so short that nothing but the overhead is left. For each, a bare `fit`,
one with `OneCycleLR` and one with `LRFinder` run in turn, so that a busy moment hits all alike;
the training step of each is traced beforehand. The result goes to callback_overhead.json beside
this file, or to the path given as the only argument.
"""

import statistics
import sys
import time
from collections.abc import Callable

import record

from onecycle_cli.engine.start import start_keras

keras = start_keras()

import numpy as np  # noqa: E402
from onecycle_models import mini_vgg, mlp  # noqa: E402

from onecycle_cli import LRFinder, OneCycleLR  # noqa: E402
from onecycle_cli.engine import instruments  # noqa: E402
from onecycle_cli.engine.steering import names  # noqa: E402

CALLBACKS: dict[str, Callable[[int], list]] = {
    "bare fit": lambda steps: [],
    "OneCycleLR": lambda steps: [OneCycleLR(max_lr=1e-3, verbose=False)],
    "LRFinder": lambda steps: [
        LRFinder(
            minimum_lr=1e-6,
            maximum_lr=1e-3,
            num_steps=steps,
            stopping_criterion_factor=None,
            restore=False,
            verbose=False,
        )
    ],
}


class StepTimes(keras.callbacks.Callback):
    """Seconds from the start of one batch to the start of the next."""

    def on_train_begin(self, logs=None):
        self.starts = []

    def on_train_batch_begin(self, batch, logs=None):
        self.starts.append(time.perf_counter())

    def median(self) -> float:
        return statistics.median(np.diff(self.starts)[2:])


def compiled(build, shape):
    model = build(shape, 10)
    optimizer = keras.optimizers.SGD(1e-3, momentum=0.9, nesterov=True)
    model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=False)
    return model


def step_time(model, x, y, batch_size, callbacks) -> float:
    times = StepTimes()
    model.fit(x, y, batch_size=batch_size, shuffle=False, verbose=0, callbacks=[times, *callbacks])
    return times.median()


def measure(build, shape, *, batch_size: int, steps: int, repeats: int) -> dict:
    """Median step times in milliseconds, and what each callback adds to the bare one."""
    random = np.random.default_rng(0)
    x = random.normal(size=(batch_size * steps, *shape)).astype("float32")
    y = random.integers(0, 10, len(x))
    bare, watched = compiled(build, shape), compiled(build, shape)
    steered = (names.LEARNING_RATE, names.MOMENTUM)
    instruments.Instruments.attach(watched, steered, owner="benchmark")  # traced once for all fits
    models = {"bare fit": bare, "OneCycleLR": watched, "LRFinder": watched}
    times: dict[str, list[float]] = {name: [] for name in CALLBACKS}
    for repeat in range(repeats + 1):
        for name, make in CALLBACKS.items():
            seconds = step_time(models[name], x, y, batch_size, make(steps))
            if repeat:  # the first warms up
                times[name].append(1000 * seconds)
    added = {
        name: statistics.median(a - b for a, b in zip(times[name], times["bare fit"], strict=True))
        for name in CALLBACKS
        if name != "bare fit"
    }
    bare_ms = statistics.median(times["bare fit"])
    return {
        "milliseconds_per_step": {name: record.spread(t) for name, t in times.items()},
        "added_milliseconds": {name: round(ms, 3) for name, ms in added.items()},
        "added_percent": {name: round(100 * ms / bare_ms, 2) for name, ms in added.items()},
    }


if __name__ == "__main__":
    record.write(
        __file__,
        "median step time of fit, bare and with each callback, medians over repeats",
        {
            "mini_vgg, batch 128, 32x32x3": measure(
                mini_vgg.build, (32, 32, 3), batch_size=128, steps=12, repeats=3
            ),
            "mlp, batch 128, 8x8x1": measure(
                mlp.build, (8, 8, 1), batch_size=128, steps=300, repeats=7
            ),
        },
        *sys.argv[1:],
    )
