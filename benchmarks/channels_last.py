"""A training step of networks of convolutions on PyTorch, with Keras' copies of images and without.

    python benchmarks/channels_last.py [--repeats N] [RESULT.json]

Processor time of a step of Keras' own training function in milliseconds, from the median step, for
images of 32 by 32 pixels, batches of 64, float32, one thread. It is measured as Keras is; without
the copies, see `onecycle_cli/engine/kernels/channels_last.py`; and then with the filters stored in
the order in which PyTorch reads them, too. Each figure is found in a process of its own, in turn.
"same bits" compares loss and weights after the steps. Run it under an interpreter that has PyTorch.
The result goes to channels_last.json beside this file, and from there into docs/backends.md, or to
the path given.
"""

import argparse
import contextlib
import json
import statistics
import time
from pathlib import Path

import record
from own_process import answer_of

NETWORKS = {
    "MiniVGG": ("mini_vgg", {}),
    "ResNet-9, width 16": ("resnet9", {"width": 16}),
}
WAYS = ("Keras' copies", "no copies", "no copies, filters stored in order")
SIDE, BATCH, STEPS, WARMING = 32, 64, 8, 2


def measured(network: str, way: str) -> dict:
    import numpy as np
    import torch

    from onecycle_cli.engine.kernels.channels_last import channels_last
    from onecycle_cli.engine.repeatable import make_repeatable
    from onecycle_cli.engine.start import start_keras
    from onecycle_cli.registry import models

    torch.set_num_threads(1)
    keras = start_keras()
    make_repeatable(0)
    name, options = NETWORKS[network]
    shape = (SIDE, SIDE, 3)
    model = models.build(name, options, input_shape=shape, num_outputs=10, activation=None)
    if way == WAYS[2]:
        for variable in (v for v in model.trainable_variables if len(v.shape) == 4):
            read = variable.value.data.permute(3, 2, 0, 1)
            stored = read.contiguous(memory_format=torch.channels_last)
            variable.value.data = stored.permute(2, 3, 1, 0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True), loss, jit_compile=False)
    model.make_train_function()
    random = np.random.default_rng(0)
    images = torch.tensor(random.normal(size=(BATCH, *shape)), dtype=torch.float32)
    batch = images, torch.tensor(random.integers(0, 10, BATCH))
    taken = []
    with contextlib.nullcontext() if way == WAYS[0] else channels_last(model):
        for _ in range(STEPS + WARMING):
            start = time.process_time()
            logs = model.train_function([batch])
            taken.append(1000 * (time.process_time() - start))
    weights = sum(float(np.abs(w).sum(dtype=np.float64)) for w in model.get_weights())
    return {
        "milliseconds": statistics.median(taken[WARMING:]),
        "bits": [float(logs["loss"]).hex(), weights.hex()],
    }


def in_own_process(*arguments: str) -> dict:
    return answer_of(__file__, "--one", *arguments, KERAS_BACKEND="torch", OMP_NUM_THREADS="1")


def measure(network: str, repeats: int) -> dict:
    found = [{way: in_own_process(network, way) for way in WAYS} for _ in range(repeats)]
    return {
        way: {
            "cpu_milliseconds_of_a_step": record.spread(
                [one[way]["milliseconds"] for one in found]
            ),
            "same bits": all(one[way]["bits"] == one[WAYS[0]]["bits"] for one in found),
        }
        for way in WAYS
    }


def table(results: dict) -> str:
    """The processor time of a step, in milliseconds, in Markdown."""
    rows = [
        (
            name,
            *(f"{found[way]['cpu_milliseconds_of_a_step']['median']:.3g}" for way in WAYS),
            "yes" if all(found[way]["same bits"] for way in WAYS) else "no",
        )
        for name, found in results.items()
    ]
    return record.in_markdown(("network", *WAYS, "same bits"), rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("result", nargs="?")
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measured(*given.one)))
        return
    results = {network: measure(network, given.repeats) for network in NETWORKS}
    record.write(__file__, "processor time of a training step on PyTorch", results, given.result)
    if given.result is None:
        document = Path(__file__).parents[1] / "docs" / "backends.md"
        record.insert(document, "channels last", table(results))


if __name__ == "__main__":
    main()
