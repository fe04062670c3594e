"""BatchNormalization by TensorFlow's fused kernel, while a model is trained.

Keras composes its BatchNormalization of a dozen operations, each of which reads the whole
activation again; the fused kernel reads it twice.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import keras

from onecycle_cli.engine.layers import every_layer

_DTYPES = ("float32", "bfloat16", "float16")


class FusedBatchNormalization:
    """Let a model's stock BatchNormalization layers train by one fused operation.

    Takes every layer that is exactly a `keras.layers.BatchNormalization`, in nested models too, and
    normalises the last axis of four. Outputs, gradients and moving statistics are those of the
    stock layer up to rounding. Inference, frozen layers and masked inputs go the stock way.

    The layers keep their class and configuration, so a model that is saved meanwhile is a stock
    one. Functions that were traced before must be traced again, and again after `release`.

    Args:
        model: a built model, on the TensorFlow backend.

    Attributes:
        layers: the layers taken.
    """

    def __init__(self, model: Any) -> None:
        self.layers = [layer for layer in every_layer(model) if _is_stock(layer)]
        for layer in self.layers:
            vars(layer)["call"] = _fused_call(layer)

    def release(self) -> None:
        """Give the stock layers back. Idempotent."""
        for layer in self.layers:
            vars(layer).pop("call", None)
        self.layers = []


def _is_stock(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.BatchNormalization
        and "call" not in vars(layer)
        and layer.built
        and layer.axis in (-1, 3)
        and not layer.synchronized
        and not getattr(layer, "renorm", False)
    )


def _fused_call(layer: Any) -> Callable[..., Any]:
    stock_call = layer.call

    def call(inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        fits = mask is None and len(inputs.shape) == 4 and inputs.dtype.name in _DTYPES
        if not (training and layer.trainable and fits):
            return stock_call(inputs, training=training, mask=mask)
        return _normalise(layer, inputs)

    return call


def _normalise(layer: Any, inputs: Any) -> Any:
    tf = importlib.import_module("tensorflow")
    channels = inputs.shape[-1]
    nothing = tf.zeros([0])
    outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=tf.cast(layer.gamma, "float32") if layer.scale else tf.ones([channels]),
        offset=tf.cast(layer.beta, "float32") if layer.center else tf.zeros([channels]),
        mean=nothing,
        variance=nothing,
        epsilon=layer.epsilon,
        data_format="NHWC",
        is_training=True,
    )
    count = tf.cast(tf.size(inputs) // channels, "float32")
    biased = variance * ((count - 1.0) / count)  # the kernel returns the unbiased one
    for moving, batch in ((layer.moving_mean, mean), (layer.moving_variance, biased)):
        moving.assign(tf.cast(moving, "float32") * layer.momentum + batch * (1.0 - layer.momentum))
    return tf.cast(outputs, layer.compute_dtype)
