"""Transfer: layers of a network of keras.applications, frozen, and a new head that is trained.

weights=None keeps this example free of downloads; say weights="imagenet" for what it is good for.
"""

import keras
from sklearn.datasets import load_digits

import onecycle_cli

SIZE = 32


def load(count=600):
    digits = load_digits()
    images = digits.images[:count, ..., None].repeat(4, axis=1).repeat(4, axis=2).repeat(3, axis=3)
    return (images / 8 - 1).astype("float32"), digits.target[:count]


def build(seed=0, weights=None):
    keras.utils.set_random_seed(seed)
    network = keras.applications.MobileNetV2((SIZE, SIZE, 3), include_top=False, weights=weights)
    base = keras.Model(network.input, network.get_layer("block_3_expand_relu").output)
    base.trainable = False
    inputs = keras.Input((SIZE, SIZE, 3))
    features = base(inputs, training=False)
    features = keras.layers.Flatten()(features)
    features = keras.layers.LayerNormalization()(features)
    model = keras.Model(inputs, keras.layers.Dense(10, activation="softmax")(features))
    model.compile(keras.optimizers.Adam(), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


FIT = {"batch_size": 32, "epochs": 8, "validation_split": 0.2}


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
