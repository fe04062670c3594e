"""A small perceptron that ends in one sigmoid unit."""

import keras


def build(input_shape, num_classes, *, width: int = 32):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Dense(width, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
