"""One probe: what it was, and how its losses are judged."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from onecycle_cli.suggest.bounds import Bounds
from onecycle_cli.suggest.comparison import annealed, annealed_loss
from onecycle_cli.suggest.curves import Array

LADDER, FINAL = "ladder", "final"
"""The stages of a search for a learning rate: coarse, short probes, then finer, longer ones."""

FIRST, AGAIN = "first", "again"
"""The stages of a comparison: every value once; then the best ones from other initial weights."""

STAGE_IN_WORDS = {LADDER: "first", FINAL: "closer", FIRST: "first", AGAIN: "second"}
"""What a person reads of a stage, with "try" or "tries" behind it."""

GOOD, LOW, HIGH = "good", "low", "high"
"""How a probe's learning rate looks by itself: something was learned, or it is too low or high."""

_FIRST = 3
_LEARNED = 0.98
_ROSE = 1.3
_EXPLODED = 4.0
_ERRORS = 3.0
_ROOM = 0.1
_SMALLEST = 1e-6


class Estimate(NamedTuple):
    """A mean loss and its standard error."""

    mean: float
    error: float

    @classmethod
    def of(cls, losses: ArrayLike) -> Estimate:
        """Return the mean of losses; the error of a single one is not known, so infinite."""
        values = np.asarray(losses, float)
        count = len(values)
        error = float(values.std(ddof=1)) / math.sqrt(count) if count > 1 else math.inf
        return cls(float(values.mean()), error)


@dataclass(frozen=True)
class Probe:
    """A short, complete 1cycle training.

    Attributes:
        value: what it tries: of a search for a learning rate, the highest of its cycle.
        stage: `LADDER`, `FINAL`, `FIRST` or `AGAIN`.
        steps: the length of its cycle; it takes fewer if it is broken off.
        losses: the data loss of each step's batch before its update, of shape (steps taken,).
        held_out: the loss of examples that it was not trained with; `None` where no batch came
            twice, so that `losses` are of such examples, or where there are none.
        replicate: from which initial weights it starts, and in which order it sees the data.
        scored: the losses that it is compared by, example by example, of shape (n,); infinite
            where it broke off.
    """

    value: float
    stage: str
    steps: int
    losses: Array = field(repr=False)
    held_out: Estimate | None = None
    replicate: int = 0
    scored: Array = field(default_factory=lambda: np.array([np.inf]), repr=False)

    @property
    def x(self) -> float:
        """The decimal logarithm of its value."""
        return math.log10(self.value)

    @property
    def broke_off(self) -> bool:
        """Whether it ended before its cycle did, or in a loss that is not finite."""
        return math.isinf(self.loss)

    @property
    def start(self) -> float:
        """The mean of its first three losses."""
        return float(np.mean(self.losses[:_FIRST]))

    @property
    def tail(self) -> Array:
        """The losses of its last fifth, where the learning rate is low."""
        return annealed(self.losses)

    @property
    def loss(self) -> float:
        """What it is judged by: the mean of its tail; infinite if it broke off."""
        return annealed_loss(self.losses, self.steps)


