"""A subclassed model with a train_step of its own: noise is added to the inputs of each step."""

import keras
import tensorflow as tf
from sklearn.datasets import load_digits

import onecycle_cli


class Noisy(keras.Model):
    def __init__(self, noise=0.1, **kwargs):
        super().__init__(**kwargs)
        self.noise = noise
        self.seeds = keras.random.SeedGenerator(1)
        self.hidden = keras.layers.Dense(64, activation="relu")
        self.answer = keras.layers.Dense(10, activation="softmax")

    def call(self, x):
        return self.answer(self.hidden(x))

    def train_step(self, data):
        x, y = data
        x += self.noise * keras.random.normal(keras.ops.shape(x), seed=self.seeds)
        with tf.GradientTape() as tape:
            loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
        variables = self.trainable_variables
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        return {"loss": loss}

    def get_config(self):
        return {**super().get_config(), "noise": self.noise}


def load():
    digits = load_digits()
    return (digits.data / 16).astype("float32"), digits.target


def build(seed=0):
    keras.utils.set_random_seed(seed)
    model = Noisy()
    model.compile(keras.optimizers.SGD(momentum=0.9), "sparse_categorical_crossentropy")
    model(keras.ops.zeros((1, 64)))  # so that it has weights
    return model


FIT = {"batch_size": 32, "epochs": 10, "validation_split": 0.2}


def find_lr(**more):
    x, y = load()
    return onecycle_cli.find_lr(build(), x, y, **FIT | more)


def find_weight_decay(max_lr, **more):
    x, y = load()
    return onecycle_cli.find_weight_decay(build(), x, y, max_lr=max_lr, **FIT | more)


def train(max_lr, seed=0, **more):
    x, y = load()
    return onecycle_cli.train(build(seed), x, y, max_lr=max_lr, seed=seed, **FIT | more)


def main(**more):
    lr = find_lr(**more)
    print(lr)
    decay = find_weight_decay(lr, **more)
    print(decay)
    print(train(lr, weight_decay=decay, **more))


if __name__ == "__main__":
    main()
