"""David Page's ResNet-9: few wide layers, quick to train well.

From "How to Train Your ResNet" (https://myrtle.ai/how-to-train-your-resnet/), which brings CIFAR-10
to 94 % in 24 passes. Made for 32 x 32 images; any size works. Weights start as He et al. proposed,
not as PyTorch does.
"""

from collections.abc import Sequence

import keras
from keras import layers

from . import _checks
from ._layers import conv_bn

BATCH_NORM = {"momentum": 0.9, "epsilon": 1e-5}  # statistics that keep up with short trainings


def build(
    input_shape: Sequence[int | None],
    num_classes: int,
    *,
    width: int = 64,
    logit_scale: float = 0.125,
    activation: str = "softmax",
) -> keras.Model:
    """Build the network, uncompiled.

    Args:
        input_shape: (height, width, channels) of one image; sides may be None, for any size.
        num_classes: number of outputs.
        width: channels of the first convolution, at least 1; the others have 2, 4 and 8 times as
            many. 16 or 32 suit a computer without an accelerator.
        logit_scale: what the last layer's scores are multiplied by, above 0; smaller ones make
            the network slower to become sure of itself.
        activation: of the last layer; "linear" for targets that are not classes.

    Returns:
        A model from (batch, height, width, channels) to (batch, num_classes), float32.
        For 32 x 32 x 3 images, ten classes and width 64 it has 6,573,120 trainable parameters.

    Raises:
        ValueError: an argument breaks its rule.
    """
    _checks.image_of_any_size(input_shape)
    _checks.at_least(1, num_classes=num_classes, width=width)
    _checks.positive(logit_scale=logit_scale)

    images = keras.Input(tuple(input_shape), name="images")
    x = _conv_block(images, width, "prep")
    x = _halved_block(x, 2 * width, "layer1")
    x = _residual_block(x, "layer1")
    x = _halved_block(x, 4 * width, "layer2")
    x = _halved_block(x, 8 * width, "layer3")
    x = _residual_block(x, "layer3")
    x = layers.GlobalMaxPooling2D(name="max_pool")(x)
    x = layers.Dense(num_classes, use_bias=False, dtype="float32", name="predictions")(x)
    x = layers.Rescaling(logit_scale, dtype="float32", name="logit_scale")(x)
    x = layers.Activation(activation, dtype="float32", name="activation")(x)
    return keras.Model(images, x, name="resnet9")


def _conv_block(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    x = conv_bn(x, filters, 3, f"{name}_conv", **BATCH_NORM)
    return layers.ReLU(name=f"{name}_relu")(x)


def _halved_block(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    """Convolve, then keep the largest of each 2 x 2 pixels; a single pixel stays one."""
    x = _conv_block(x, filters, name)
    return layers.MaxPooling2D(2, padding="same", name=f"{name}_pool")(x)


def _residual_block(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Add what two more convolutions make of `x`."""
    filters = x.shape[-1]
    y = _conv_block(x, filters, f"{name}_residual1")
    y = _conv_block(y, filters, f"{name}_residual2")
    return layers.Add(name=f"{name}_add")([x, y])
