"""Training from memory maps and pipelines, beside training from memory: images a second.

    python benchmarks/sources.py [RESULT.json]

ResNet-9 of width 16 in hand, on random images of 32x32 as float32, batch size 128, on TensorFlow.
The same images come from an array in memory, from a file that is mapped into memory, and as
pipelines from a generator, a `PyDataset` and a `tf.data.Dataset`, each of which reads that file.
Nothing is validated on. Each is trained in a process of its own, in turn; the start and the
first steps are left out, by taking the difference between trainings of three epochs and of one. The
result goes to sources.json beside this file, or to the path given.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import record
from own_process import answer_of

KINDS = ("memory", "memory map", "generator", "PyDataset", "tf.data")
EXAMPLES, BATCH, REPEATS = 128 * 60, 128, 3
STEPS = EXAMPLES // BATCH


def source(kind: str, folder: Path) -> dict[str, Any]:
    """Return the images as `train` takes them beside a model."""
    import keras
    import tensorflow as tf

    mapped, y = np.load(folder / "x.npy", mmap_mode="r"), np.load(folder / "y.npy")
    arrays = {"batch_size": BATCH, "validation_split": 0, "y": y}

    def batch(i: int) -> tuple[Any, Any]:
        rows = slice(i * BATCH, (i + 1) * BATCH)
        return np.array(mapped[rows]), y[rows]

    def batches() -> Iterator[tuple[Any, Any]]:
        return (batch(i) for i in range(STEPS))

    class Batches(keras.utils.PyDataset):
        def __len__(self) -> int:
            return STEPS

        def __getitem__(self, i: int) -> tuple[Any, Any]:
            return batch(i)

    def read(i: Any) -> tuple[Any, Any]:
        images, labels = tf.numpy_function(batch, [i], [tf.float32, tf.int64])
        return tf.ensure_shape(images, [BATCH, 32, 32, 3]), tf.ensure_shape(labels, [BATCH])

    return {
        "memory": lambda: arrays | {"x": np.array(mapped)},
        "memory map": lambda: arrays | {"x": mapped},
        "generator": lambda: {"x": batches, "steps_per_epoch": STEPS},
        "PyDataset": lambda: {"x": Batches()},
        "tf.data": lambda: {"x": tf.data.Dataset.range(STEPS).map(read).prefetch(2)},
    }[kind]()


def write(folder: Path) -> None:
    random = np.random.default_rng(0)
    np.save(folder / "x.npy", random.random((EXAMPLES, 32, 32, 3), np.float32))
    np.save(folder / "y.npy", np.arange(EXAMPLES) % 10)


def seconds_of_two_epochs(kind: str, folder: Path) -> float:
    from onecycle_cli import train

    taken = []
    for epochs in (1, 3):
        model = resnet9()
        found = train(model, **source(kind, folder), epochs=epochs, max_lr=0.01)
        taken.append(found.cost.seconds)
    return taken[1] - taken[0]


def resnet9() -> Any:
    import keras
    from onecycle_models.resnet9 import build

    model = build((32, 32, 3), 10, width=16)
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return model


def main(*targets: str) -> None:
    speeds: dict[str, list[float]] = {kind: [] for kind in KINDS}
    with tempfile.TemporaryDirectory() as place:
        write(Path(place))
        for turn in range(REPEATS):
            for kind in KINDS if turn % 2 else reversed(KINDS):
                one = "--one", kind, place
                seconds = answer_of(__file__, *one, KERAS_BACKEND="tensorflow")
                speeds[kind].append(2 * EXAMPLES / seconds)
                print(kind, round(speeds[kind][-1]), file=sys.stderr, flush=True)
    memory = speeds["memory"]
    results = {
        kind: {
            "images a second": record.spread(values, 4),
            "as a share of memory": record.spread(
                [a / b for a, b in zip(values, memory, strict=True)], 3
            ),
        }
        for kind, values in speeds.items()
    }
    what = f"training ResNet-9 of width 16 from several sources, {REPEATS} repeats"
    record.write(__file__, what, results, *targets)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(seconds_of_two_epochs(sys.argv[2], Path(sys.argv[3]))))
    else:
        main(*sys.argv[1:])
