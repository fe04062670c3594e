"""PyTorch's DataLoader, and Keras on PyTorch."""

import os

os.environ["KERAS_BACKEND"] = "torch"  # before Keras is imported

import keras
import torch
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, Dataset, Subset

import onecycle_cli


class Digits(Dataset):
    """Images of handwritten digits with a little noise, drawn anew each time one is fetched."""

    def __init__(self, noise=0.05):
        digits = load_digits()
        self.images = torch.tensor(digits.images[..., None] / 16, dtype=torch.float32)
        self.labels = torch.tensor(digits.target)
        self.noise = noise

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        image = self.images[index]
        return image + self.noise * torch.randn(image.shape), self.labels[index]


def loaders():
    digits = Digits()
    return (
        DataLoader(Subset(digits, range(1437)), batch_size=32, shuffle=True, drop_last=True),
        DataLoader(Subset(Digits(noise=0), range(1437, len(digits))), batch_size=360),
    )


def build(seed=0):
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(16, 3, activation="relu"),
            keras.layers.Conv2D(32, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


TRAIN, VALIDATION = loaders()
FIT = {"epochs": 10, "validation_data": VALIDATION}


def find_lr(**more):
    return onecycle_cli.find_lr(build(), TRAIN, **FIT | more)


def find_weight_decay(max_lr, **more):
    return onecycle_cli.find_weight_decay(build(), TRAIN, max_lr=max_lr, **FIT | more)


def train(max_lr, seed=0, **more):
    return onecycle_cli.train(build(seed), TRAIN, max_lr=max_lr, seed=seed, **FIT | more)


def main(**more):
    lr = find_lr(**more)
    print(lr)
    decay = find_weight_decay(lr, **more)
    print(decay)
    print(train(lr, weight_decay=decay, **more))


if __name__ == "__main__":
    main()
