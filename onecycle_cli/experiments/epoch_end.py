"""The end of an epoch, as an event."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras


class EpochEnd(keras.callbacks.Callback):
    """Call a function at the end of each epoch."""

    def __init__(self, function: Callable[[], None]) -> None:
        super().__init__()
        self._function = function

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Call it."""
        _ = self.model  # on JAX, brings the variables up to date
        self._function()
