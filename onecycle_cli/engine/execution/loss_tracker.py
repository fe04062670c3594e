"""The epoch's mean loss, and the loss of the last batch."""

from __future__ import annotations

from typing import Any

import keras


class LossTracker(keras.metrics.Mean):
    """The epoch's mean loss as Keras keeps it, with the last batch's own data loss beside it.

    `logs["loss"]` is a running mean that includes penalties; `last` is neither.
    """

    def __init__(self, name: str = "loss", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.last = self.add_variable(
            (),
            initializer=keras.initializers.Constant(float("nan")),
            dtype="float32",
            aggregation="only_first_replica",  # each replica is told the sum of all
            name="last",
        )
