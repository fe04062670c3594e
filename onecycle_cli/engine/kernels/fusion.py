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
    normalises the last of four axes. Outputs, gradients and moving statistics are those of the
    stock layer up to rounding. Inference, frozen layers and masked inputs go the stock way.

    The layers keep their class and configuration, so a model that is saved meanwhile is a stock
    one. Functions that were traced before must be traced again, and again after `release`.

    Args:
        model: a built model, on the TensorFlow backend unless it is left as it is.
        is_on: whether to begin at once.

    Attributes:
        layers: the layers that it can take.
        is_on: whether they train by the fused operation.
    """

    def __init__(self, model: Any, *, is_on: bool = True) -> None:
        self._model = model
        self.layers = [layer for layer in every_layer(model) if _is_stock(layer)]
        self.is_on = is_on
        if is_on:
            self._take()

    def switch(self, is_on: bool) -> None:
        """Go over to the fused operation, or to the stock layers; a training step is traced anew.

        Args:
            is_on: whether to fuse from now on; the model must be compiled.
        """
        if is_on != self.is_on:
            self.release()
            self.is_on = is_on
            if is_on:
                self._take()
            self._model.make_train_function(force=True)

    def release(self) -> None:
        """Give the stock layers back. Idempotent."""
        if self.is_on:
            for layer in self.layers:
                vars(layer).pop("call", None)
        self.is_on = False

    def _take(self) -> None:
        for layer in self.layers:
            vars(layer)["call"] = _fused_call(layer)


def _is_stock(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.BatchNormalization
        and "call" not in vars(layer)
        and layer.built
        and layer.axis in (-1, 3)
        and _has_four_axes(layer)
        and not layer.synchronized
        and not getattr(layer, "renorm", False)
    )


def _has_four_axes(layer: Any) -> bool:
    shape = (layer.get_build_config() or {}).get("input_shape")
    return shape is None or len(shape) == 4


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
