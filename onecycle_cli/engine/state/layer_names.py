"""The names that Keras gives to layers without one: their class, and a number that counts on."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator

from keras.src.backend.common import global_state

_COUNTS = "object_name_uids"


@contextlib.contextmanager
def names_as_before() -> Iterator[None]:
    """Let Keras forget the names of the layers made within: those to come count on from before."""
    counts = dict(global_state.get_global_attribute(_COUNTS) or {})
    try:
        yield
    finally:
        global_state.set_global_attribute(_COUNTS, defaultdict(int, counts))
