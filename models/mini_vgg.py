"""Three convolutions at full resolution, then average and maximum pooling (77,290 parameters).

The smaller of the two networks of keras-one-cycle (https://github.com/titu1994/keras-one-cycle),
with its layer names. The two poolings side by side are fast.ai's "concat pooling".
"""

from collections.abc import Sequence

import keras
from keras import layers

from . import _checks
from ._layers import conv_bn, relu6

FILTERS = (32, 64, 96)


def build(
    input_shape: Sequence[int],
    num_classes: int,
    *,
    dropout: float = 0.0,
    activation: str = "softmax",
) -> keras.Model:
    """Build the network, uncompiled.

    Args:
        input_shape: (height, width, channels) of one image, each side at least 3 pixels.
        num_classes: number of outputs.
        dropout: share of the pooled features dropped while training, in [0, 1).
        activation: of the last layer; "linear" for targets that are not classes.

    Returns:
        A model from (batch, height, width, channels) to (batch, num_classes), float32.
        For 32 x 32 x 3 images and ten classes it has 77,290 parameters.

    Raises:
        ValueError: an argument breaks its rule.
    """
    _checks.image(input_shape, smallest=3)
    _checks.at_least(1, num_classes=num_classes)
    _checks.fraction(dropout=dropout)

    images = keras.Input(tuple(input_shape), name="images")
    x = images
    for number, filters in enumerate(FILTERS, start=1):
        x = conv_bn(x, filters, 3, f"conv{number}")
        x = relu6(x, f"conv{number}_relu")
    average = layers.GlobalAveragePooling2D(name="average_pool")(x)
    maximum = layers.GlobalMaxPooling2D(name="max_pool")(x)
    x = layers.Concatenate(name="concat_pool")([average, maximum])
    x = layers.Dropout(dropout, name="dropout")(x)
    x = layers.Dense(num_classes, activation=activation, dtype="float32", name="conv_preds")(x)
    return keras.Model(images, x, name="mini_vgg")
