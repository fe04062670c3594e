"""ResNet for small images, of 20, 32, 44, 56 or 110 layers (He et al. 2015).

He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", section 4.2
(https://arxiv.org/abs/1512.03385). Its 56-layer form is the network of L. N. Smith's papers on
cyclical learning rates, super-convergence and the 1cycle policy.

Shortcuts are the paper's option A, as in its own CIFAR experiments: they hold no parameters. Where
the channels double, every second pixel is taken and the new channels are filled with zeros.
"""

from collections.abc import Sequence

import keras
from keras import layers

from . import _checks
from ._layers import conv_bn

STAGES = (16, 32, 64)  # channels; the image is halved between them
BATCH_NORM = {"momentum": 0.9, "epsilon": 1e-5}  # statistics that keep up with short trainings


def build(
    input_shape: Sequence[int],
    num_classes: int,
    *,
    depth: int = 20,
    activation: str = "softmax",
) -> keras.Model:
    """Build the network, uncompiled.

    Args:
        input_shape: (height, width, channels) of one image, each side at least 4 pixels (the
            network halves it twice).
        num_classes: number of outputs.
        depth: number of layers with weights, 6n + 2 for three stages of n blocks: 8, 14, 20, ...
        activation: of the last layer; "linear" for targets that are not classes.

    Returns:
        A model from (batch, height, width, channels) to (batch, num_classes), float32.
        For 32 x 32 x 3 images and ten classes 269,722 trainable parameters at depth 20 and
        853,018 at depth 56.

    Raises:
        ValueError: an argument breaks its rule.
    """
    _checks.image(input_shape, smallest=4)
    _checks.at_least(1, num_classes=num_classes)
    blocks = _blocks_per_stage(depth)

    images = keras.Input(tuple(input_shape), name="images")
    x = conv_bn(images, STAGES[0], 3, "conv1", **BATCH_NORM)
    x = layers.ReLU(name="conv1_relu")(x)
    for stage, filters in enumerate(STAGES, start=1):
        for block in range(1, blocks + 1):
            x = _residual_block(x, filters, f"stage{stage}_block{block}")
    x = layers.GlobalAveragePooling2D(name="average_pool")(x)
    x = layers.Dense(
        num_classes,
        activation=activation,
        kernel_initializer="he_normal",
        dtype="float32",
        name="predictions",
    )(x)
    return keras.Model(images, x, name=f"resnet{depth}")


def _blocks_per_stage(depth: int) -> int:
    _checks.at_least(8, depth=depth)
    if depth % 6 != 2:
        raise ValueError(f"`depth` must be 6n + 2 (20, 32, 44, 56, 110, ...); got {depth!r}.")
    return (depth - 2) // 6


def _residual_block(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    """Two 3x3 convolutions beside a shortcut; the first halves the image where channels change."""
    shortcut = x
    if x.shape[-1] != filters:
        shortcut = _shortcut_a(x, filters, name)
        x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
        x = conv_bn(x, filters, 3, f"{name}_conv1", strides=2, padding="valid", **BATCH_NORM)
    else:
        x = conv_bn(x, filters, 3, f"{name}_conv1", **BATCH_NORM)
    x = layers.ReLU(name=f"{name}_conv1_relu")(x)
    x = conv_bn(x, filters, 3, f"{name}_conv2", **BATCH_NORM)
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.ReLU(name=f"{name}_relu")(x)


def _shortcut_a(x: keras.KerasTensor, filters: int, name: str) -> keras.KerasTensor:
    """Take every second pixel and put half of the new channels, all zero, on either side."""
    x = layers.MaxPooling2D(1, strides=2, name=f"{name}_subsample")(x)
    before = (filters - x.shape[-1]) // 2
    after = filters - x.shape[-1] - before
    # read as channels first, the "image" that is padded spans width and channels
    padding = ((0, 0), (before, after))
    return layers.ZeroPadding2D(padding, data_format="channels_first", name=f"{name}_widen")(x)
