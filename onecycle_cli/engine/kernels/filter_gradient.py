"""The gradient of a convolution's filters, as a convolution itself, while a model is trained.

TensorFlow has an operation of its own for it, Conv2DBackpropFilter, which is slow in bfloat16 on
a CPU where images are small: at 4 x 4 pixels it took 1.7 times as long as the convolution that
gives the same numbers. `benchmarks/filter_gradient.py` measures both.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import keras

from onecycle_cli.engine.layers import every_layer
from onecycle_cli.engine.start import on_cpu_of_tensorflow

LARGEST_MAP = 64
"""Pixels of the layer's output; from 100 on, the convolution was the slower way."""

LARGEST_SUM = 16384
"""Pixels of a whole batch's outputs. They are the convolution's filters, and reused too little to
be read from memory again and again."""


class ConvolvedGradient:
    """Let a model's stock Conv2D layers find the gradient of their filters by a convolution.

    Takes every layer that is exactly a `keras.layers.Conv2D` and computes in bfloat16, in nested
    models too, with one group, no strides, no dilation, filters larger than a pixel and no bias,
    whose gradient TensorFlow sums along with that of the filters, and less exactly when alone.
    Takes none but on TensorFlow on a CPU, without XLA. Outputs and the gradients of inputs keep
    their bits; those of filters are equal up to rounding. Where the outputs are larger than
    `LARGEST_MAP` or `LARGEST_SUM`, or of a size that is not known beforehand, the stock way is
    gone.

    The layers keep their class and configuration, so a model that is saved meanwhile is a stock
    one. Functions that were traced before must be traced again, and again after `release`.

    Args:
        model: a built and compiled model.
        batch_size: examples in a batch.
        is_on: whether to take any layers.

    Attributes:
        layers: the layers taken.
    """

    def __init__(self, model: Any, batch_size: int, *, is_on: bool = True) -> None:
        largest = min(LARGEST_MAP, LARGEST_SUM // batch_size)
        pays = is_on and not model.jit_compile and on_cpu_of_tensorflow()
        self.layers = [layer for layer in every_layer(model) if _fits(layer)] if pays else []
        for layer in self.layers:
            vars(layer)["convolution_op"] = _convolution(layer, largest)

    def release(self) -> None:
        """Give the stock layers back. Idempotent."""
        for layer in self.layers:
            vars(layer).pop("convolution_op", None)
        self.layers = []


def _fits(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.Conv2D
        and "convolution_op" not in vars(layer)
        and layer.compute_dtype == "bfloat16"
        and layer.data_format == "channels_last"
        and not layer.use_bias
        and layer.groups == 1
        and set(layer.strides) == set(layer.dilation_rate) == {1}
        and set(layer.kernel_size) != {1}
    )


def _convolution(layer: Any, largest: int) -> Callable[..., Any]:
    stock = layer.convolution_op

    def convolution_op(inputs: Any, kernel: Any) -> Any:
        _, height, width, _ = layer.compute_output_shape(inputs.shape)
        if height is None or width is None or height * width > largest:
            return stock(inputs, kernel)
        return _convolved(stock, layer.padding.upper(), inputs, kernel)

    return convolution_op


def _convolved(stock: Callable[..., Any], padding: str, inputs: Any, kernel: Any) -> Any:
    """Return the stock convolution, with gradients that can be differentiated again."""
    tf = importlib.import_module("tensorflow")

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def convolved(images: Any, filters: Any) -> Any:
        def gradients(upstream: Any) -> tuple[Any, Any]:
            of_images = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(images),
                filter=filters,
                out_backprop=upstream,
                strides=[1, 1, 1, 1],
                padding=padding,
            )
            return of_images, gradient_of_filters(images, upstream, filters.shape[:2], padding)

        return stock(images, filters), gradients

    return convolved(inputs, tf.convert_to_tensor(kernel))  # a tensor has the precision in use


def gradient_of_filters(images: Any, upstream: Any, size: tuple[int, int], padding: str) -> Any:
    """Return the gradient of a convolution's filters, without strides and dilation.

    Each of its numbers is a sum over examples and pixels. So examples take the place of channels,
    and what comes from above takes that of the filters.

    Args:
        images: what the convolution was given, (examples, height, width, channels).
        upstream: the gradient of its result, (examples, height, width, filters).
        size: height and width of the filters.
        padding: "SAME" or "VALID".
    """
    tf = importlib.import_module("tensorflow")
    around = [[(side - 1) // 2, side // 2] if padding == "SAME" else [0, 0] for side in size]
    found = tf.nn.conv2d(
        tf.transpose(images, [3, 1, 2, 0]),
        tf.transpose(upstream, [1, 2, 0, 3]),
        strides=1,
        padding=[[0, 0], *around, [0, 0]],
    )
    return tf.transpose(found, [1, 2, 0, 3])
