"""When a training has gone wrong for good."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from typing import Protocol

import numpy as np

WINDOW = 20
"""So many losses in a row show where a training stands."""

LONG_WINDOW = 60
"""So many show that it stays there."""

_LATELY = 5
_MOST = 0.75
_ABOVE_GUESSING = 2.0
_ABOVE_FIRST = 2.0
_ABOVE_BEST = 4.0
_OUT_OF_SCALE = 10.0
_LEARNED = 0.5
_FORGOTTEN = 0.8
_AT_ONCE = 10_000
"""So many windows are looked at together when a long training is taken up."""


class StopRule(Protocol):
    """What ends a training because of its losses."""

    def follow(self, losses: Iterable[float]) -> None:
        """Take note of the next losses, in order."""

    def start_afresh(self) -> None:
        """Judge by the losses to come."""

    @property
    def found(self) -> bool:
        """Whether the training has gone wrong."""


class Divergence:
    """Tells losses that have risen for good from those that start high or are noisy.

    An untrained network may start anywhere, and a single batch may cost anything. So a training is
    judged by where most of its last losses lie (three quarters of them), against the loss of
    guessing and against its own losses. It has diverged

    - when most of the last 20 losses are above twice the loss of guessing, and also above twice
      the first loss or four times the best so far, whichever is less;
    - when most of the last 60 are back at the loss of guessing (above 0.8 of it), after most of 20
      in a row had been below half of it: what was learned is lost.

    The best so far is the lowest value that most of 20 losses in a row were below. Where no formula
    gives the loss of guessing, as for a model with a loss of its own, which may be negative, most
    of the last 20 must be above ten times the size of the best and of the first 20 losses.

    Nothing but the losses decides, so that a training that is resumed is judged as if it had not
    been broken off.

    Args:
        guessing: the loss of the best constant prediction, or `None`.
    """

    def __init__(self, guessing: float | None) -> None:
        self._guessing = guessing
        self._first = self._best = math.inf
        self._size = 0.0
        self._seen = self._watched = 0
        self._last: deque[float] = deque(maxlen=LONG_WINDOW)

    def follow(self, losses: Iterable[float]) -> None:
        """Take note of the next losses, in order."""
        new = list(losses)
        if not new:
            return
        if not self._seen:
            self._first = new[0]
        self._size = max(self._size, *map(abs, new[: max(0, WINDOW - self._seen)]), 0.0)
        in_a_row = [*list(self._last)[1 - WINDOW :], *new]
        if len(in_a_row) >= WINDOW:
            self._best = min(self._best, _lowest_level(in_a_row))
        self._seen, self._watched = self._seen + len(new), self._watched + len(new)
        self._last.extend(new)

    def start_afresh(self) -> None:
        """Judge by the losses to come, because the learning rate is another one now."""
        self._watched = 0

    @property
    def found(self) -> bool:
        """Whether the training has diverged."""
        return any(
            self._watched >= window and _most_are_above(self._latest(window)) > level
            for window, level in ((WINDOW, self._far_above), (LONG_WINDOW, self._nothing_left))
        )

    @property
    def suspected(self) -> bool:
        """Whether the last few losses would be a divergence, if there were more of them."""
        if not self._watched:
            return False
        lately = _most_are_above(self._latest(min(_LATELY, self._watched)))
        return lately > min(self._far_above, self._nothing_left)

    def __str__(self) -> str:
        """Say where the losses lie and what they are compared with."""
        parts = [f"most of the last losses lie above {_most_are_above(self._latest(WINDOW)):.3g}"]
        if self._guessing is not None:
            parts.append(f"a constant prediction has {self._guessing:.3g}")
        if math.isfinite(self._best):
            parts.append(f"the best so far was {self._best:.3g}")
        return "; ".join(parts)

    @property
    def _far_above(self) -> float:
        if self._guessing is None:
            best = 0.0 if math.isinf(self._best) else abs(self._best)
            return _OUT_OF_SCALE * max(self._size, best)
        own = min(_ABOVE_FIRST * self._first, _ABOVE_BEST * self._best)
        return max(_ABOVE_GUESSING * self._guessing, own)

    @property
    def _nothing_left(self) -> float:
        if self._guessing is None or self._best >= _LEARNED * self._guessing:
            return math.inf
        return _FORGOTTEN * self._guessing

    def _latest(self, count: int) -> list[float]:
        return sorted(list(self._last)[-count:])


def _most_are_above(ascending: list[float]) -> float:
    return ascending[int((1 - _MOST) * len(ascending))]


def _lowest_level(losses: list[float]) -> float:
    """Return the lowest value that most of `WINDOW` losses in a row are below."""
    place = math.ceil(_MOST * WINDOW) - 1
    if len(losses) == WINDOW:  # one loss is new, as at each step
        return sorted(losses)[place]
    windows = np.lib.stride_tricks.sliding_window_view(np.array(losses), WINDOW)
    parts = np.array_split(windows, math.ceil(len(windows) / _AT_ONCE))
    return float(min(np.partition(part, place, axis=1)[:, place].min() for part in parts))
