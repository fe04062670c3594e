"""Images a second of `train`, end to end, against plain Keras `fit` on the same model.

    python benchmarks/end_to_end.py

Both train the same model on the same part of CIFAR-10 ($ONECYCLE_DATA, or a cache) for two epochs
and validate after each; time includes tracing. `train` also augments (flip and crop), schedules
learning rate and momentum at each step, records every loss, keeps the best model and writes its
files; `fit` gets float32 arrays that were normalised beforehand, and no augmentation. The two run
in turn, each in a process of its own. The result goes to end_to_end.json beside this file, or to
the path given as the only argument.
"""

import subprocess
import sys
import tempfile
import time

import record

SETTINGS = {
    "mini_vgg": ({}, "float32", 1280),
    "mini_mobilenet_v2": ({}, "float32", 512),
    "resnet9": ({"width": 16}, "float32", 1280),
}
REPEATS = 2
EPOCHS = 2


def config(name: str) -> dict:
    options, precision, images = SETTINGS[name]
    return {
        "dataset": {"name": "cifar10", "limit": images},
        "model": {"name": name, "options": options},
        "precision": precision,
        "optimizer": {"weight_decay": 1e-4},
        "train": {"cycles": [{"epochs": EPOCHS}], "max_lr": 0.01},
    }


def with_train(name: str) -> float:
    from onecycle_cli import train

    with tempfile.TemporaryDirectory() as folder:
        return train(config(name), out=folder).images_per_second


def with_fit(name: str) -> float:
    from onecycle_cli import data, load_config, registry
    from onecycle_cli.backend import make_repeatable, start_keras

    keras = start_keras()
    settings = load_config(config(name))
    make_repeatable(settings.seed)
    dataset = data.load(settings.dataset, seed=settings.seed)
    x = {part: dataset.normalise(dataset.x[getattr(dataset, part)]) for part in PARTS}
    y = {part: dataset.y[getattr(dataset, part)] for part in PARTS}
    model = registry.build(
        name,
        settings.model.options,
        input_shape=dataset.input_shape,
        num_outputs=dataset.num_outputs,
        activation=None,
    )
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    start = time.perf_counter()
    model.fit(
        x["train"],
        y["train"],
        batch_size=settings.batch_size,
        epochs=EPOCHS,
        validation_data=(x["validation"], y["validation"]),
        verbose=0,
    )
    return EPOCHS * len(x["train"]) / (time.perf_counter() - start)


PARTS = ("train", "validation")
WAYS = {"train": with_train, "fit": with_fit}


def in_own_process(way: str, name: str) -> float:
    command = [sys.executable, __file__, "--one", way, name]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(run.stdout.split()[-1])


def measure(name: str) -> dict:
    rates: dict[str, list[float]] = {way: [] for way in WAYS}
    for _ in range(REPEATS):
        for way in WAYS:
            rates[way].append(in_own_process(way, name))
    ratios = [a / b for a, b in zip(rates["train"], rates["fit"], strict=True)]
    return {
        "images_per_second": {way: record.spread(values) for way, values in rates.items()},
        "train_over_fit": record.spread(ratios),
    }


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(WAYS[sys.argv[2]](sys.argv[3]))
    else:
        what = f"training images a second, end to end, {EPOCHS} epochs, {REPEATS} repeats in turn"
        record.write(__file__, what, {name: measure(name) for name in SETTINGS}, *sys.argv[1:])
