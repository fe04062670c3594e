"""Keras' safe mode, in which loading a model runs no code that is saved in it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

_SAFE_MODE = "safe_mode_saving"


@contextlib.contextmanager
def same_safe_mode() -> Iterator[None]:
    """Put the safe mode back afterwards, however it was changed; Keras can only turn it off."""
    from keras.src.backend.common import global_state

    before = global_state.get_global_attribute(_SAFE_MODE)
    try:
        yield
    finally:
        global_state.set_global_attribute(_SAFE_MODE, before)
