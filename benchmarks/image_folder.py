"""How long a folder of 10,000 mixed images takes to load, the first time and the second.

    python benchmarks/image_folder.py

Makes the folder anew: JPEG and PNG, two to one, from 64 to 512 pixels a side, by enlarging images
of CIFAR-10 (a copy in $ONECYCLE_DATA or a cache, else random ones; nothing is downloaded) and
adding noise. `load` brings them to 96x96 pixels, with a cache of its own. The same images are
decoded by one thread, by one for each processor, and by as many spawned processes, which start and
hand the pixels back within the time; all in turn, so that a busy moment hits all alike. The files
lie in the system's memory by then, as they have just been written. The result, in seconds, goes to
image_folder.json beside this file, or to the path given as the only argument.
"""

import multiprocessing
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from unittest import mock

import numpy as np
import PIL
import record
from PIL import Image

from onecycle_cli.config import DatasetConfig
from onecycle_cli.data import load
from onecycle_cli.data.files.locate import locate
from onecycle_cli.data.images import decoding
from onecycle_cli.data.images.images import Form, decode, safe_opening
from onecycle_cli.data.sources.cifar import CIFAR10

COUNT = 10_000
CLASSES = 10
SIDES = (64, 512)
FORM = Form((96, 96), "RGB", "resize")
REPEATS = 3
SHARE = 64  # images that a process decodes at a time


def make(folder: Path) -> None:
    random = np.random.default_rng(0)
    for i, pixels in enumerate(originals()):
        width, height = random.integers(*SIDES, 2, endpoint=True)
        image = np.asarray(Image.fromarray(pixels).resize((int(width), int(height))), np.int16)
        noisy = np.clip(image + random.integers(-6, 7, (*image.shape[:2], 1)), 0, 255)
        path = folder / str(i % CLASSES) / f"{i}.{'jpg' if i % 3 else 'png'}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(noisy.astype(np.uint8)).save(path)


def originals() -> np.ndarray:
    if locate(CIFAR10.layout, None) is not None:
        return load(DatasetConfig(name="cifar10"), seed=0).x[:COUNT]
    return np.random.default_rng(1).integers(0, 256, (COUNT, 32, 32, 3), dtype=np.uint8)


def by_threads(paths: list[Path], count: int) -> np.ndarray:
    with mock.patch.object(decoding.os, "cpu_count", lambda: count):
        return decoding.decoded(paths, FORM)


def by_processes(paths: list[Path], count: int) -> np.ndarray:
    shares = [paths[start : start + SHARE] for start in range(0, len(paths), SHARE)]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, mp_context=spawn) as pool:
        return np.concatenate(list(pool.map(decode_share, shares)))


def decode_share(paths: list[Path]) -> np.ndarray:
    with safe_opening():
        return np.stack([decode(path, FORM) for path in paths])


def loaded(folder: Path) -> np.ndarray:
    return load(DatasetConfig(name="image_folder", path=str(folder), size=[96, 96]), seed=0).x


def measure(folder: Path, cache: Path) -> dict[str, dict[str, float]]:
    paths = sorted(folder.glob("*/*"))
    cpus = os.cpu_count() or 1
    seconds: dict[str, list[float]] = {}
    expected = loaded(folder)  # warms up

    def timed(name: str, work: Callable[[], np.ndarray]) -> None:
        start = time.perf_counter()
        x = work()
        seconds.setdefault(name, []).append(time.perf_counter() - start)
        if not np.array_equal(x, expected):
            raise SystemExit(f"{name}: other images")

    for _ in range(REPEATS):
        shutil.rmtree(cache)
        timed("load, first time", lambda: loaded(folder))
        timed("load, second time", lambda: loaded(folder))
        timed("decode, 1 thread", lambda: by_threads(paths, 1))
        timed(f"decode, {cpus} threads", lambda: by_threads(paths, cpus))
        timed(f"decode, {cpus} processes", lambda: by_processes(paths, cpus))
    return {name: record.spread(values) for name, values in seconds.items()}


def megabytes(folder: Path) -> int:
    return round(sum(path.stat().st_size for path in folder.rglob("*.*")) / 1e6)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        images, caches = Path(place) / "images", Path(place) / "cache"
        make(images)
        os.environ["XDG_CACHE_HOME"] = str(caches)
        results = measure(images, caches)
        record.write(
            __file__,
            f"seconds for {COUNT} JPEG and PNG files of {SIDES[0]} to {SIDES[1]} pixels a side, "
            f"{megabytes(images)} MB, at 96x96 pixels, {megabytes(caches)} MB; Pillow "
            f"{PIL.__version__}, {REPEATS} repeats",
            results,
            *sys.argv[1:],
        )
