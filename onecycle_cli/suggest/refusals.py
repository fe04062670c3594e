"""Why range tests support no suggestion: what was seen of them, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import starmap

import numpy as np
from numpy.typing import ArrayLike

from onecycle_cli.suggest.curves import finite_part, first_broken
from onecycle_cli.suggest.suggestion import Suggestion
from onecycle_cli.suggest.trends import FEWEST_POINTS

STOPPED = ("completed", "diverged", "non_finite")
"""How a finder says that its range test ended."""

Sweeps = Sequence[tuple[ArrayLike, ArrayLike]]
"""Learning rates and raw batch losses of each range test, arrays of shape (n,)."""

_FEW_PER_DECADE = 8.0
_FAR = 10.0
_FEW_TO_LEARN = 100
_TIMES = 3
CONSTANT = "that of a constant prediction"
"""What a loss is compared with: the same answer to every example, and the best of all such."""

_CHECK = "check the labels, the loss and that the layers are trainable"


@dataclass(frozen=True)
class Names:
    """What the settings of a range test are called where its user makes them."""

    min_lr: str = "min_lr"
    max_lr: str = "max_lr"
    steps: str = "the number of steps"
    repeats: str = "the number of repeats"

    @property
    def more_of_both(self) -> str:
        """What to do where the noise decides."""
        return f"raise {self.steps} or {self.repeats}"


IN_GENERAL = Names()
IN_CONFIG = Names("find_lr.min_lr", "find_lr.max_lr", "find_lr.steps", "find_lr.repeats")
IN_CALLBACK = Names(steps="num_steps")


@dataclass(frozen=True)
class Course:
    """How far range tests went, told by the one that went furthest.

    Attributes:
        steps: how many finite losses it has.
        first: its first learning rate.
        last: the learning rate of its last finite loss.
        planned: how many steps were planned, and up to which learning rate; `None`: not known.
        stopped: one of `STOPPED`; `None`: not known, or cut short by whoever ran it.
        skipped: how many points at the beginning and at the end the rules leave out.
        names: what its settings are called.
    """

    steps: int
    first: float
    last: float
    planned: tuple[int, float] | None = None
    stopped: str | None = None
    skipped: tuple[int, int] = (0, 0)
    names: Names = IN_GENERAL

    @classmethod
    def of(
        cls,
        sweeps: Sweeps,
        planned: tuple[int, float] | None,
        stopped: str | None,
        skipped: tuple[int, int],
        names: Names = IN_GENERAL,
    ) -> Course:
        """Return the course of the longest of several sweeps that ended so."""
        finite = [x for x, _ in starmap(finite_part, sweeps)]
        if planned is not None and stopped in {"diverged", "non_finite"}:
            finite = [x for x in finite if len(x) < planned[0]] or finite
        rates = max(finite, key=len, default=np.array([]))
        first, last = (float(rates[0]), float(rates[-1])) if len(rates) else (0.0, 0.0)
        return cls(len(rates), first, last, planned, stopped, skipped, names)

    @property
    def cut_short(self) -> bool:
        """Whether it ended before its planned end, and not by the finder's own decision."""
        return self.stopped is None and self.planned is not None and self.steps < self.planned[0]

    @property
    def sparse(self) -> bool:
        """Whether it took few steps for the range that it covered."""
        decades = np.log10(self.last / self.first) if self.steps > 1 else 0.0
        return bool(self.steps < _FEW_PER_DECADE * decades)

    @property
    def broke_off(self) -> bool:
        """Whether the finder stopped it because of its losses."""
        return self.stopped in {"diverged", "non_finite"}

    @property
    def begin_earlier(self) -> str:
        """What to do where it broke off before anything was seen."""
        if self.last < self.first * _FAR:
            return f"lower {self.names.min_lr}, so that the test begins where training is stable"
        if self.sparse:
            return (
                f"raise {self.names.steps}, or lower {self.names.max_lr}, so that more of them "
                f"come before that"
            )
        return f"{self.more_steps}, since a network may need more to learn anything; else {_CHECK}"

    @property
    def more_steps(self) -> str:
        """What to do where the test was too short."""
        to = "" if self.planned is None else f" to {_TIMES * self.planned[0]}"
        return f"raise {self.names.steps}{to}"

    @property
    def left(self) -> int:
        """How many points are left to the rules."""
        return max(0, self.steps - sum(self.skipped))

    def __str__(self) -> str:
        """Say how far it went, and why no further."""
        end = f"at the learning rate {self.last:.3g}"
        if self.planned is None:
            return f"{_steps(self.steps)} were recorded, the last {end}"
        steps, rate = self.planned
        taken = f"{self.steps} of {steps}"
        way = f"{end} on the way to {rate:.3g}"
        if self.cut_short:
            return f"fit ended after {taken} planned steps, {end} instead of {rate:.3g}"
        if self.stopped == "diverged":
            return f"the loss diverged at step {taken}, {way}"
        if self.stopped == "non_finite":
            return f"after step {taken}, {way}, the loss was not finite"
        return f"all {_steps(steps)} up to {rate:.3g} were taken"


