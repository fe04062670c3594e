"""What callbacks are told in numbers, and how many steps an epoch has by that or by `fit`."""

from __future__ import annotations

import math
import warnings
from numbers import Real
from typing import Any

import numpy as np

from onecycle_cli.errors import ArgumentError, TrainingError


def check_count(name: str, count: Any, hint: str = "") -> None:
    """Refuse what is no count: most often an argument in a place that is another one's.

    Raises:
        ValueError: naming the argument, with a hint at what to do.
    """
    if count is None or (isinstance(count, int | np.integer) and count >= 1):
        return
    if isinstance(count, float) and count >= 1 and count.is_integer():
        return
    raise ArgumentError(
        f"{name} must be a whole number of at least 1, or left out; got {count!r}.{hint}"
    )


def is_number(value: Any) -> bool:
    """Tell whether something is a number, of Python or of NumPy, and no truth value."""
    return isinstance(value, Real) and not isinstance(value, bool)


def steps_per_epoch(
    of_fit: int | None, num_samples: int | None, batch_size: int | None, *, told: str
) -> int:
    """Return the batches of an epoch, and warn where the counts contradict `fit`.

    Args:
        of_fit: what `fit` says, if it knows.
        num_samples: samples in the data set, if that was told.
        batch_size: samples in a batch, if that was told.
        told: the name of the callback that was told.

    Raises:
        TrainingError: when neither is known.
    """
    if not num_samples or not batch_size:
        if of_fit is None:
            raise TrainingError(
                f"the number of batches of this data set is unknown; pass steps_per_epoch to fit, "
                f"or num_samples and batch_size to {told}."
            )
        return of_fit
    counted = math.ceil(num_samples / batch_size)
    if of_fit is None:
        return counted
    if of_fit not in (counted, num_samples // batch_size):  # with a smaller last batch, or without
        warnings.warn(
            f"{told} was told num_samples={num_samples} and batch_size={batch_size}, {counted} "
            f"batches an epoch, but fit runs {of_fit}; going by fit.",
            stacklevel=2,
        )
    return of_fit
