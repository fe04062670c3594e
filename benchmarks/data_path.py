"""How many batches a second the data path delivers, for CIFAR-shaped data at batch size 128.

    python benchmarks/data_path.py

Uses the CIFAR-10 copy in $ONECYCLE_DATA or a cache, else random images of its shape (the work is
the same); nothing is downloaded. Each setting is timed over several repeats of one epoch's first
100 batches, a new epoch each, in turn, so that a busy moment hits all settings alike. The result
goes to data_path.json beside this file, or to the path given as the only argument.
"""

import sys
import time

import numpy as np
import record

from onecycle_cli.config import DatasetConfig
from onecycle_cli.data import Augment, Dataset, batch, load
from onecycle_cli.data.files.locate import locate
from onecycle_cli.data.sources.cifar import CIFAR10
from onecycle_cli.data.statistics import channel_statistics

BATCH_SIZE = 128
STEPS = 100
REPEATS = 9
SETTINGS = {
    "no augmentation": None,
    "flip, crop 4": Augment(flip=True, crop=4, cutout=0),
    "flip, crop 4, cutout 8": Augment(flip=True, crop=4, cutout=8),
}


def dataset() -> Dataset:
    if locate(CIFAR10.layout, None) is not None:
        return load(DatasetConfig(name="cifar10"), seed=0)
    return random_dataset()


def random_dataset() -> Dataset:
    x = np.random.default_rng(0).integers(0, 256, (50_000, 32, 32, 3), dtype=np.uint8)
    train, validation = np.split(np.arange(50_000), [45_000])
    mean, std = channel_statistics(x, train)
    return Dataset(
        name="random images",
        x=x,
        y=np.zeros(50_000, np.int32),
        train=train,
        validation=validation,
        classes=CIFAR10.classes,
        mean=mean,
        std=std,
        read_test=lambda: (x[:1], np.zeros(1, np.int32)),
        origin="numpy.random",
    )


def batches_per_second(data: Dataset, augment: Augment | None, epoch: int) -> float:
    start = time.perf_counter()
    for step in range(STEPS):
        batch(data, seed=0, epoch=epoch, step=step, batch_size=BATCH_SIZE, augment=augment)
    return STEPS / (time.perf_counter() - start)


def measure(data: Dataset) -> dict[str, dict[str, float]]:
    rates: dict[str, list[float]] = {name: [] for name in SETTINGS}
    for repeat in range(REPEATS + 1):
        for name, augment in SETTINGS.items():
            rate = batches_per_second(data, augment, epoch=repeat)
            if repeat:  # the first warms up
                rates[name].append(rate)
    return {name: record.spread(values) for name, values in rates.items()}


if __name__ == "__main__":
    images = dataset()
    record.write(
        __file__,
        f"batches a second, of {BATCH_SIZE} images of 32x32x3 ({images.name}), {REPEATS} repeats",
        measure(images),
        *sys.argv[1:],
    )
