"""Keller Jordan's airbench network: patch whitening, three plain blocks, few passes needed.

From "94% on CIFAR-10 in 3.29 Seconds on a Single GPU" (arXiv:2404.00498), with two changes for
processors: ReLU unless another function is asked for, and no bias in the whitening layer. Nothing
before the first block is trained then, so no gradient needs to be carried back there, which would
take a third as much time again.

`adapt` sets the whitening layer from training images. Until then its kernel is as random as any.
"""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from . import _checks

WHITENING = "whitening"
PATCH = 2  # side of the whitened patches, in pixels
SMALLEST_VARIANCE = 5e-4  # added to each eigenvalue, lest noise be blown up
BATCH_NORM = {"momentum": 0.6, "epsilon": 1e-5, "scale": False}
UNIFORM = {"scale": 1 / 3, "mode": "fan_in", "distribution": "uniform"}  # what PyTorch starts from
_IMAGES_AT_ONCE = 500


def build(
    input_shape: Sequence[int | None],
    num_classes: int,
    *,
    widths: Sequence[int] = (64, 256, 256),
    nonlinearity: str = "relu",
    logit_scale: float = 1 / 9,
    activation: str = "softmax",
) -> keras.Model:
    """Build the network, uncompiled.

    Args:
        input_shape: (height, width, channels) of one image, at least 2 x 2 pixels; sides may be
            None, for images of any size from 9 pixels.
        num_classes: number of outputs.
        widths: channels of each block, at least 1; [32, 128, 128] takes a third of the time.
        nonlinearity: after the whitening and each normalisation: relu, silu or gelu, as in the
            paper; relu is the cheapest on a CPU, gelu in bfloat16 the dearest, by a sixth.
        logit_scale: what the last layer's scores are multiplied by, above 0.
        activation: of the last layer; "linear" for targets that are not classes.

    Returns:
        A model from (batch, height, width, channels) to (batch, num_classes), float32.
        For 32 x 32 x 3 images, ten classes and the widths of the paper it has 1,971,328 trainable
        parameters, and 288 in the whitening layer.

    Raises:
        ValueError: an argument breaks its rule.
    """
    _checks.image_of_any_size(input_shape, smallest=PATCH)
    _checks.at_least(1, num_classes=num_classes)
    _checks.each_at_least(1, widths=widths)
    _checks.one_of(("relu", "silu", "gelu"), nonlinearity=nonlinearity)
    _checks.positive(logit_scale=logit_scale)

    images = keras.Input(tuple(input_shape), name="images")
    x = _whitened(images, nonlinearity)
    for number, width in enumerate(widths, start=1):
        x = _block(x, width, nonlinearity, f"block{number}")
    x = layers.GlobalMaxPooling2D(name="max_pool")(x)
    uniform = keras.initializers.VarianceScaling(**UNIFORM)
    x = layers.Dense(
        num_classes, use_bias=False, kernel_initializer=uniform, dtype="float32", name="predictions"
    )(x)
    x = layers.Rescaling(logit_scale, dtype="float32", name="logit_scale")(x)
    x = layers.Activation(activation, dtype="float32", name="activation")(x)
    model = keras.Model(images, x, name="airbench")
    _pass_inputs_through(model)
    return model


def adapt(model: keras.Model, images: Any) -> None:
    """Set the whitening layer: eigenvectors of the patches' covariance, and their negatives.

    Each is divided by the square root of its eigenvalue, so that its answers have variance one.
    The same images give the same kernel.

    Args:
        model: what `build` returned.
        images: normalised training images, an array of shape (n, height, width, channels).
    """
    variances, directions = ops.eigh(_patch_covariance(images))
    filters = directions / ops.sqrt(variances + SMALLEST_VARIANCE)
    layer = model.get_layer(WHITENING)
    kernel = ops.reshape(ops.concatenate([filters, -filters], axis=1), layer.kernel.shape)
    layer.kernel.assign(ops.cast(kernel, layer.kernel.dtype))


def _whitened(images: keras.KerasTensor, nonlinearity: str) -> keras.KerasTensor:
    numbers = PATCH * PATCH * images.shape[-1]
    x = layers.Conv2D(2 * numbers, PATCH, use_bias=False, trainable=False, name=WHITENING)(images)
    return layers.Activation(nonlinearity, name=f"{WHITENING}_{nonlinearity}")(x)


def _block(x: keras.KerasTensor, filters: int, nonlinearity: str, name: str) -> keras.KerasTensor:
    """Convolve, keep the largest of each 2 x 2 pixels, convolve; a single pixel stays one."""
    x = _convolved(x, filters, f"{name}_conv1")
    padding = "valid" if min(side or 2 for side in x.shape[1:3]) > 1 else "same"
    x = layers.MaxPooling2D(2, padding=padding, name=f"{name}_pool")(x)
    x = _normalised(x, nonlinearity, f"{name}_conv1")
    x = _convolved(x, filters, f"{name}_conv2")
    return _normalised(x, nonlinearity, f"{name}_conv2")


def _convolved(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    uniform = keras.initializers.VarianceScaling(**UNIFORM)
    return layers.Conv2D(
        filters, 3, padding="same", use_bias=False, kernel_initializer=uniform, name=name
    )(x)


def _normalised(x: keras.KerasTensor, nonlinearity: str, name: str) -> keras.KerasTensor:
    x = layers.BatchNormalization(**BATCH_NORM, name=f"{name}_bn")(x)
    return layers.Activation(nonlinearity, name=f"{name}_{nonlinearity}")(x)


def _pass_inputs_through(model: keras.Model) -> None:
    """Let the first filters of each block's convolutions hand their input channels on unchanged."""
    for layer in model.layers:
        if layer.name.endswith(("_conv1", "_conv2")):
            *_, inputs, filters = layer.kernel.shape
            shared = min(inputs, filters)
            identity = ops.pad(ops.eye(inputs, shared), [[0, 0], [0, filters - shared]])
            center = ops.pad(identity[None, None], [[1, 1], [1, 1], [0, 0], [0, 0]])
            is_random = ops.cast(ops.arange(filters) >= shared, layer.kernel.dtype)
            layer.kernel.assign(layer.kernel * is_random + center)


def _patch_covariance(images: Any) -> Any:
    """Return the covariance of the numbers in a patch, shape (12, 12) for three channels."""
    count, total, products = 0, 0.0, 0.0
    for first in range(0, len(images), _IMAGES_AT_ONCE):
        patches = _patches(ops.cast(images[first : first + _IMAGES_AT_ONCE], "float64"))
        count += patches.shape[0]
        total += ops.sum(patches, axis=0)
        products += ops.matmul(ops.transpose(patches), patches)
    mean = total / count
    return products / count - ops.outer(mean, mean)


def _patches(images: Any) -> Any:
    """Return every patch as a row, its numbers in the order of a kernel's."""
    _, height, width, channels = images.shape
    last = PATCH - 1
    shifted = [
        images[:, top : height - last + top, left : width - last + left]
        for top in range(PATCH)
        for left in range(PATCH)
    ]
    return ops.reshape(ops.concatenate(shifted, axis=-1), (-1, PATCH * PATCH * channels))
