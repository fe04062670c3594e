"""Images a second of `train`, end to end, against plain Keras `fit` and a PyTorch loop.

    python benchmarks/end_to_end.py [--torch PYTHON] [--only SETTING] [RESULT.json]

All train the same network on the same part of the same data ($ONECYCLE_DATA, or a cache) at the
same precision and batch size, 30 batches an epoch of CIFAR-10, and validate after each epoch; the
first epoch, with the tracing that PyTorch has no need of, is left out of the rates and stands
beside them in seconds. `train` also augments (flip and crop, CIFAR-10 only), schedules learning
rate and momentum at each step, records every loss, keeps the best model and writes its files; the
others get float32 arrays that were normalised beforehand, and no augmentation. They run in turn,
each in its own process. The PyTorch loop, torch_loop.py, and Keras on PyTorch run under the
interpreter named by --torch or $ONECYCLE_TORCH; they are left out where there is none. Keras on JAX
and on PyTorch get a fifth of the images, as they are slow on a processor. "memory kept" stands
for MALLOC_... variables that have glibc keep freed memory, as `train` does by itself on TensorFlow.
Beside the rates stands what the network asks for, 3 x 2 x the multiply-adds of a forward pass, as a
share of what a large matrix product reaches on this machine (`train` in full, its validation and
augmentation not counted as work). The result goes to end_to_end.json beside this file, and from
there into docs/speed.md, or to the path given.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import record


@dataclass(frozen=True)
class Setting:
    """What is trained; `images` are those of the training and the validation part."""

    network: str
    precision: str = "float32"
    dataset: str = "cifar10"
    options: dict[str, int] = field(default_factory=dict)
    images: int | None = 4266
    epochs: int = 2


SETTINGS = {
    "mini_mobilenet_v2": Setting("mini_mobilenet_v2"),
    "resnet9": Setting("resnet9", options={"width": 32}),
    "resnet9_bfloat16": Setting("resnet9", "mixed_bfloat16", options={"width": 32}),
    "mini_vgg": Setting("mini_vgg"),
    "mlp": Setting("mlp", dataset="digits", images=None, epochs=40),
}
TITLES = {
    "mini_mobilenet_v2": "MiniMobileNetV2, float32",
    "resnet9": "ResNet-9, width 32, float32",
    "resnet9_bfloat16": "ResNet-9, width 32, mixed_bfloat16",
    "mini_vgg": "MiniVGG, float32",
    "mlp": "digits, perceptron",
}
AIMS = {
    "mini_mobilenet_v2": ("1.8", "1.8"),
    "resnet9": ("1.15", "1.0"),
    "resnet9_bfloat16": ("1.8", "1.1"),
    "mini_vgg": ("1.5", ""),
    "mlp": ("", "0.5"),
}
"""Times as fast as `fit`, and as PyTorch."""
PARTS = ("train", "validation")
REPEATS = 2
SLOW_SHARE = 5
AS_IT_IS = {"ONECYCLE_KEEP_MEMORY": "off"}
MEMORY_KEPT = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "-1",
}


def config(name: str, share: int = 1) -> dict:
    setting = SETTINGS[name]
    images = setting.images if setting.images is None else setting.images // share
    return {
        "dataset": {"name": setting.dataset, "limit": images},
        "model": {"name": setting.network, "options": setting.options},
        "precision": setting.precision,
        "optimizer": {"weight_decay": 1e-4},
        "train": {"cycles": [{"epochs": setting.epochs}], "max_lr": 0.01},
    }


class Stopwatch:
    """Notes when each epoch, its validation included, is over."""

    def __init__(self) -> None:
        self.times = [time.perf_counter()]

    def lap(self, *_) -> None:
        self.times.append(time.perf_counter())

    def report(self, examples: int) -> tuple[float, float]:
        """Images a second from the second epoch on, and the seconds of the first epoch."""
        start, first, *_, last = self.times
        return examples * (len(self.times) - 2) / (last - first), first - start


def with_train(name: str) -> tuple[float, float]:
    from onecycle_cli import train
    from onecycle_cli.observer import Observer

    watch = Stopwatch()

    class Watching(Observer):
        def begin(self, title, steps):
            watch.times[0] = time.perf_counter()

        def note(self, text):
            if text.startswith("epoch "):
                watch.lap()

    with tempfile.TemporaryDirectory() as folder:
        train(config(name), out=folder, observer=Watching())
    return watch.report(len(prepared(name)[1]["x_train"]))


def prepared(name: str, share: int = 1):
    """Return settings, arrays of a share of the data, and the network, as `train` has them."""
    from onecycle_cli import data, load_config
    from onecycle_cli.engine.repeatable import make_repeatable
    from onecycle_cli.engine.start import start_keras
    from onecycle_cli.registry import models

    keras = start_keras()
    settings = load_config(config(name, share))
    make_repeatable(settings.seed)
    dataset = data.load(settings.dataset, seed=settings.seed)
    rows = {part: getattr(dataset, part) for part in PARTS}
    arrays = {f"x_{part}": dataset.normalise(dataset.x[rows[part]]) for part in PARTS}
    arrays |= {f"y_{part}": dataset.y[rows[part]] for part in PARTS}
    keras.config.set_dtype_policy(settings.precision)
    model = models.build(
        settings.model.name,
        settings.model.options,
        input_shape=dataset.input_shape,
        num_outputs=dataset.num_outputs,
        activation=None,
    )
    return settings, arrays, model


def with_fit(name: str, share: int = 1) -> tuple[float, float]:
    import keras

    settings, arrays, model = prepared(name, share)
    epochs = settings.train.cycles[0].epochs
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    watch = Stopwatch()
    model.fit(
        arrays["x_train"],
        arrays["y_train"],
        batch_size=settings.batch_size,
        epochs=epochs,
        validation_data=(arrays["x_validation"], arrays["y_validation"]),
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=watch.lap)],
    )
    return watch.report(len(arrays["x_train"]))


def with_torch(name: str) -> tuple[float, float]:
    import numpy as np

    settings, arrays, model = prepared(name)
    parameters = sum(v.value.numpy().size for v in model.trainable_variables)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.npz"
        np.savez(path, **arrays)
        numbers = (settings.train.cycles[0].epochs, settings.batch_size, parameters)
        script = Path(__file__).with_name("torch_loop.py")
        network = settings.model.name
        command = [os.environ["ONECYCLE_TORCH"], script, path, network, settings.precision]
        run = subprocess.run([*command, *map(str, numbers)], stdout=subprocess.PIPE, check=True)
    rate, first = map(float, run.stdout.split())
    return rate, first


def with_products(name: str) -> tuple[float]:
    """GFLOP/s of a large matrix product at the setting's precision."""
    import tensorflow as tf

    dtype = "bfloat16" if SETTINGS[name].precision == "mixed_bfloat16" else "float32"
    size = 2048
    a, b = (tf.cast(tf.random.normal((size, size)), dtype) for _ in range(2))
    seconds = []
    for _ in range(8):
        start = time.perf_counter()
        (a @ b).numpy()
        seconds.append(time.perf_counter() - start)
    return (2 * size**3 / min(seconds) / 1e9,)


