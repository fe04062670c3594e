"""Sums of three and more tensors in the order in which they are given: what it does, what it costs.

    python benchmarks/ordered_sums.py [RESULT.json]

On TensorFlow, with its deterministic operations on. Each way, sums as TensorFlow adds them
and sums in order, has processes of its own, in turn.

* How many different gradients a network with stock BatchNormalization has for one batch of 160
  images of 32x32: a gradient is computed twelve times in each of three processes.
* The processor time of a training step of networks of this package on random numbers, batch size
  64, one thread. The start and the first steps are left out, by taking the difference between a
  longer and a shorter training.

The result goes to ordered_sums.json beside this file, or to the path given.
"""

from __future__ import annotations

import hashlib
import json
import sys
import time
from typing import Any

import record
from own_process import answer_of
from random_images import workbench_on_random_images

WAYS = ("as TensorFlow adds", "in order")
STEPS = {"mlp": 400, "mini_vgg": 16, "resnet9": 30, "mini_mobilenet_v2": 16}
EXAMPLES, BATCH, REPEATS, PROCESSES, GRADIENTS = 2560, 64, 5, 3, 12
ONE_THREAD = {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


def gradients() -> list[str]:
    """Return a digest of each of some gradients of one loss, all of which should be the same."""
    from onecycle_cli.engine.repeatable import make_repeatable

    make_repeatable(0)
    import keras
    import numpy as np
    import tensorflow as tf

    layers = keras.layers
    model = keras.Sequential(
        [
            *(keras.Input((32, 32, 3)), layers.Conv2D(64, 3, padding="same")),
            *(layers.BatchNormalization(), layers.Conv2D(64, 1)),
            *(layers.GlobalAveragePooling2D(), layers.Dense(10)),
        ]
    )
    random = np.random.default_rng(0)
    x, y = tf.constant(random.standard_normal((160, 32, 32, 3), np.float32)), np.arange(160) % 10
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    @tf.function
    def gradient(x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        return tape.gradient(loss, model.trainable_weights)

    found = [b"".join(g.numpy().tobytes() for g in gradient(x)) for _ in range(GRADIENTS)]
    return [hashlib.sha256(bits).hexdigest()[:16] for bits in found]


def milliseconds_of_a_step(network: str) -> float:
    settings = {"batch_size": BATCH, "steps_per_execution": 1, "model": {"name": network}}
    with workbench_on_random_images(EXAMPLES, settings) as bench:
        from onecycle_cli.experiments.speed import steps

        steps._LONG_ENOUGH = float("inf")
        count, times = STEPS[network], [0.0]
        for length in (4, count, 2 * count):
            steps.train_a_little(bench, length)
            times.append(time.process_time())
    _, start, short, long = times
    return 1000 * ((long - short) - (short - start)) / count


def in_own_process(way: str, *what: str, **environment: str) -> Any:
    return answer_of(__file__, "--one", way, *what, KERAS_BACKEND="tensorflow", **environment)


def main(*targets: str) -> None:
    bits: dict[str, set[str]] = {way: set() for way in WAYS}
    for _ in range(PROCESSES):
        for way in WAYS:
            bits[way].update(in_own_process(way))
    counts = {way: len(found) for way, found in bits.items()}
    print("different gradients", counts, file=sys.stderr, flush=True)
    costs = {}
    for network in STEPS:
        taken: dict[str, list[float]] = {way: [] for way in WAYS}
        for turn in range(REPEATS):
            for way in WAYS if turn % 2 else reversed(WAYS):
                taken[way].append(in_own_process(way, network, **ONE_THREAD))
        ratios = [b / a for a, b in zip(*taken.values(), strict=True)]
        costs[network] = {way: record.spread(times, 3) for way, times in taken.items()}
        costs[network]["in order, as a multiple"] = record.spread(ratios, 3)
        print(network, costs[network], file=sys.stderr, flush=True)
    what = f"different gradients of {PROCESSES * GRADIENTS}; CPU ms of a step, batch size {BATCH}"
    results = {"different gradients": counts, "CPU ms of a step": costs}
    record.write(__file__, what, results, *targets)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        from onecycle_cli.engine import repeatable

        if sys.argv[2] == WAYS[0]:
            repeatable._sum_in_order = lambda settings: None
        found = milliseconds_of_a_step(sys.argv[3]) if sys.argv[3:] else gradients()
        print(json.dumps(found))
    else:
        main(*sys.argv[1:])
