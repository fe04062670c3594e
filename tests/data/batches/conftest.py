"""What `fit` is really trained on."""

import keras
import numpy as np
import pytest


class Witness(keras.Model):
    """Records every batch that it is trained on, in the structure in which it came."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(5, activation="softmax")
        self.seen = []

    def call(self, x):
        first = keras.tree.flatten(x)[0]
        return self.dense(keras.ops.mean(first, axis=tuple(range(1, len(first.shape) - 1))))

    def train_step(self, data):
        self.seen.append(keras.tree.map_structure(np.array, data))
        return super().train_step(data)


@pytest.fixture
def seen_by_fit():
    """Return the batches that `fit` takes of what it is given, in order."""

    def train(fed, *, epochs=1, steps, **options):
        model = Witness()
        model.compile("sgd", "sparse_categorical_crossentropy", run_eagerly=True)
        model.fit(fed, epochs=epochs, steps_per_epoch=steps, verbose=0, **options)
        return model.seen

    return train
