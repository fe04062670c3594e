"""The other callbacks of a `fit`, and something to be done after all of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import keras


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


def _callers() -> Iterator[Any]:
    frame: Any = sys._getframe(2)
    while frame is not None:
        yield frame
        frame = frame.f_back
