"""What bfloat16 gains over float32 on this machine, for the networks of the configs.

    python benchmarks/precision.py [CONFIG ...]

Times real training steps, as `precision: auto` does, in float32 and in bfloat16 in turn, three
times. Needs CIFAR-10 where the tool finds it. What a machine without instructions for 16 bits does
can be seen on such a machine only: with ONEDNN_MAX_CPU_ISA=AVX2, oneDNN refuses instead.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import record

from onecycle_cli.config import load_config
from onecycle_cli.observer import Observer

CONFIGS = Path(__file__).parents[1] / "configs"
NAMES = ("cifar10-resnet9", "cifar10-mini-vgg", "cifar10-mini-mobilenet-v2", "cifar10-speedrun")
REPEATS = 3
PRECISIONS = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def measured(path: Path) -> dict[str, Any]:
    """Return the seconds of a step in each precision, and the gain of each pair."""
    from onecycle_cli.experiments.speed.steps import seconds_of_a_step
    from onecycle_cli.workbench.bench import Workbench

    seconds: dict[str, list[float]] = {name: [] for name in PRECISIONS}
    for _ in range(REPEATS):
        for name, precision in PRECISIONS.items():
            config = load_config(path).model_copy(update={"precision": precision})
            bench = Workbench(config, Observer())
            seconds[name].append(seconds_of_a_step(bench))
            bench.close()
    gains = [a / b for a, b in zip(seconds["float32"], seconds["bfloat16"], strict=True)]
    found = {f"{name}, seconds a step": record.spread(s, 3) for name, s in seconds.items()}
    return found | {"gain of bfloat16": record.spread(gains, 3)}


if __name__ == "__main__":
    from onecycle_cli.engine.start import start_keras

    start_keras()
    paths = [Path(name) for name in sys.argv[1:]] or [CONFIGS / f"{name}.yaml" for name in NAMES]
    found = {path.stem: measured(path) for path in paths}
    record.write(__file__, "training steps in float32 and in bfloat16", found)
