"""How long `fit` goes on after its last step, on TensorFlow, for each way to feed it.

    python benchmarks/fit_end.py

tf.data tunes its pipelines by a thread that sleeps between looks, 10 ms at first and twice as long
each time, up to a minute. It is to be woken when the pipeline is closed; now and then it is not,
and `fit` waits for it. Here a small network is trained again and again, with a pause at each step,
so that a training takes as long as asked; what is counted is the time from the end of training, as
callbacks see it, to the return of `fit`. The ways take turns. The result goes to fit_end.json
beside this file, or to the path given as the only argument.
"""

import sys
import time
from collections.abc import Callable
from typing import Any

import record

from onecycle_cli.engine.start import start_keras

keras = start_keras()

import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from onecycle_cli.data import for_fit  # noqa: E402

STEPS, BATCH_SIZE = 32, 128
PAUSE = 0.02
ROUNDS = 60
LATE = 0.05
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(STEPS * BATCH_SIZE, 64)).astype("float32")
Y = RANDOM.integers(0, 10, len(X))


class Items(keras.utils.PyDataset):
    def __init__(self) -> None:
        super().__init__()

    def __len__(self) -> int:
        return STEPS

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        rows = slice(index * BATCH_SIZE, (index + 1) * BATCH_SIZE)
        return X[rows], Y[rows]


class End(keras.callbacks.Callback):
    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        time.sleep(PAUSE)

    def on_train_end(self, logs: Any = None) -> None:
        self.time = time.perf_counter()


WAYS: dict[str, Callable[[], dict[str, Any]]] = {
    "arrays": lambda: {"x": X, "y": Y, "batch_size": BATCH_SIZE},
    "PyDataset": lambda: {"x": Items()},
    "tf.data": lambda: {"x": tf.data.Dataset.from_tensor_slices((X, Y)).batch(BATCH_SIZE)},
    "onecycle": lambda: {"x": for_fit(Items()[i] for i in range(STEPS)), "steps_per_epoch": STEPS},
}


def seconds_after_the_end(model: Any, feed: dict[str, Any]) -> float:
    end = End()
    model.fit(**feed, verbose=0, callbacks=[end])
    return time.perf_counter() - end.time


def main() -> None:
    layers = keras.layers
    model = keras.Sequential([keras.Input((64,)), layers.Dense(256), layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(1e-3), loss, jit_compile=False)
    waits: dict[str, list[float]] = {name: [] for name in WAYS}
    for turn in range(ROUNDS + 1):
        for name, feed in WAYS.items():
            waited = seconds_after_the_end(model, feed())
            if turn:  # the first is traced
                waits[name].append(waited)
    results = {
        name: {
            "fits": len(found),
            "fits_that_waited": sum(wait > LATE for wait in found),
            "longest_wait": round(max(found), 3),
            "mean_wait": round(float(np.mean(found)), 4),
        }
        for name, found in waits.items()
    }
    seconds = f"{STEPS * PAUSE:.2g}"
    what = f"seconds that fit goes on after its last step, in trainings of {seconds} s and more"
    record.write(__file__, what, results, *sys.argv[1:])


if __name__ == "__main__":
    main()
