"""What it costs to train on several devices of one machine, tried on logical ones.

    python benchmarks/scale.py [RESULT.json]

Networks for 32x32 images on random numbers, global batch 128, float32, on TensorFlow and JAX: steps
a second of the model of a config with `devices: 1` and `devices: 2`, each in a process of its own
and in turn, and how much longer a step takes with two. The two devices are one processor, so two of
them save no time: what is measured is what sharing a batch, adding up gradients and keeping two
copies of the weights adds. Nothing here says how much faster two GPUs are than one. The result goes
to scale.json beside this file, or to the path given.

    python benchmarks/scale.py --tiny [RESULT.json]

tries the script itself in a minute; its figures mean nothing.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import record
from own_process import answer_of
from random_images import workbench_on_random_images

NETWORKS: dict[str, dict[str, Any]] = {
    "mlp": {"hidden": 512, "layers": 2},
    "mini_vgg": {},
    "resnet9": {"width": 16},
}
BACKENDS = ("tensorflow", "jax")
DEVICES = (1, 2)
BATCH, EXAMPLES, REPEATS = 128, 128 * 40, 5
TINY_NETWORKS, TINY_REPEATS = ("mlp",), 1


def measured(network: str, devices: int) -> float:
    """Train a little in this process, and return the seconds of a step."""
    settings = {
        "batch_size": BATCH,
        "devices": devices,
        "steps_per_execution": 1,
        "fused_batch_norm": "auto",
        "model": {"name": network, "options": NETWORKS[network]},
    }
    with workbench_on_random_images(EXAMPLES, settings) as bench:
        from onecycle_cli.experiments.speed.steps import seconds_of_a_step

        return seconds_of_a_step(bench)


def compared(backend: str, network: str, repeats: int) -> dict[str, Any]:
    """Steps a second by the number of devices, and how much longer a step takes with two."""
    seconds: dict[int, list[float]] = {devices: [] for devices in DEVICES}
    for turn in range(repeats):
        for devices in DEVICES if turn % 2 else reversed(DEVICES):
            one = "--one", network, str(devices)
            seconds[devices].append(answer_of(__file__, *one, KERAS_BACKEND=backend))
            print(backend, network, devices, seconds[devices][-1], file=sys.stderr, flush=True)
    one, two = (seconds[devices] for devices in DEVICES)
    longer = [100 * (b / a - 1) for a, b in zip(one, two, strict=True)]
    return {
        "steps a second": {
            str(devices): record.spread([1 / s for s in times], 3)
            for devices, times in seconds.items()
        },
        "overhead of two devices, percent of a step": record.spread(longer, 3),
    }


def main(*targets: str, tiny: bool) -> None:
    networks = TINY_NETWORKS if tiny else tuple(NETWORKS)
    repeats = TINY_REPEATS if tiny else REPEATS
    results = {
        backend: {network: compared(backend, network, repeats) for network in networks}
        for backend in BACKENDS
    }
    what = f"steps of {BATCH} images of 32x32 in float32 on logical devices of one processor"
    record.write(__file__, f"{what}, {repeats} repeats", results, *targets)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measured(sys.argv[2], int(sys.argv[3]))))
    else:
        main(*(a for a in sys.argv[1:] if a != "--tiny"), tiny="--tiny" in sys.argv)
