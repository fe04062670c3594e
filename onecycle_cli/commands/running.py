"""What the commands that train have in common: check first, then start Keras, then watch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from onecycle_cli.commands.presenter import number, presented, table
from onecycle_cli.commands.progress import watching

if TYPE_CHECKING:
    from onecycle_cli.config import Config
    from onecycle_cli.experiments.cost import Cost
    from onecycle_cli.experiments.observer import Observer
    from onecycle_cli.experiments.values import Values


def checked_config(path: Path, overrides: list[str] | None, seed: int | None) -> Config:
    """Return the configuration with its model looked up, all without importing Keras."""
    from onecycle_cli import registry
    from onecycle_cli.config import load_config

    config = load_config(path, overrides or [], seed=seed)
    registry.check(config)
    return config


@contextlib.contextmanager
def experiment(
    path: Path,
    overrides: list[str] | None,
    seed: int | None,
    *,
    quiet: bool,
    verbose: bool,
    no_progress: bool,
) -> Iterator[tuple[Config, Observer]]:
    """Give a checked configuration and an observer, and present whatever goes wrong."""
    with presented(verbose):
        config = checked_config(path, overrides, seed)
        with watching(quiet=quiet, progress=not no_progress) as observer:
            yield config, observer


def known_values(config: Config, out: Path) -> Values:
    """Return the values that an experiment would use, without starting Keras.

    Asking it for a learning rate first spares the user the wait for an error.
    """
    from onecycle_cli.experiments.observer import Observer
    from onecycle_cli.experiments.values import gather

    return gather(config, out, Observer(), conditions={})


def used_rows(values: Values, decay: str, *keys: str) -> list[tuple[str, str]]:
    """Return the named values and where each came from, for a table.

    Args:
        values: all of them.
        decay: what a weight decay means: `l2` or `decoupled`.
        *keys: `max_lr`, `momentum` or `weight_decay`.
    """
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


def in_words(momentum: Mapping[str, float]) -> str:
    """Return a momentum range, or a momentum that is held constant."""
    high, low = momentum["max"], momentum["min"]
    return f"{high:g}" if high == low else f"{high:g} to {low:g}"


def cost_row(cost: Cost) -> tuple[str, str]:
    """Return what an experiment took, for a table."""
    return ("cost", f"{cost} in {cost.seconds:.1f} s")


def write_table(rows: list[tuple[str, str]], folder: Path | None) -> None:
    """Print the result."""
    table([*rows, *([("saved in", str(folder))] if folder else [])])
