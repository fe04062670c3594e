"""The shape of a cycle as arguments, of `OneCycleLR` and of the functions in `schedules`."""

from __future__ import annotations

from typing import Any

from onecycle_cli import schedules
from onecycle_cli.config import TrainConfig


def shape_arguments(train: TrainConfig) -> dict[str, Any]:
    """Return the shape, its shares where it has any, and its options."""
    arguments: dict[str, Any] = {"shape": train.shape}
    if takes(train.shape, "end_percentage"):
        arguments["end_percentage"] = train.end_percentage
    if train.scale_percentage is not None:
        arguments["scale_percentage"] = train.scale_percentage
    return arguments | train.shape_options


def takes(shape: str, name: str) -> bool:
    """Tell whether `end_percentage` or `scale_percentage` means something to a shape."""
    try:
        schedules.shapes.check_share(shape, name)
    except ValueError:
        return False
    return True


def start_share(train: TrainConfig) -> float:
    """Return the first learning rate as a share of the highest, for the shapes that leave it open.

    A `scale_percentage` says it, or else the `end_percentage`.
    """
    return train.end_percentage if train.scale_percentage is None else train.scale_percentage
