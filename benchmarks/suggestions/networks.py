"""The networks of the suggestion benchmark: small, of different kinds, plain Keras.

Each takes `output_scale`, a factor on what goes into the softmax (or on what a regression answers):
it moves the best learning rate without changing what the network can learn.
"""

import keras
from keras import layers


def mlp(input_shape, num_classes, *, hidden: int = 64, depth: int = 2, norm: str = "none",
        output_scale: float = 1.0, activation: str = "softmax"):  # fmt: skip
    """Dense layers with ReLU, normalised by `norm`: none, batch or layer."""
    inputs = keras.Input(input_shape)
    x = layers.Flatten()(inputs)
    for _ in range(depth):
        x = layers.Dense(hidden, kernel_initializer="he_normal")(x)
        x = layers.ReLU()(normalised(x, norm))
    return ending(inputs, x, num_classes, output_scale, activation)


def cnn(input_shape, num_classes, *, filters: int = 16, norm: str = "none", stride: int = 1,
        output_scale: float = 1.0, activation: str = "softmax"):  # fmt: skip
    """Three 3x3 convolutions, the first with `stride`, the others halving the image."""
    inputs = keras.Input(input_shape)
    x = inputs
    for width, strides in ((filters, stride), (2 * filters, 2), (4 * filters, 2)):
        x = layers.Conv2D(
            width, 3, strides, "same", use_bias=norm == "none", kernel_initializer="he_normal"
        )(x)
        x = layers.ReLU()(normalised(x, norm))
    x = layers.GlobalAveragePooling2D()(x)
    return ending(inputs, x, num_classes, output_scale, activation)


def residual(input_shape, num_classes, *, filters: int = 16, norm: str = "batch",
             output_scale: float = 1.0, activation: str = "softmax"):  # fmt: skip
    """Eight layers: a convolution, three residual blocks, a dense layer."""
    inputs = keras.Input(input_shape)
    x = layers.ReLU()(normalised(_conv(inputs, filters), norm))
    for width, strides in ((filters, 1), (2 * filters, 2), (4 * filters, 2)):
        shortcut = x if strides == 1 else _conv(x, width, strides, size=1)
        x = layers.ReLU()(normalised(_conv(x, width, strides), norm))
        x = normalised(_conv(x, width), norm)
        x = layers.ReLU()(layers.Add()([x, shortcut]))
    x = layers.GlobalAveragePooling2D()(x)
    return ending(inputs, x, num_classes, output_scale, activation)


