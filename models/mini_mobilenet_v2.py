"""MobileNetV2 cut down to ten blocks for small images (647,946 parameters).

The larger of the two networks of keras-one-cycle (https://github.com/titu1994/keras-one-cycle),
after Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks"
(https://arxiv.org/abs/1801.04381). The layers that hold weights keep its names and order.
"""

from collections.abc import Sequence

import keras
from keras import layers

from . import _checks
from ._layers import conv_bn, l2_penalty, relu6

# (channels before the width factor, stride) of blocks 1 to 10
BLOCKS = ((16, 1), (24, 2), (24, 1), (32, 1), (32, 1), (32, 1), (64, 2), (64, 1), (64, 1), (64, 1))
LAST_FILTERS = 1280


def build(
    input_shape: Sequence[int],
    num_classes: int,
    *,
    alpha: float = 1.4,
    expansion: int = 6,
    dropout: float = 0.0,
    l2: float = 0.0,
    activation: str = "softmax",
) -> keras.Model:
    """Build the network, uncompiled.

    Args:
        input_shape: (height, width, channels) of one image, each side at least 4 pixels (the
            network halves it twice).
        num_classes: number of outputs.
        alpha: width: what every number of channels is multiplied by, above 0.
        expansion: how many times wider a block is inside than at its entrance, at least 1.
        dropout: share of the pooled features dropped while training, in [0, 1).
        l2: factor of the penalty `l2 * sum(kernel ** 2)` added to the loss for every kernel.
        activation: of the last layer; "linear" for targets that are not classes.

    Returns:
        A model from (batch, height, width, channels) to (batch, num_classes), float32.
        For 32 x 32 x 3 images and ten classes it has 647,946 parameters.

    Raises:
        ValueError: an argument breaks its rule.
    """
    _checks.image(input_shape, smallest=4)
    _checks.at_least(1, num_classes=num_classes, expansion=expansion)
    _checks.positive(alpha=alpha)
    _checks.fraction(dropout=dropout)
    _checks.not_negative(l2=l2)

    images = keras.Input(tuple(input_shape), name="images")
    x = _conv_block(images, _channels(32 * alpha), 3, "conv1", l2)
    for number, (filters, strides) in enumerate(BLOCKS, start=1):
        widening = 1 if number == 1 else expansion
        x = _inverted_residual(
            x, _channels(filters * alpha), widening, number, strides=strides, l2=l2
        )
    x = _conv_block(x, _channels(int(LAST_FILTERS * max(alpha, 1.0))), 1, "conv18", l2)
    x = _classify(x, num_classes, dropout, l2, activation)
    return keras.Model(images, x, name="mini_mobilenet_v2")


def _channels(wanted: float) -> int:
    """Round to the nearest multiple of 8: at least 8, and never below 90 % of what is wanted."""
    rounded = max(8, int(wanted + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * wanted else rounded


def _conv_block(
    x: keras.KerasTensor, filters: int, kernel_size: int, name: str, l2: float
) -> keras.KerasTensor:
    return relu6(conv_bn(x, filters, kernel_size, name, l2=l2), f"{name}_relu")


def _inverted_residual(
    x: keras.KerasTensor, filters: int, expansion: int, number: int, *, strides: int, l2: float
) -> keras.KerasTensor:
    """Widen (1x1), convolve each channel alone (3x3), narrow without activation (1x1), add."""
    entrance = x
    if expansion > 1:
        x = _conv_block(x, entrance.shape[-1] * expansion, 1, f"conv_expand_{number}", l2)
    x = _depthwise(x, strides, f"conv_dw_{number}", l2)
    x = conv_bn(x, filters, 1, f"conv_pw_{number}", l2=l2)
    if strides == 1 and entrance.shape[-1] == filters:
        x = layers.Add(name=f"add_{number}")([entrance, x])
    return x


def _depthwise(x: keras.KerasTensor, strides: int, name: str, l2: float) -> keras.KerasTensor:
    x = layers.DepthwiseConv2D(
        3,
        strides=strides,
        padding="same",
        use_bias=False,
        depthwise_initializer="he_normal",
        depthwise_regularizer=l2_penalty(l2),
        name=name,
    )(x)
    x = layers.BatchNormalization(name=f"{name}_bn")(x)
    return relu6(x, f"{name}_relu")


def _classify(
    x: keras.KerasTensor, num_classes: int, dropout: float, l2: float, activation: str
) -> keras.KerasTensor:
    """Pool to one pixel and classify it with a 1x1 convolution; the activation comes last."""
    x = layers.GlobalAveragePooling2D(name="average_pool")(x)
    x = layers.Reshape((1, 1, x.shape[-1]), name="reshape_1")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Conv2D(
        num_classes,
        1,
        kernel_initializer="he_normal",
        kernel_regularizer=l2_penalty(l2),
        name="conv_preds",
    )(x)
    x = layers.Reshape((num_classes,), name="reshape_2")(x)
    return layers.Activation(activation, dtype="float32", name="act_softmax")(x)
