"""A compiled Keras model and arrays, in Python: find, then train."""

import keras
from sklearn.datasets import load_digits

import onecycle_cli


def load():
    digits = load_digits()
    x = digits.images[..., None] / 16
    return (x[:1437], digits.target[:1437]), (x[1437:], digits.target[1437:])


def build(seed=0):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


FIT = {"batch_size": 32, "epochs": 10, "validation_split": 0.2}


def find_lr(**more):
    (x, y), _ = load()
    return onecycle_cli.find_lr(build(), x, y, **FIT | more)


def find_weight_decay(max_lr, **more):
    (x, y), _ = load()
    return onecycle_cli.find_weight_decay(build(), x, y, max_lr=max_lr, **FIT | more)


def train(max_lr, seed=0, **more):
    (x, y), _ = load()
    return onecycle_cli.train(build(seed), x, y, max_lr=max_lr, seed=seed, **FIT | more)


def main(**more):
    fit = FIT | more
    (x, y), (x_test, y_test) = load()
    model = build()
    lr = onecycle_cli.find_lr(model, x, y, **fit)
    print(lr)
    decay = onecycle_cli.find_weight_decay(model, x, y, max_lr=lr, **fit)
    print(decay)
    print(onecycle_cli.train(model, x, y, max_lr=lr, weight_decay=decay, **fit))
    loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
    print(f"test: loss {loss:.4f}, accuracy {accuracy:.2%}")


if __name__ == "__main__":
    main()
