"""A plain multi-layer perceptron for tables; it flattens whatever it is given."""

from collections.abc import Sequence

import keras
from keras import layers as keras_layers

from . import _checks


def build(
    input_shape: Sequence[int],
    num_classes: int,
    *,
    hidden: int = 128,
    layers: int = 2,
    dropout: float = 0.0,
    activation: str = "softmax",
) -> keras.Model:
    """Build the network, uncompiled.

    Args:
        input_shape: shape of one example, of any rank: (features,) for a row of a table.
        num_classes: number of outputs.
        hidden: units of each hidden layer, at least 1.
        layers: number of hidden layers (ReLU); 0 leaves a linear model.
        dropout: share of each hidden layer's units dropped while training, in [0, 1).
        activation: of the last layer; "linear" for targets that are not classes.

    Returns:
        A model from (batch, *input_shape) to (batch, num_classes), float32.

    Raises:
        ValueError: an argument breaks its rule.
    """
    _checks.at_least(1, num_classes=num_classes, hidden=hidden)
    _checks.at_least(0, layers=layers)
    _checks.fraction(dropout=dropout)

    examples = keras.Input(tuple(input_shape), name="examples")
    x = keras_layers.Flatten(name="flatten")(examples)
    for number in range(1, layers + 1):
        x = keras_layers.Dense(
            hidden, activation="relu", kernel_initializer="he_normal", name=f"hidden{number}"
        )(x)
        x = keras_layers.Dropout(dropout, name=f"dropout{number}")(x)
    x = keras_layers.Dense(num_classes, activation=activation, dtype="float32", name="predictions")(
        x
    )
    return keras.Model(examples, x, name="mlp")
