"""What several commands show: values and where they came from, costs, folders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onecycle_cli.commands.console.ending import number, table

if TYPE_CHECKING:
    from onecycle_cli.config import Config
    from onecycle_cli.experiments.hyper_parameters import Values
    from onecycle_cli.workbench.cost import Cost


def known_values(config: Config, out: Path) -> Values:
    """Return the values that an experiment would use, without starting Keras.

    Asking it for a learning rate first spares the user the wait for an error.
    """
    from onecycle_cli.experiments.hyper_parameters import gather
    from onecycle_cli.observer import Observer

    return gather(config, out, Observer(), conditions={})


def used_rows(values: Values, decay: str, *keys: str) -> list[tuple[str, str]]:
    """Return the named values and where each came from, for a table.

    Args:
        values: all of them.
        decay: what a weight decay means: `l2` or `decoupled`.
        *keys: `max_lr`, `momentum` or `weight_decay`.
    """
    from onecycle_cli.experiments.hyper_parameters import in_words

    shown = {
        "max_lr": ("max_lr", number(values.max_lr)),
        "momentum": ("momentum", in_words(values.momentum)),
        "weight_decay": (f"weight decay, {decay}", number(values.weight_decay)),
    }
    return [(shown[key][0], f"{shown[key][1]} ({values.sources[key]})") for key in keys]


def rate_rows(rates: Sequence[float], sources: Sequence[str]) -> list[tuple[str, str]]:
    """Return the highest learning rate of each cycle and where it came from, for a table."""
    names = [f"max_lr, cycle {i}" for i in range(1, len(rates) + 1)] if rates[1:] else ["max_lr"]
    return [
        (name, f"{number(rate)} ({source})")
        for name, rate, source in zip(names, rates, sources, strict=True)
    ]


def cost_row(cost: Cost) -> tuple[str, str]:
    """Return what an experiment took, for a table."""
    return ("cost", f"{cost} in {cost.seconds:.1f} s")


def write_table(rows: list[tuple[str, str]], folder: Path | None) -> None:
    """Print the result."""
    table([*rows, *folder_row(folder)])


def folder_row(folder: Path | None) -> list[tuple[str, str]]:
    """Return where something is written, for a table; nothing if it is not."""
    from onecycle_cli.runs.stores.urls import address

    return [("saved in", address(folder))] if folder else []


_SCORES = {"auc": "AUC", "f1": "F1", "r2": "R2", "mae": "mean abs. error"}


def score_rows(scores: Mapping[str, Any], what: str = "") -> list[tuple[str, str]]:
    """Return a row for each measure of a task besides accuracy, means over labels or targets.

    Args:
        scores: as of `Examination.scores`.
        what: what they are of, such as `test `.
    """
    return [
        (f"{what}{name}", number(scores[key]))
        for key, name in _SCORES.items()
        if scores.get(key) is not None
    ]
