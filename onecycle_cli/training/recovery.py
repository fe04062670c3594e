"""After a divergence: back to a good state, and on with a smaller learning rate."""

from __future__ import annotations

import math
from typing import Any

from onecycle_cli.callbacks.divergence import Divergence
from onecycle_cli.callbacks.recorded_cycle import RecordedCycle
from onecycle_cli.engine.devices.processes import processes
from onecycle_cli.errors import TrainingError
from onecycle_cli.observer import Observer
from onecycle_cli.runs.checkpoints import State
from onecycle_cli.training.course import Course
from onecycle_cli.training.final_weights import FinalWeights
from onecycle_cli.training.states import go_back_to, state_of

_SMALLER = 0.5
_ANCHORS = 2


class Recovery:
    """Keeps the last good states of a training, its anchors, and goes back to them."""

    def __init__(self, course: Course, weights: FinalWeights, observer: Observer) -> None:
        self._course, self._weights, self._observer = course, weights, observer
        self._anchors: list[State] = []

    @property
    def has_anchors(self) -> bool:
        """Whether there is a good state to go back to."""
        return bool(self._anchors)

    def drop_anchor(self) -> None:
        """Remember the present state, unless the last losses look like a divergence.

        Without retries nobody goes back, but where another process is lost.
        """
        divergence = self._course.cycle.divergence
        if not isinstance(divergence, Divergence):
            if not processes().are_several:
                return
        elif divergence.suspected:
            return
        if self._course.ended is None:
            self._anchors = [*self._anchors[1 - _ANCHORS :], self._state()]

    def forget(self) -> None:
        """Drop all anchors: they are of another cycle, or of another plan."""
        self._anchors = []

    def checkpoint(self) -> State:
        """Return the present state, together with the anchors."""
        if self._anchors and self._anchors[-1].about["step"] == len(self._course.log):
            *earlier, last = self._anchors
            return State(last.about | {"is_anchor": True}, last.arrays, earlier)
        now = self._state()
        return State(now.about, now.arrays, self._anchors)

    def resume_from(self, state: State) -> None:
        """Take up the anchors of what `checkpoint` returned."""
        self._anchors = [*state.earlier, *([state] if state.about.get("is_anchor") else [])]

    def try_again(self) -> None:
        """Go back to the last good state, and on with a smaller learning rate.

        Raises:
            TrainingError: when that has been tried often enough, or there is nothing to go back to.
        """
        course, most = self._course, self._course.settings.retries
        if _at_once(course) or course.retries >= most or not self._anchors:
            raise TrainingError(_why(course))
        what, event = _what_happened(course.cycle), _event_of(course)
        self._skip_an_anchor_used_before()
        factor = course.factor * _SMALLER
        go_back_to(self._anchors[-1], course, self._weights)
        course.retries += 1
        _scale_what_remains(course, factor)
        event |= {"back_to": len(course.log), "max_lr": factor * course.max_lr}
        course.events = [*course.events, event]
        self._observer.warn(
            f"at step {event['step']} {what}; going back to step {event['back_to']} with "
            f"{factor:g} times the learning rate (try {course.retries} of {most}, see "
            f"train.retries)."
        )
        self._observer.begin(f"cycle {course.number}, again", course.cycle.steps_to_go)

    def go_back_to_last_good(self) -> None:
        """Go back to the last good state, from a step that failed and left no state to be read."""
        self._course.bench.rewind()
        go_back_to(self._anchors[-1], self._course, self._weights)

    def _skip_an_anchor_used_before(self) -> None:
        """Go further back if the training has diverged from the last anchor already."""
        events = [
            event for event in self._course.events if event.get("cycle") == self._course.number
        ]
        used = [event.get("back_to") for event in events]
        if len(self._anchors) > 1 and self._anchors[-1].about["step"] in used:
            self._anchors.pop()

    def _state(self) -> State:
        return state_of(self._course, self._weights)


def _at_once(course: Course) -> bool:
    """Tell whether the very first loss was not finite."""
    return course.number == course.cycle.steps_done == 1


def _event_of(course: Course) -> dict[str, Any]:
    loss = course.log.losses[-1]
    return {
        "what": course.cycle.stop_reason,
        "cycle": course.number,
        "step": len(course.log) - 1,
        "lr": course.log.lrs[-1],
        "loss": loss if math.isfinite(loss) else None,
    }


def _scale_what_remains(course: Course, factor: float) -> None:
    course.cycle.watch_from_here()
    course.change_schedule("scale", course.cycle.steps_done, factor, course.factor)
    course.factor = factor


def _why(course: Course) -> str:
    """Say why the training can't go on, and what to do about it."""
    if _at_once(course):
        return (
            "the loss was not finite at the first step, before anything was learned; check "
            "the inputs for NaN, and the model for a division by zero or a logarithm of zero."
        )
    cycle, lr = course.cycle, course.log.lrs[-1]
    tries = "1 try" if course.retries == 1 else f"{course.retries} tries"
    tried = f", after {tries} at smaller rates" if course.retries else ""
    anyway = "" if cycle.stop_reason == "non_finite" else (
        " To train on whatever the loss does, set train.retries to 0."
    )  # fmt: skip
    return (
        f"at step {cycle.steps_done} of cycle {course.number}, at the learning rate {lr:.3g}, "
        f"{_what_happened(cycle)}{tried}; {_smaller_rate(course)}.{anyway}"
    )


def _smaller_rate(course: Course) -> str:
    """Say how to come to a smaller learning rate, but not to search for one found already."""
    place = course.number - 1
    own = course.bench.config.train.cycles[place].max_lr is not None
    key = f"train.cycles.{place}.max_lr" if own else "train.max_lr"
    lower = f"set {key} below {course.factor * course.max_lr:.3g}"
    source = course.plan.sources[place]
    if source.startswith("suggestion"):
        return f"{lower} ({course.max_lr:.3g} was the {source})"
    return f"{lower}, or let 'onecycle find-lr CONFIG' suggest one"


def _what_happened(cycle: RecordedCycle) -> str:
    if cycle.stop_reason == "non_finite":
        return "the loss was not finite"
    return f"the loss had risen for good ({cycle.divergence})"
