"""A range test on inputs that are larger than the memory it takes.

    python benchmarks/larger_than_memory.py [--gib 8] [--folder DIR]

Writes a folder of .npy files with inputs of so many GiB, runs `onecycle find-lr` on it in a process
of its own, and takes down the most memory that the process held. The folder is removed in the end.
"""

from __future__ import annotations

import argparse
import multiprocessing
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import record

SIDE, CHANNELS = 64, 3
RUN = """
import resource, sys, time
import onecycle_cli
started = time.perf_counter()
found = onecycle_cli.find_lr(sys.argv[1], out=None)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(peak * 1024, time.perf_counter() - started, found.cost.steps, found.cost.seconds)
"""
CONFIG = """
batch_size: 64
dataset: {{name: arrays, path: {folder}, augment: null}}
model: {{name: {model}}}
find_lr: {{repeats: 1, steps: 100}}
"""
MODEL = """
import keras
def build(input_shape, num_classes):
    x = keras.Input(input_shape)
    h = keras.layers.Conv2D(8, 3, strides=4, activation="relu")(x)
    h = keras.layers.GlobalAveragePooling2D()(h)
    return keras.Model(x, keras.layers.Dense(num_classes, activation="softmax")(h))
"""


def write(folder: Path, gib: float) -> int:
    """Write random images and labels, part by part; return how many."""
    count = int(gib * 2**30 / (SIDE * SIDE * CHANNELS))
    shape = (count, SIDE, SIDE, CHANNELS)
    x = np.lib.format.open_memmap(folder / "x_train.npy", "w+", np.uint8, shape)
    rng = np.random.default_rng(0)
    for start in range(0, count, 4096):
        x[start : start + 4096] = rng.integers(0, 256, x[start : start + 4096].shape, np.uint8)
    x.flush()
    np.save(folder / "y_train.npy", rng.integers(0, 10, count))
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gib", type=float, default=8.0)
    parser.add_argument("--folder", type=Path, default=None)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as place:
        folder = Path(place) / "data"
        folder.mkdir()
        # Not here: a process starts with the peak of the one that has started it.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            count = pool.submit(write, folder, arguments.gib).result()
        (Path(place) / "net.py").write_text(MODEL)
        config = Path(place) / "large.yaml"
        config.write_text(CONFIG.format(folder=folder, model=Path(place) / "net.py:build"))
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(config)], check=True, capture_output=True, text=True
        )
        wall = time.perf_counter() - started
    peak, seconds, steps, search = map(float, done.stdout.split()[-4:])
    found = {
        "inputs_gib": round(count * SIDE * SIDE * CHANNELS / 2**30, 2),
        "examples": count,
        "peak_resident_gib": round(peak / 2**30, 2),
        "steps": int(steps),
        "seconds_with_start": round(wall, 1),
        "seconds_of_find_lr": round(seconds, 1),
        "seconds_of_the_steps": search,
    }
    record.write(__file__, "a range test on a folder of .npy files", found)


if __name__ == "__main__":
    main()
