"""The ends of steps and of epochs, as events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras


class Hooks(keras.callbacks.Callback):
    """Call a function at the end of each step, or each execution of several, and of each epoch."""

    def __init__(self, *, step: Callable[[], None], epoch: Callable[[], None]) -> None:
        super().__init__()
        self._step, self._epoch = step, epoch

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Call the one."""
        _ = self.model  # on JAX, brings the variables up to date
        self._step()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Call the other."""
        _ = self.model
        self._epoch()
