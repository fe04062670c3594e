"""Progress of a training run, step by step, to an observer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import keras

from onecycle_cli.observer import Observer


class Recording(Protocol):
    """A callback that has written down its last step."""

    @property
    def lrs(self) -> Sequence[float]: ...  # noqa: D102

    @property
    def losses(self) -> Sequence[float]: ...  # noqa: D102


class Reporting(keras.callbacks.Callback):
    """Tell the observer of each step that another callback has recorded."""

    def __init__(self, observer: Observer, recording: Recording | Any) -> None:
        super().__init__()
        self._observer = observer
        self._recording = recording
        self._reported = 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """See how many steps there are."""
        self._reported = len(self._recording.losses)

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Pass the steps on that were taken."""
        recording = self._recording
        for step in range(self._reported, len(recording.losses)):
            self._observer.advance(loss=recording.losses[step], lr=recording.lrs[step])