def nothing_learned(course: Course, *, fell: bool) -> Suggestion:
    """Return the refusal where the loss did not fall, or fell only to that of guessing."""
    if course.cut_short:
        return _cut_short(course)
    bound = CONSTANT if fell else "its start"
    what = f"at no learning rate did the loss fall clearly below {bound}"
    if course.broke_off:
        advice = course.begin_earlier
    else:
        advice = f"{_CHECK}, or raise {course.names.max_lr}"
        if course.sparse:
            advice = f"that is few for so wide a range: {course.more_steps} first; or {advice}"
        elif course.steps < _FEW_TO_LEARN:
            advice = (
                f"{course.more_steps} first, since a network may need more to learn anything; or "
                f"{advice}"
            )
    return _refusal("never_descended", f"{what}: {course}; {advice}.")


def never_rose(course: Course, highest: float) -> Suggestion:
    """Return the refusal where the loss fell, and did not rise again up to the rate `highest`."""
    if course.cut_short:
        return _cut_short(course)
    what = f"the loss was still falling, or flat, at the highest learning rate {highest:.3g}"
    advice = f"raise {course.names.max_lr} to {highest * 10:.3g} and search again"
    if end := course.skipped[1]:
        advice = f"leave out fewer than {_points(end)} at the end"
    elif course.broke_off:
        advice = f"its rise is within the noise: {course.names.more_of_both}"
    return _refusal("never_diverged", f"{what}; {advice} ({course}).")


def too_few_points(sweeps: Sweeps, course: Course) -> Suggestion:
    """Return the refusal where most sweeps are too short, or not finite from their beginning."""
    begin, end = course.skipped
    lengths = [len(finite_part(*sweep)[0]) for sweep in sweeps]
    short = [s for s, n in zip(sweeps, lengths, strict=True) if n - begin - end < FEWEST_POINTS]
    course = Course.of(
        short or sweeps, course.planned, course.stopped, course.skipped, course.names
    )
    if begin + end and course.steps >= FEWEST_POINTS:
        what = f"only {_steps(course.left)} of {course.steps} are left"
        advice = f"leave out fewer (skip_begin is {begin}, skip_end {end})"
    elif broken := _first_broken(short):
        step, lr = broken
        return _refusal(
            "non_finite",
            f"the loss was not finite at step {step}"
            f"{f' of {course.planned[0]}' if course.planned else ''}, at the learning rate "
            f"{lr:.3g}; check the inputs for NaN and the loss for a logarithm of zero, or lower "
            f"{course.names.min_lr}.",
        )
    elif course.cut_short:
        return _cut_short(course)
    elif course.broke_off:
        what = str(course)
        advice = course.begin_earlier
    else:
        what = f"only {_steps(course.steps)} were recorded"
        advice = f"raise {course.names.steps}"
    if not short:
        return _refusal("too_short", f"{what}, too few for this rule; {advice}.")
    return _refusal(
        "too_short", f"{what}, and a curve needs at least {FEWEST_POINTS} steps; {advice}."
    )


def _first_broken(sweeps: Sweeps) -> tuple[int, float] | None:
    """Return the step, from 1, and the rate of the first loss that is not finite, if there is."""
    for lrs, losses in sweeps:
        broken = first_broken(np.asarray(losses, float))
        if broken < min(np.size(lrs), np.size(losses)):
            return broken + 1, float(np.asarray(lrs, float)[broken])
    return None


def _cut_short(course: Course) -> Suggestion:
    return _refusal(
        "too_short",
        f"the test was cut short: {course}; give fit more epochs, or lower {course.names.steps}.",
    )


def _refusal(verdict: str, reason: str) -> Suggestion:
    return Suggestion(None, None, verdict, reason)


def _points(count: int) -> str:
    return "1 point" if count == 1 else f"{count} points"


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"
