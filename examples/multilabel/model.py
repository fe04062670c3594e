"""A small perceptron with a sigmoid unit for each label."""

import keras


def build(input_shape, num_labels, *, width: int = 64):
    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Dense(width, activation="relu"),
            keras.layers.Dense(num_labels, activation="sigmoid"),
        ]
    )
