"""Text: is a docstring of Python's standard library about files and networks, or about numbers?

A toy task on text that everybody has: docstrings, labelled by their module.
"""

import importlib
import inspect

import keras
import numpy as np

import onecycle_cli

MODULES = {
    0: ["os", "pathlib", "shutil", "socket", "http.client", "urllib.request", "tempfile", "ftplib"],
    1: ["math", "decimal", "fractions", "statistics", "random", "numbers", "datetime", "cmath"],
}


def docstrings(module):
    """Return the docstrings of all that a module defines, and of the methods of its classes."""
    things = [thing for name, thing in inspect.getmembers(module) if not name.startswith("_")]
    for kind in filter(inspect.isclass, list(things)):
        things += [thing for name, thing in inspect.getmembers(kind) if not name.startswith("_")]
    texts = (inspect.getdoc(thing) for thing in things if callable(thing))
    return {text for text in texts if text and len(text) > 20}


def load():
    labels = {}
    for label, names in MODULES.items():
        for name in names:
            for text in sorted(docstrings(importlib.import_module(name))):
                labels.setdefault(text, label)
    order = np.random.default_rng(0).permutation(len(labels))
    x = np.array(list(labels), dtype=str)[order]
    y = np.array(list(labels.values()))[order]
    return x[:, None], y


def build(texts, seed=0):
    keras.utils.set_random_seed(seed)
    vocabulary = keras.layers.TextVectorization(max_tokens=2000, output_sequence_length=40)
    vocabulary.adapt(texts)
    model = keras.Sequential(
        [
            keras.Input((1,), dtype="string"),
            vocabulary,
            keras.layers.Embedding(2000, 16),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(), "binary_crossentropy", metrics=["accuracy"])
    return model


FIT = {"batch_size": 32, "epochs": 10, "validation_split": 0.2}


def find_lr(**more):
    x, y = load()
    return onecycle_cli.find_lr(build(x), x, y, **FIT | more)


def find_weight_decay(max_lr, **more):
    x, y = load()
    return onecycle_cli.find_weight_decay(build(x), x, y, max_lr=max_lr, **FIT | more)


def train(max_lr, seed=0, **more):
    x, y = load()
    return onecycle_cli.train(build(x, seed), x, y, max_lr=max_lr, seed=seed, **FIT | more)


def main(**more):
    lr = find_lr(**more)
    print(lr)
    decay = find_weight_decay(lr, **more)
    print(decay)
    print(train(lr, weight_decay=decay, **more))


if __name__ == "__main__":
    main()
