"""TensorFlow's 3x3 convolution and its two gradients: bfloat16 against float32.

    python benchmarks/convolutions.py [RESULT.json]

Maps of the sizes that ResNet-9 of width 32 has, at batch size 128; medians of ten, taken in turn.
The result goes to convolutions.json beside this file, or to the path given.
"""

import statistics
import sys
import time

import record

MAPS = ((32, 32, 64), (16, 64, 64), (16, 64, 128), (8, 128, 256), (4, 256, 256))
"""Side in pixels, channels in, channels out."""
BATCH, REPEATS = 128, 10


def operations(tf, dtype, side: int, entering: int, leaving: int) -> dict:
    x = tf.cast(tf.random.normal((BATCH, side, side, entering)), dtype)
    kernel = tf.cast(tf.random.normal((3, 3, entering, leaving)), dtype)
    out = tf.cast(tf.random.normal((BATCH, side, side, leaving)), dtype)
    layout = {"strides": [1, 1, 1, 1], "padding": "SAME"}
    raw = tf.raw_ops
    return {
        "forward": tf.function(lambda: raw.Conv2D(input=x, filter=kernel, **layout)),
        "gradient of the input": tf.function(
            lambda: raw.Conv2DBackpropInput(
                input_sizes=x.shape, filter=kernel, out_backprop=out, **layout
            )
        ),
        "gradient of the filter": tf.function(
            lambda: raw.Conv2DBackpropFilter(
                input=x, filter_sizes=kernel.shape, out_backprop=out, **layout
            )
        ),
    }


def milliseconds(work) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


def main() -> None:
    from onecycle_cli.engine.repeatable import make_repeatable

    make_repeatable(0)
    import tensorflow as tf

    totals = {}
    for shape in MAPS:
        kinds = {name: operations(tf, name, *shape) for name in ("float32", "bfloat16")}
        for operation in kinds["float32"]:
            times = {name: [] for name in kinds}
            for _ in range(REPEATS + 2):
                for name, functions in kinds.items():
                    times[name].append(milliseconds(functions[operation]))
            for name, taken in times.items():
                total = totals.setdefault(operation, dict.fromkeys(kinds, 0.0))
                total[name] += statistics.median(taken[2:])
    found = {
        operation: {
            **{f"milliseconds, {name}": round(value, 2) for name, value in total.items()},
            "times as fast": round(total["float32"] / total["bfloat16"], 2),
        }
        for operation, total in totals.items()
    }
    record.write(__file__, f"sums over {len(MAPS)} sizes of maps", found, *sys.argv[1:])


if __name__ == "__main__":
    main()
