"""The step that every convolutional network here is made of: convolution, then BatchNorm."""

import keras
from keras import layers


def conv_bn(
    x: keras.KerasTensor,
    filters: int,
    kernel_size: int,
    name: str,
    *,
    strides: int = 1,
    padding: str = "same",
    l2: float = 0.0,
    momentum: float = 0.99,
    epsilon: float = 1e-3,
) -> keras.KerasTensor:
    """Convolve without a bias and normalise over the batch: layers `name` and `name`_bn.

    Args:
        x: feature maps of shape (batch, height, width, channels).
        filters: channels of the result.
        kernel_size: side of the square kernel, in pixels.
        name: name of the convolution layer.
        strides: step of the kernel, in pixels.
        padding: "same" or "valid".
        l2: factor of the penalty `l2 * sum(kernel ** 2)`; 0 adds none.
        momentum: share of the old moving average that BatchNorm keeps at each step.
        epsilon: what BatchNorm adds to the variance.

    Returns:
        Feature maps of shape (batch, height', width', filters).
    """
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding=padding,
        use_bias=False,
        kernel_initializer="he_normal",
        kernel_regularizer=l2_penalty(l2),
        name=name,
    )(x)
    return layers.BatchNormalization(momentum=momentum, epsilon=epsilon, name=f"{name}_bn")(x)


def relu6(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    """Clip to [0, 6], the activation of the MobileNet family."""
    return layers.Activation("relu6", name=name)(x)


def l2_penalty(factor: float) -> keras.Regularizer | None:
    """`factor * sum(kernel ** 2)` as a regularizer, or none at all for a factor of 0."""
    return keras.regularizers.L2(factor) if factor else None
