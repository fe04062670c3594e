"""A small perceptron with a linear unit for each target."""

import keras


def build(input_shape, num_targets, *, width: int = 64):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Dense(width, activation="relu"),
            keras.layers.Dense(num_targets),
        ]
    )
