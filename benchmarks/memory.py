"""What a training step costs with and without memory that stays, by backend and by oneDNN.

    python benchmarks/memory.py [RESULT.json]

Plain Keras `fit` of networks for 32x32 images, batch 128, float32, each time in a process of its
own and in turn, with ONECYCLE_KEEP_MEMORY=on and off: the CPU seconds of a step in the program and
in the kernel, the pages that the kernel had to map, and the most memory of the process. CPU seconds
bear other work on the machine, which wall-clock time does not. A processor without AVX512 is stood
in for by ONEDNN_MAX_CPU_ISA=AVX2, which TensorFlow's own matrix products heed, too. PyTorch runs
under the interpreter that $ONECYCLE_TORCH names, which needs Keras and what this package needs; it
is left out where there is none. The result goes to memory.json beside this file, or to the path
given.
"""

import itertools
import json
import os
import resource
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import record

NETWORKS = {"mini_vgg": {}, "mini_mobilenet_v2": {}, "resnet9": {"width": 32}}
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2"}
WAYS = {
    "TensorFlow, as on AVX2, oneDNN off": AVX2 | {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "TensorFlow, as on AVX2, oneDNN on": AVX2 | {"TF_ENABLE_ONEDNN_OPTS": "1"},
    "TensorFlow, oneDNN on": {"TF_ENABLE_ONEDNN_OPTS": "1"},
    "JAX": {"KERAS_BACKEND": "jax"},
    "PyTorch": {"KERAS_BACKEND": "torch"},
}
LEFT_OUT = {("JAX", "mini_mobilenet_v2")}
"""XLA's depthwise convolutions are very slow on a CPU."""
KEPT = {"given back": "off", "kept": "on"}
BATCH, STEPS, REPEATS = 128, 3, 2


def measured(name: str) -> dict[str, float]:
    """Train in this process and return what a step cost."""
    from onecycle_cli.engine.start import start_keras

    keras = start_keras()
    import numpy as np

    model = import_module(f"onecycle_models.{name}").build((32, 32, 3), 10, **NETWORKS[name])
    optimizer = keras.optimizers.SGD(1e-3, momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", jit_compile=False)
    random = np.random.default_rng(0)
    x = random.normal(size=(STEPS * BATCH, 32, 32, 3)).astype("float32")
    y = random.integers(0, 10, len(x))
    model.fit(x[: 2 * BATCH], y[: 2 * BATCH], batch_size=BATCH, verbose=0)  # traces, and warms up
    before = resource.getrusage(resource.RUSAGE_SELF)
    model.fit(x, y, batch_size=BATCH, verbose=0)
    after = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "CPU seconds a step, program": (after.ru_utime - before.ru_utime) / STEPS,
        "CPU seconds a step, kernel": (after.ru_stime - before.ru_stime) / STEPS,
        "pages mapped a step": (after.ru_minflt - before.ru_minflt) / STEPS,
        "peak, MiB": after.ru_maxrss / 1024,
    }


def in_own_process(name: str, way: str, kept: str) -> dict[str, float]:
    root = Path(__file__).resolve().parents[1]
    environment = {"KERAS_BACKEND": "tensorflow", "PYTHONPATH": str(root), **os.environ}
    environment |= WAYS[way] | {"ONECYCLE_KEEP_MEMORY": KEPT[kept]}
    python = os.environ["ONECYCLE_TORCH"] if way == "PyTorch" else sys.executable
    command = [python, __file__, "--one", name]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name}, {way}, {kept}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def measured_once(ways: list[str], runs: dict[tuple[str, ...], list[dict[str, float]]]) -> None:
    pairs = [pair for pair in itertools.product(ways, NETWORKS) if pair not in LEFT_OUT]
    for (way, name), kept in itertools.product(pairs, KEPT):
        found = in_own_process(name, way, kept)
        print(way, name, kept, found, file=sys.stderr, flush=True)
        runs.setdefault((way, name, kept), []).append(found)


def spreads(runs: dict[tuple[str, ...], list[dict[str, float]]]) -> dict[str, Any]:
    results: dict[str, Any] = {}
    for (way, name, kept), found in runs.items():
        figures = {key: record.spread([run[key] for run in found], 3) for key in found[0]}
        results.setdefault(way, {}).setdefault(name, {})[kept] = figures
    return results


def main() -> None:
    ways = [way for way in WAYS if way != "PyTorch" or os.environ.get("ONECYCLE_TORCH")]
    runs: dict[tuple[str, ...], list[dict[str, float]]] = {}
    for repeat in range(1, REPEATS + 1):
        measured_once(ways, runs)
        what = f"steps of {BATCH} images of 32x32 in float32, {repeat} repeats"
        record.write(__file__, what, spreads(runs), *sys.argv[1:])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measured(sys.argv[2])))
    else:
        main()