def with_count(name: str) -> tuple[float]:
    """Floating-point operations of one training example, in units of 10^9."""
    import numpy as np

    _, _, model = prepared(name)
    multiply_adds = 0
    for layer in model.layers:
        if getattr(layer, "kernel", None) is not None:
            pixels = np.prod(layer.output.shape[1:-1], dtype=int)
            multiply_adds += int(np.prod(layer.kernel.shape)) * int(pixels)
    return (3 * 2 * multiply_adds / 1e9,)


@dataclass(frozen=True)
class Way:
    """How it is trained, or another figure is found; in a process of its own."""

    run: Callable[[str], tuple[float, ...]]
    environment: dict[str, str] = field(default_factory=dict)
    needs_torch: bool = False
    on_torch: bool = False


WAYS = {
    "train": Way(with_train),
    "fit": Way(with_fit, AS_IT_IS),
    "torch": Way(with_torch, AS_IT_IS, needs_torch=True),
    "fit, memory kept": Way(with_fit, MEMORY_KEPT),
    "torch, memory kept": Way(with_torch, MEMORY_KEPT, needs_torch=True),
    "train on jax": Way(with_train, {"KERAS_BACKEND": "jax"}),
    "fit on jax": Way(partial(with_fit, share=SLOW_SHARE), {"KERAS_BACKEND": "jax"}),
    "fit on torch": Way(
        partial(with_fit, share=SLOW_SHARE),
        {"KERAS_BACKEND": "torch"},
        needs_torch=True,
        on_torch=True,
    ),
}
LEFT_OUT = {
    ("fit on jax", "mini_mobilenet_v2"),
    *(("train on jax", name) for name in SETTINGS if name != "mlp"),
}
"""XLA is slow at convolutions on a CPU, and far slower at depthwise ones."""
ALONE = {"peak": Way(with_products), "count": Way(with_count)}


