"""The loss on a few batches of held-out data, after any training step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops


class ValidationLoss:
    """Data loss of a model on random batches of a validation set.

    Args:
        x: inputs, an array of shape (n, ...).
        y: targets, an array of shape (n, ...).
        num_batches: how many batches to draw without replacement; negative for all there are.
        batch_size: samples in a batch.
    """

    def __init__(self, x: Any, y: Any, *, num_batches: int, batch_size: int) -> None:
        self._x, self._y = np.asarray(x), np.asarray(y)
        if len(self._x) != len(self._y):
            raise ValueError(
                f"validation_data must be (x, y) of one length; got {len(self._x)}, {len(self._y)}."
            )
        self._batch_size = min(batch_size, len(self._x))
        available = len(self._x) // self._batch_size
        self._num_batches = available if num_batches < 0 else min(num_batches, available)
        self._random = np.random.default_rng(0)

    def __call__(self, model: Any, batch_loss: Callable[[], float]) -> float:
        """Return the mean data loss, and leave the model's running metrics as they were."""
        metrics = [(v, np.array(ops.convert_to_numpy(v))) for v in model.metrics_variables]
        rows = self._random.choice(len(self._x), self._num_batches * self._batch_size, False)
        losses = []
        for batch in np.split(rows, self._num_batches):
            model.test_on_batch(self._x[batch], self._y[batch])
            losses.append(batch_loss())
        for variable, value in metrics:
            variable.assign(value)
        return float(np.mean(losses))
