"""The end of a training before its time: the learning rate falls to its end at once."""

from __future__ import annotations

import math

import numpy as np

from onecycle_cli import schedules
from onecycle_cli.engine.steering.names import LEARNING_RATE, MOMENTUM
from onecycle_cli.training.course import Course

COOL_DOWN_SHARE = 0.1
"""A cool-down takes so many steps for each step of the cycle before it."""

_SHORTEST = 20


def cool_down(course: Course, why: str, *, together: int) -> int:
    """Let the learning rate fall to its end from here, and return in how many steps.

    Args:
        course: of the training.
        why: `"interrupted"` or `"early"`.
        together: how many steps are run in one execution.
    """
    cycle, done = course.cycle, course.cycle.steps_done
    wanted = max(_SHORTEST, math.ceil(COOL_DOWN_SHARE * done))
    steps = min(cycle.steps_to_go, math.ceil(wanted / together) * together)
    final = schedules.final_rate(cycle.schedule[LEARNING_RATE], course.max_lr)
    ends = {LEARNING_RATE: final, MOMENTUM: course.plan.momentum["max"]}
    cycle.reschedule(
        {
            name: schedules.cooled_down(table, done, steps, ends.get(name, table[-1]))
            for name, table in cycle.schedule.items()
        }
    )
    course.ended = why
    course.events.append({"what": why, "step": len(course.log), "cool_down_steps": steps})
    return steps


def epochs_in_vain(course: Course) -> int:
    """Return for how many epochs there was no better one, if that is reason to finish; else 0."""
    settings, cycle = course.settings.early_finish, course.cycle
    if settings is None or course.ended is not None or course.best is None:
        return 0
    waited = len(course.log.epochs) - course.best.epoch
    if waited < settings.patience or not cycle.steps_to_go:
        return 0
    is_past_peak = cycle.steps_done > int(np.argmax(cycle.schedule[LEARNING_RATE]))
    return waited if is_past_peak else 0
