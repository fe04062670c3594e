"""The other callbacks of a `fit`, and something to be done after all of them."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import keras

from onecycle_cli.errors import TrainingError


def callback_list() -> Any | None:
    """Return the list of callbacks whose hook is being called; `None` outside of Keras' own loop.

    Keras hands a callback its model and its parameters, but not the list it is in.
    """
    for frame in _callers():
        caller = frame.f_locals.get("self")
        if isinstance(caller, keras.callbacks.CallbackList):
            return caller
    return None


class LastWord(keras.callbacks.Callback):
    """Does something when `fit` has ended and every other callback has been told so.

    Args:
        owner: who needs it; has one last word in a list.
        action: what is done, once.
    """

    def __init__(self, owner: Any, action: Callable[[], None]) -> None:
        super().__init__()
        self._owner, self._action = owner, action
        self._list: Any = None

    def have_in(self, callbacks: Any) -> None:
        """Come last in a list of callbacks, also while that runs through its hooks."""
        self._list = callbacks
        callbacks.callbacks = [*self._others(callbacks), self]

    def on_train_end(self, logs: Any = None) -> None:
        self._list.callbacks = self._others(self._list)
        self._action()

    def _others(self, callbacks: Any) -> list[Any]:
        """Return all but the last words of this owner, which a `fit` that raised leaves behind."""
        return [
            each
            for each in callbacks.callbacks
            if not (isinstance(each, LastWord) and each._owner is self._owner)
        ]


def restore_last(owner: Any, restore: Callable[[], None]) -> bool:
    """Restore after callbacks that set weights when training ends, and let none save them.

    Args:
        owner: the callback whose hook this is called in.
        restore: brings the model back.

    Returns:
        Whether that will be done: outside of Keras' own loop it will not.

    Raises:
        TrainingError: beside `BackupAndRestore`; the model is brought back before.
    """
    callbacks = callback_list()
    if callbacks is None:
        return False
    everybody = callbacks.callbacks
    if any(isinstance(each, keras.callbacks.BackupAndRestore) for each in everybody):
        restore()
        raise TrainingError(
            "BackupAndRestore would load a backup into the range test, then delete it; take it "
            "out of the callbacks of this fit."
        )
    others = [e for e in everybody if not isinstance(e, keras.callbacks.ModelCheckpoint)]
    if len(others) < len(everybody):
        warnings.warn(
            "ModelCheckpoint is left out while the range test runs, because it would overwrite "
            "its file with the weights of the test; set restore=False to have them saved.",
            stacklevel=2,
        )
        callbacks.callbacks = others

    def conclude() -> None:
        restore()
        callbacks.callbacks = everybody

    LastWord(owner, conclude).have_in(callbacks)
    return True


def _callers() -> Iterator[Any]:
    frame: Any = sys._getframe(2)
    while frame is not None:
        yield frame
        frame = frame.f_back
