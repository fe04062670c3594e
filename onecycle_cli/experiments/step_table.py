"""What `steps.csv` says of each step of a training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

COLUMNS = ("step", "lr", "momentum", "loss", "epoch", "cycle", "weight_decay")
GRAD_NORM = "grad_norm"


def columns(*, grad_norm: bool) -> tuple[str, ...]:
    """Return the names of the columns; `grad_norm` is there if it was asked for."""
    return (*COLUMNS, GRAD_NORM) if grad_norm else COLUMNS


def row(
    step: int,
    history: Mapping[str, Sequence[float]],
    losses: Sequence[float],
    index: int,
    *,
    epoch: int,
    cycle: int,
) -> tuple[float, ...]:
    """Return the row of one step, in the order of `columns`.

    Args:
        step: counted from 0 through all cycles.
        history: what was in force at each step of the cycle, of a `RecordedCycle`.
        losses: data losses of the cycle's steps.
        index: the step, counted from 0 within the cycle.
        epoch: counted from 1 through all cycles.
        cycle: counted from 1.
    """
    own = {"step": step, "loss": losses[index], "epoch": epoch, "cycle": cycle}
    in_force = {name: values[index] for name, values in history.items()}
    return tuple((in_force | own)[name] for name in columns(grad_norm=GRAD_NORM in history))
