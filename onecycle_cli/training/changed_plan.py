"""Other numbers of epochs for a training that is resumed."""

from __future__ import annotations

from onecycle_cli import schedules
from onecycle_cli.errors import ConfigError
from onecycle_cli.training.course import Course


def change_plan(course: Course, asked: list[int], policy: str | None) -> None:
    """Give the present cycle and those to come other numbers of epochs.

    Args:
        course: of the training.
        asked: epochs of each cycle.
        policy: how the present cycle gets more or fewer epochs: one of `schedules.POLICIES`.

    Raises:
        ConfigError: when the change is impossible.
    """
    present = course.number - 1
    if asked[:present] != course.epochs[:present]:
        raise ConfigError(
            f"train.cycles: the first {present} of the cycles are done and stay at "
            f"{course.epochs[:present]} epochs; got {asked[:present]}."
        )
    before = course.epochs
    if course.cycle.steps_done and asked[present] != before[present]:
        _change_cycle(course, asked[present], policy)
    course.epochs = list(asked)
    if not course.cycle.steps_done:
        course.begin_cycle()
    event = {"what": "plan", "step": len(course.log), "epochs": asked, "policy": policy}
    course.events.append(event | {"before": before})


def _change_cycle(course: Course, epochs: int, policy: str | None) -> None:
    cycle, done = course.cycle, course.cycle.steps_done
    before, total = done + cycle.steps_to_go, epochs * course.bench.steps_per_epoch
    if policy not in schedules.POLICIES:
        raise ConfigError(
            f"cycle {course.number} is at step {done} of {before} and is asked to have {total}: "
            f"say how, by --policy stretch (what remains of the schedule is spread over the "
            f"steps to come) or --policy extend (the present values are held first)."
        )
    if total <= done:
        raise ConfigError(
            f"cycle {course.number} has done {done} steps and cannot have {total} in all; ask "
            f"for more epochs, or press Ctrl-C in a training to end it with a cool-down."
        )
    if policy == "extend" and total < before:
        raise ConfigError(
            f"--policy extend cannot make cycle {course.number} shorter ({total} steps instead "
            f"of {before}); use --policy stretch."
        )
    course.change_schedule(policy, done, total)
