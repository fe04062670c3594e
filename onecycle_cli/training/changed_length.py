"""A cycle that gets another number of steps while it is under way."""

from __future__ import annotations

from collections.abc import Callable

from onecycle_cli import schedules
from onecycle_cli.callbacks.recorded_cycle import RecordedCycle
from onecycle_cli.errors import ConfigError


def change_of_length(
    cycle: RecordedCycle, number: int, steps: int, policy: str | None
) -> Callable[[list[float], int, int], list[float]]:
    """Return how the tables of a cycle become longer or shorter; see `schedules.POLICIES`.

    Args:
        cycle: as far as it has got.
        number: of the cycle, counted from 1.
        steps: how many it is to have in all.
        policy: a name of `schedules.POLICIES`.

    Raises:
        ConfigError: when no policy is given, or the cycle can't become as short as that.
    """
    done, planned = len(cycle.losses), len(cycle.losses) + cycle.steps_to_go
    if policy not in schedules.POLICIES:
        raise ConfigError(
            f"cycle {number} is at step {done} of {planned} and is asked to have {steps}: "
            f"say how, by --policy stretch (what remains of the schedule is spread over the "
            f"steps to come) or --policy extend (the present values are held first)."
        )
    if steps <= done:
        raise ConfigError(
            f"cycle {number} has done {done} steps and cannot have {steps} in all; ask "
            f"for more epochs, or press Ctrl-C in a training to end it with a cool-down."
        )
    if policy == "extend" and steps < planned:
        raise ConfigError(
            f"--policy extend cannot make cycle {number} shorter ({steps} steps instead "
            f"of {planned}); use --policy stretch."
        )
    return schedules.POLICIES[policy]
