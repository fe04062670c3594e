"""Data by a pipeline: tf.data, a PyDataset, or a function that makes a generator."""

import sys

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

import onecycle_cli

SIZE = 32
DIGITS = load_digits()
X, Y = (DIGITS.data / 16).astype("float32"), DIGITS.target
TRAIN, VALIDATION = np.arange(1437), np.arange(1437, len(X))
STEPS = len(TRAIN) // SIZE


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return STEPS

    def __getitem__(self, index):
        rows = TRAIN[index * SIZE : (index + 1) * SIZE]
        return X[rows], Y[rows]


def generate():
    """Batches without end; each call starts a new pass in the same order."""
    rng = np.random.default_rng(0)
    while True:
        order = rng.permutation(TRAIN)
        for step in range(STEPS):
            rows = order[step * SIZE : (step + 1) * SIZE]
            yield X[rows], Y[rows]


def dataset(rows, *, shuffle):
    data = tf.data.Dataset.from_tensor_slices((X[rows], Y[rows]))
    return (data.shuffle(len(rows), seed=0) if shuffle else data).batch(SIZE)


def pipeline(kind):
    """Return a pipeline, and what has to be said with it."""
    if kind == "tf.data":
        return dataset(TRAIN, shuffle=True), {}
    if kind == "PyDataset":
        return Batches(), {}
    return generate, {"steps_per_epoch": STEPS}  # the function, not generate()


def build(seed=0):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.SGD(momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


FIT = {"epochs": 10, "validation_data": dataset(VALIDATION, shuffle=False)}


def find_lr(kind="tf.data", **more):
    x, said = pipeline(kind)
    return onecycle_cli.find_lr(build(), x, **FIT | said | more)


def find_weight_decay(max_lr, kind="tf.data", **more):
    x, said = pipeline(kind)
    return onecycle_cli.find_weight_decay(build(), x, max_lr=max_lr, **FIT | said | more)


def train(max_lr, seed=0, kind="tf.data", **more):
    x, said = pipeline(kind)
    return onecycle_cli.train(build(seed), x, max_lr=max_lr, seed=seed, **FIT | said | more)


def main(kinds=("tf.data", "PyDataset", "generator"), **more):
    for kind in kinds:
        print(f"--- {kind}")
        lr = find_lr(kind, **more)
        print(lr)
        decay = find_weight_decay(lr, kind, **more)
        print(decay)
        print(train(lr, weight_decay=decay, kind=kind, **more))


if __name__ == "__main__":
    main(sys.argv[1:] or ("tf.data", "PyDataset", "generator"))