def transformer(input_shape, num_classes, *, width: int = 32, heads: int = 2, depth: int = 2,
                output_scale: float = 1.0, activation: str = "softmax"):  # fmt: skip
    """A pre-norm transformer over one-hot characters; the last position tells the next one."""
    length, symbols = input_shape[:2]
    inputs = keras.Input(input_shape)
    x = layers.Dense(width, use_bias=False)(layers.Reshape((length, symbols))(inputs))
    x = Places()(x)
    for _ in range(depth):
        y = layers.LayerNormalization()(x)
        y = layers.MultiHeadAttention(heads, width // heads)(y, y, use_causal_mask=True)
        x = layers.Add()([x, y])
        y = layers.LayerNormalization()(x)
        y = layers.Dense(width)(layers.Dense(4 * width, activation="gelu")(y))
        x = layers.Add()([x, y])
    x = layers.LayerNormalization()(x[:, -1])
    return ending(inputs, x, num_classes, output_scale, activation)


def recurrent(input_shape, num_classes, *, units: int = 32, output_scale: float = 1.0,
              activation: str = "softmax"):  # fmt: skip
    """A gated recurrent unit that reads an image line by line."""
    inputs = keras.Input(input_shape)
    x = layers.Reshape((input_shape[0], -1))(inputs)
    x = layers.GRU(units, unroll=True)(x)
    return ending(inputs, x, num_classes, output_scale, activation)


def lenet(input_shape, num_classes, *, filters: int = 8, dropout: float = 0.0,
          output_scale: float = 1.0, activation: str = "softmax"):  # fmt: skip
    """Two convolutions, each with a maximum over 2x2, and a hidden dense layer."""
    inputs = keras.Input(input_shape)
    x = layers.MaxPooling2D()(layers.Conv2D(filters, 5, activation="relu")(inputs))
    x = layers.MaxPooling2D()(layers.Conv2D(2 * filters, 3, activation="relu")(x))
    x = layers.Dropout(dropout)(layers.Flatten()(x))
    x = layers.Dropout(dropout)(layers.Dense(64, activation="relu")(x))
    return ending(inputs, x, num_classes, output_scale, activation)


def reader(input_shape, num_classes, *, words: int = 1000, width: int = 32, convolutions: int = 0,
           output_scale: float = 1.0, activation: str = "softmax"):  # fmt: skip
    """A vector for each word, convolutions over words next to each other, and the mean of all."""
    inputs = keras.Input(input_shape)
    x = layers.Embedding(words, width)(inputs)
    for _ in range(convolutions):
        x = layers.Conv1D(2 * width, 3, padding="same", activation="relu")(x)
    x = layers.Dense(64, activation="relu")(layers.GlobalAveragePooling1D()(x))
    return ending(inputs, x, num_classes, output_scale, activation)


def autoencoder(input_shape, num_classes, *, hidden: int = 64, code: int = 8,
                output_scale: float = 1.0, activation: str = "linear"):  # fmt: skip
    """Dense layers that narrow to `code` numbers and widen again."""
    inputs = keras.Input(input_shape)
    x = layers.Dense(hidden, activation="relu")(layers.Flatten()(inputs))
    x = layers.Dense(hidden, activation="relu")(layers.Dense(code)(x))
    return ending(inputs, x, num_classes, output_scale, activation)


def frozen(input_shape, num_classes, *, activation: str = "softmax"):
    """A network whose only trainable weight does not reach the output."""
    inputs = keras.Input(input_shape)
    x = layers.Dense(64, activation="relu", trainable=False)(layers.Flatten()(inputs))
    x = layers.Dense(num_classes, trainable=False)(x)
    idle = layers.Rescaling(0.0)(layers.Dense(num_classes)(layers.Flatten()(inputs)))
    return keras.Model(inputs, layers.Activation(activation)(layers.Add()([x, idle])))


def diverged(input_shape, num_classes, *, activation: str = "softmax"):
    """A network as a diverged training leaves it: huge weights, and units that are all dead."""
    inputs = keras.Input(input_shape)
    x = layers.Flatten()(inputs)
    huge = keras.initializers.RandomNormal(stddev=1e3)
    dead = keras.initializers.Constant(-1e7)
    x = layers.Dense(64, "relu", kernel_initializer=huge, bias_initializer=dead)(x)
    x = layers.Dense(num_classes, kernel_initializer=huge, bias_initializer=huge)(x)
    return keras.Model(inputs, layers.Activation(activation)(x))


class Places(layers.Layer):
    """Adds a learned vector to each position."""

    def build(self, shape):
        self.vectors = self.add_weight(shape=shape[1:], initializer="random_normal")

    def call(self, x):
        return x + self.vectors


def ending(inputs, x, num_classes, output_scale, activation):
    x = layers.Dense(num_classes)(x)
    x = layers.Rescaling(output_scale)(x)
    return keras.Model(inputs, layers.Activation(activation)(x))


def normalised(x, norm: str):
    if norm == "batch":
        return layers.BatchNormalization(momentum=0.9)(x)
    if norm == "group":
        return layers.GroupNormalization(4)(x)
    return layers.LayerNormalization()(x) if norm == "layer" else x


def _conv(x, width: int, strides: int = 1, size: int = 3):
    return layers.Conv2D(
        width, size, strides, "same", use_bias=False, kernel_initializer="he_normal"
    )(x)
