"""The gradient of a convolution's filters in bfloat16: TensorFlow's own, and by a convolution.

    python benchmarks/filter_gradient.py [RESULT.json]

Single layers with filters of 3 x 3 pixels, medians of six; and whole training steps of ResNet-9 at
batch size 128, in turn, ten pairs of eight steps. Times are seconds of the processor, of all
threads together. Needs CIFAR-10 where the tool finds it.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import record

from onecycle_cli.config import load_config
from onecycle_cli.observer import Observer

SHAPES = (
    (128, 16, 64, 64),
    (128, 12, 128, 128),
    (128, 10, 256, 256),
    (128, 8, 64, 64),
    (128, 8, 128, 256),
    (128, 7, 192, 192),
    (128, 4, 256, 256),
    (128, 4, 32, 32),
    (128, 2, 64, 64),
    (32, 16, 128, 128),
    (32, 8, 128, 256),
    (32, 4, 256, 256),
    (512, 8, 128, 256),
    (512, 7, 192, 192),
    (512, 5, 192, 192),
    (512, 4, 256, 256),
)
"""Examples, side in pixels, channels in, channels out."""
CONFIG = Path(__file__).parents[1] / "configs" / "cifar10-resnet9.yaml"
WIDTHS = (16, 32)
REPEATS, PAIRS, STEPS, UNTIMED = 6, 10, 8, 2


def seconds(work: Callable[[], Any]) -> float:
    """Of the processor, which the other work of a machine changes less than those of a clock."""
    start = time.process_time()
    work()
    return time.process_time() - start


def of_layers() -> dict[str, Any]:
    found = {}
    for examples, side, entering, leaving in SHAPES:
        ways = both_ways(examples, side, entering, leaving)
        times = [[seconds(way) for way in ways] for _ in range(REPEATS + 2)][2:]
        before, after = (1000 * statistics.median(t) for t in zip(*times, strict=True))
        found[f"{examples} x {side} x {side}, {entering} to {leaving} channels"] = {
            "milliseconds, its own": round(before, 2),
            "milliseconds, by a convolution": round(after, 2),
            "times as fast": round(before / after, 2),
        }
    return found


def both_ways(examples: int, side: int, entering: int, leaving: int) -> list[Callable[[], Any]]:
    import tensorflow as tf

    from onecycle_cli.engine.kernels.filter_gradient import gradient_of_filters

    x = tf.cast(tf.random.normal((examples, side, side, entering)), "bfloat16")
    out = tf.cast(tf.random.normal((examples, side, side, leaving)), "bfloat16")

    def its_own() -> Any:
        return tf.raw_ops.Conv2DBackpropFilter(
            input=x,
            filter_sizes=(3, 3, entering, leaving),
            out_backprop=out,
            strides=[1, 1, 1, 1],
            padding="SAME",
        )

    def convolved() -> Any:
        return gradient_of_filters(x, out, (3, 3), "SAME")

    return [tf.function(way, autograph=False) for way in (its_own, convolved)]


def of_steps(width: int) -> dict[str, Any]:
    """What a step takes either way, and the gain of each pair."""
    from onecycle_cli.workbench.bench import Workbench

    config = load_config(CONFIG)
    model = config.model.model_copy(update={"options": {"width": width}})
    config = config.model_copy(update={"precision": "mixed_bfloat16", "model": model})
    benches = {name: Workbench(config, Observer()) for name in ("its own", "by a convolution")}
    benches["its own"].convolved.release()
    times: dict[str, list[float]] = {name: [] for name in benches}
    for pair in range(PAIRS + 1):
        for name in (list(benches), list(benches)[::-1])[pair % 2]:
            times[name].append(of_a_step(benches[name]))
    own, convolved = (t[1:] for t in times.values())
    for bench in benches.values():
        bench.close()
    return {
        "processor seconds a step, its own": record.spread(own, 3),
        "processor seconds a step, by a convolution": record.spread(convolved, 3),
        "gain": record.spread([a / b for a, b in zip(own, convolved, strict=True)], 3),
    }


def of_a_step(bench: Any) -> float:
    import keras

    from onecycle_cli.training.plan import cycle_of

    times = []
    clock = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: times.append(time.process_time())
    )
    bench.rewind()
    cycle = cycle_of(bench, 1e-6, {"max": 0.9, "min": 0.9}, 0.0)
    bench.train(UNTIMED + STEPS, [cycle, clock])
    return (times[-1] - times[UNTIMED - 1]) / STEPS


def main() -> None:
    from onecycle_cli.engine.repeatable import make_repeatable

    make_repeatable(0)
    found = {"a layer": of_layers()}
    found |= {f"a step of ResNet-9, width {width}": of_steps(width) for width in WIDTHS}
    record.write(__file__, "gradients of filters, in bfloat16", found, *sys.argv[1:])


if __name__ == "__main__":
    main()