@dataclass(frozen=True)
class Measure:
    """What the losses of a search are measured against.

    Attributes:
        bounds: between which losses a model learns.
        start: the loss before anything is learned.
    """

    bounds: Bounds
    start: float

    @classmethod
    def of(cls, probes: Sequence[Probe], bounds: Bounds) -> Measure:
        """Return the measure of probes that all started from the same model."""
        starts = [probe.start for probe in probes if math.isfinite(probe.start)]
        return cls(bounds, float(np.median(starts)) if starts else math.inf)

    @property
    def nothing(self) -> float:
        """The loss of having learned nothing."""
        return self.bounds.chance if self.bounds.are_known else self.start

    @property
    def starts_above_guessing(self) -> bool:
        """Whether a rate that changes nothing leaves the loss clearly above that of guessing."""
        height = self.bounds.height
        return self.bounds.are_known and height(self.nothing) < _LEARNED * height(self.start)

    def look(self, probe: Probe) -> str:
        """Tell how a probe's learning rate looks by itself: `GOOD`, `LOW` or `HIGH`."""
        if probe.broke_off:
            return HIGH
        if not self.bounds.are_known:
            return self._look_by_itself(probe)
        if self.bounds.height(probe.loss) <= _LEARNED * self.bounds.height(self.nothing):
            return GOOD
        highest = self.bounds.height(float(_means_of_three(probe.losses).max()))
        usual = self.bounds.height(max(probe.start, self.nothing))
        return HIGH if highest > _ROSE * usual else LOW

    def _look_by_itself(self, probe: Probe) -> str:
        """Tell it by the noise alone, where it is not known which losses mean what."""
        error = self._error(probe)
        if probe.loss < self.start - error:
            return GOOD
        return HIGH if probe.loss > self.start + error else LOW

    def heights_of(self, probes: Sequence[Probe]) -> Array:
        """Return how high the training losses of probes lie; 0 where one learned nothing."""
        return self.heights([p.loss if self.look(p) == GOOD else math.inf for p in probes])

    def heights(self, losses: Sequence[float]) -> Array:
        """Return how high losses lie: a logarithm, 0 where nothing was learned."""
        floor = self.floor(losses)
        room = self.nothing - floor
        shares = [(loss - floor) / room if loss < self.nothing else 1.0 for loss in losses]
        return np.log(np.clip(np.array(shares), _SMALLEST, 1.0))

    def losses(self, heights: Array, probes: Sequence[Probe]) -> Array:
        """Return the training losses that lie so high, by the measure of these probes."""
        floor = self.floor([probe.loss for probe in probes if self.look(probe) == GOOD])
        return floor + (self.nothing - floor) * np.exp(heights)

    def floor(self, losses: Sequence[float]) -> float:
        """Return the loss whose height is minus infinity.

        Where the lowest possible loss is not known, it is taken to lie below the best one by a
        tenth of what that has learned, so that adding a constant to a loss changes nothing.
        """
        if self.bounds.are_known:
            return self.bounds.least
        best = min(losses, default=math.inf)
        return best - _ROOM * (self.nothing - best) if best < self.nothing else -math.inf

    def _error(self, probe: Probe) -> float:
        """Return how far start and tail may differ by chance."""
        tail = probe.tail
        spread = float(tail.std(ddof=1)) if len(tail) > 1 else math.inf
        return _ERRORS * spread * math.sqrt(1 / _FIRST + 1 / len(tail))


class Explosion:
    """Tells when the loss of a probe has grown so far that no more is to be learned from it.

    It has when the mean of three losses in a row is above four times the loss of guessing, and four
    times the first losses.

    Args:
        bounds: between which losses a model learns.
    """

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._first: list[float] = []
        self._last: deque[float] = deque(maxlen=_FIRST)

    def follow(self, losses: Iterable[float]) -> None:
        """Take note of the next losses, in order."""
        for loss in losses:
            if len(self._first) < _FIRST:
                self._first.append(loss)
            self._last.append(loss)

    def start_afresh(self) -> None:
        """Judge by the losses to come."""
        self._last.clear()

    @property
    def found(self) -> bool:
        """Whether it has exploded."""
        if len(self._last) < _FIRST:
            return False
        first, last = float(np.mean(self._first)), float(np.mean(self._last))
        if not self._bounds.are_known:
            return last > _EXPLODED * abs(first)
        height = self._bounds.height
        return height(last) > _EXPLODED * height(max(first, self._bounds.chance))


def _means_of_three(losses: Array) -> Array:
    """Return the mean of each three losses in a row."""
    if len(losses) < _FIRST:
        return losses
    return np.convolve(losses, np.full(_FIRST, 1 / _FIRST), "valid")