def in_own_process(name_of_way: str, name: str) -> list[float]:
    way = (WAYS | ALONE)[name_of_way]
    python = os.environ["ONECYCLE_TORCH"] if way.on_torch else sys.executable
    command = [python, __file__, "--one", name_of_way, name]
    environment = {**os.environ, **way.environment}
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)
    return [float(word) for word in run.stdout.splitlines()[-1].split()]


def measure(name: str) -> dict:
    has_torch = bool(os.environ.get("ONECYCLE_TORCH"))
    ways = [
        way
        for way in WAYS
        if (has_torch or not WAYS[way].needs_torch) and (way, name) not in LEFT_OUT
    ]
    rates: dict[str, list[float]] = {way: [] for way in ways}
    firsts: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(REPEATS):
        for way in ways:
            rate, first = in_own_process(way, name)
            rates[way].append(rate)
            firsts[way].append(first)
    (gigaflops,), (peak,) = in_own_process("count", name), in_own_process("peak", name)
    found = {
        "precision": SETTINGS[name].precision,
        "images_per_second": {way: record.spread(values) for way, values in rates.items()},
        "seconds_of_first_epoch": {way: record.spread(values) for way, values in firsts.items()},
    }
    for way in ways[1:]:
        ratios = [a / b for a, b in zip(rates["train"], rates[way], strict=True)]
        found[f"train over {way}"] = record.spread(ratios)
    best = max(rates["train"])
    return found | {
        "gigaflops_per_image": round(gigaflops, 4),
        "matrix_product_gigaflops_per_second": round(peak, 1),
        "share_of_matrix_product": round(best * gigaflops / peak, 3),
    }


def table(results: dict) -> str:
    """The rates of `train` beside those of others, and what `train` gains, in Markdown."""
    heads = ("network", "`train`", "`fit`", "PyTorch", "over `fit`", "aim", "over PyTorch", "aim",
             "of the matrix product's peak")  # fmt: skip
    rows = []
    for name, found in results.items():
        over_fit, over_torch = AIMS[name]
        rows.append((
            TITLES[name],
            *(rate(found, way) for way in ("train", "fit", "torch")),
            gain(found, "fit"), over_fit, gain(found, "torch"), over_torch,
            f"{100 * found['share_of_matrix_product']:.0f} %",
        ))  # fmt: skip
    return record.in_markdown(heads, rows)


def table_of_others(results: dict) -> str:
    """The rates with kept memory and on other backends, in Markdown."""
    ways = {
        "fit, memory kept": "`fit`, memory kept",
        "torch, memory kept": "PyTorch, memory kept",
        "fit on torch": "`fit` on PyTorch",
        "fit on jax": "`fit` on JAX",
        "train on jax": "`train` on JAX",
    }
    heads = ("network", *ways.values(), "`train` over PyTorch, memory kept")
    rows = [
        (TITLES[name], *(rate(found, way) for way in ways), gain(found, "torch, memory kept"))
        for name, found in results.items()
    ]
    return record.in_markdown(heads, rows)


def rate(found: dict, way: str) -> str:
    rates = found["images_per_second"].get(way)
    return f"{rates['median']:,.0f}" if rates else ""


def gain(found: dict, way: str) -> str:
    ratios = found.get(f"train over {way}")
    return f"{ratios['median']:.2f}" if ratios else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--torch", default=os.environ.get("ONECYCLE_TORCH", ""))
    parser.add_argument("--only", choices=SETTINGS)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("result", nargs="?")
    given = parser.parse_args()
    if given.one:
        way, name = given.one
        print(*(WAYS | ALONE)[way].run(name))
        return
    os.environ["ONECYCLE_TORCH"] = given.torch
    names = [given.only] if given.only else list(SETTINGS)
    what = (
        f"training images a second, end to end, from the second epoch on; {REPEATS} repeats in turn"
    )
    results = {name: measure(name) for name in names}
    record.write(__file__, what, results, given.result)
    if given.result is None and names == list(SETTINGS):
        page = Path(__file__).parents[1] / "docs" / "speed.md"
        record.insert(page, "end to end", table(results))
        record.insert(page, "other ways", table_of_others(results))


if __name__ == "__main__":
    main()
