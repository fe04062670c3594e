"""Numbers as targets that may be meant as classes."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_CLASSES = 100
_SUM_TOLERANCE = 1e-3


def hidden_classes(y: NDArray[Any]) -> str | None:
    """Return how to write down the classes that numbers look like; `None` if they look like none.

    They do where each row is of zeros and ones or adds up to one, as one-hot rows, several labels
    and probabilities do; or where all are whole, of 2 to 100 values, each there twice on average.

    Args:
        y: float targets, shape (n,) or (n, k).
    """
    if y.ndim == 2 and y.shape[1] > 1:
        return _in_rows(y)
    values = np.unique(y)
    is_whole = bool((values == np.round(values)).all())
    if is_whole and 2 <= len(values) <= min(_MOST_CLASSES, y.size // 2):
        return (
            f"are whole numbers of {len(values)} values; write classes as integers from 0 up, with "
            "numpy.unique(y, return_inverse=True)[1]"
        )
    return None


def _in_rows(y: NDArray[Any]) -> str | None:
    is_binary = bool(((y == 0) | (y == 1)).all())
    are_shares = bool((y >= 0).all() and (np.abs(y.sum(axis=1) - 1) <= _SUM_TOLERANCE).all())
    if are_shares:
        kind = "one-hot" if is_binary else "the probabilities of classes"
        return f"are {kind}; write classes as integers, with numpy.argmax(y, axis=1)"
    if is_binary:
        return (
            "are zeros and ones, several labels for one example; write one class for each, as an "
            "integer from 0 up"
        )
    return None
