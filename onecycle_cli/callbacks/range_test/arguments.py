"""What a range test is asked for, checked before anything is trained."""

from __future__ import annotations

from numbers import Integral
from pathlib import Path
from typing import Any

from onecycle_cli import schedules
from onecycle_cli.callbacks.counts import is_number
from onecycle_cli.errors import ArgumentError, ResultError
from onecycle_cli.runs.folders.writable import check_writable


def check_range(min_lr: Any, max_lr: Any, scale: schedules.Scale, num_steps: Any) -> None:
    """Refuse learning rates that do not rise from one to the other, and too few steps.

    Raises:
        ValueError: naming the argument and what was given.
    """
    for name, rate in (("min_lr", min_lr), ("max_lr", max_lr)):
        if not is_number(rate):
            raise ArgumentError(f"{name} must be a number; got {rate!r}.")
    if not 0 < min_lr < max_lr:
        raise ArgumentError(
            f"min_lr and max_lr must be above 0, and min_lr below max_lr; got min_lr={min_lr}, "
            f"max_lr={max_lr}."
        )
    if num_steps is not None and not isinstance(num_steps, Integral):
        raise ArgumentError(
            f"num_steps must be a whole number of at least 2, or None; got {num_steps!r}."
        )
    schedules.sweep(2 if num_steps is None else int(num_steps), min_lr, max_lr, scale)


def check_folder(folder: Path | None) -> None:
    """Refuse a folder that the result can't be written to.

    Raises:
        ResultError: saying what is in the way.
    """
    try:
        if folder is not None:
            check_writable(folder)
    except ResultError as error:
        raise ResultError(f"save_dir: {str(error).replace(' with --out', '')}") from None


def check_the_rest(stop_factor: Any, beta: Any, sample_rate: Any, skip: tuple[Any, Any]) -> None:
    """Refuse whatever else of `LRFinder` is out of its range.

    Raises:
        ValueError: naming the argument and what was given.
    """
    if stop_factor is not None and not (is_number(stop_factor) and stop_factor > 1):
        raise ArgumentError(
            f"stopping_criterion_factor must be a number greater than 1, or None; got "
            f"{stop_factor!r}."
        )
    if not (is_number(beta) and 0 <= beta < 1):
        raise ArgumentError(f"loss_smoothing_beta must be in [0, 1); got {beta!r}.")
    if not is_number(sample_rate) or sample_rate == 0:
        raise ArgumentError(
            f"validation_sample_rate must not be 0; it is a number of batches, and a negative one "
            f"takes all of them; got {sample_rate!r}."
        )
    if not all(is_number(points) and points >= 0 for points in skip):
        raise ArgumentError(
            f"skip_begin and skip_end must be at least 0; got {skip[0]!r}, {skip[1]!r}."
        )
