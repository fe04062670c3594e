"""An exponential moving average of a model's weights, which evaluation can borrow."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

_EVERY = 5


class WeightAverage(keras.callbacks.Callback):
    """Average all weights while they are trained, the statistics of BatchNorm included.

    Every `every` steps, with t = steps so far:

        keep = min(decay, (1 + t) / (10 + t)) ** every
        average = keep * average + (1 - keep) * weights

    So a short training averages over its last tenth, rather than over its initial weights too.
    Training itself goes on from the weights as they are (Polyak and Juditsky, "Acceleration of
    Stochastic Approximation by Averaging", 1992).

    Args:
        model: a built model.
        decay: share of the average that is kept at each step, 0 < decay < 1; .99 averages over
            about the last hundred steps.
        every: steps from one update to the next; the average hardly changes with it.

    Attributes:
        variables: everything to be kept to go on as if never stopped: averages, count of steps.
    """

    def __init__(self, model: Any, decay: float, *, every: int = _EVERY) -> None:
        super().__init__()
        self.decay = decay
        self.every = every
        self._steps = keras.Variable(0, dtype="int32", trainable=False, name="averaged_steps")
        self._weights = list(model.weights)
        self._averages = [
            keras.Variable(ops.copy(w), dtype=w.dtype, trainable=False, name=f"average_{i}")
            for i, w in enumerate(self._weights)
        ]
        self.variables = [self._steps, *self._averages]

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Count the step, and take the weights in when it is time."""
        _ = self.model  # on JAX, brings the variables up to date
        self._steps.assign_add(1)
        steps = int(ops.convert_to_numpy(self._steps))
        if steps % self.every == 0:
            self._take_in(min(self.decay, (1 + steps) / (10 + steps)) ** self.every)

    @contextlib.contextmanager
    def in_force(self) -> Iterator[None]:
        """Give the model the averaged weights for a while, then its own again, bit for bit."""
        own = [ops.convert_to_numpy(ops.copy(weight)) for weight in self._weights]
        for weight, average in zip(self._weights, self._averages, strict=True):
            weight.assign(ops.copy(average))  # JAX may give the array of a weight away
        try:
            yield
        finally:
            for weight, value in zip(self._weights, own, strict=True):
                weight.assign(value)

    def _take_in(self, keep: float) -> None:
        for average, weight in zip(self._averages, self._weights, strict=True):
            average.assign(average + (1 - keep) * (weight - average))
