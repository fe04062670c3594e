"""A network with two inputs, which are told apart by their names."""

import keras


def build(input_shape, num_classes, *, width: int = 16):
    inputs = {name: keras.Input(shape, name=name) for name, shape in input_shape.items()}
    image = keras.layers.Conv2D(width, 3, activation="relu")(inputs["image"])
    image = keras.layers.Flatten()(keras.layers.MaxPooling2D(2)(image))
    rows = keras.layers.Dense(width, activation="relu")(inputs["rows"])
    both = keras.layers.Concatenate()([image, rows])
    return keras.Model(inputs, keras.layers.Dense(num_classes, activation="softmax")(both))
