"""What the commands that train have in common: check first, then start Keras, then watch."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
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


def used_rows(values: Values, decay: str) -> list[tuple[str, str]]:
    """Return the values in force and where each came from, for a table."""
    rows = []
    if values.max_lr is not None:
        rows.append(("max_lr", f"{number(values.max_lr)} ({values.sources['max_lr']})"))
    momentum = f"{values.momentum['max']:g} to {values.momentum['min']:g}"
    rows.append(("momentum", f"{momentum} ({values.sources['momentum']})"))
    source = values.sources["weight_decay"]
    rows.append((f"weight decay, {decay}", f"{number(values.weight_decay)} ({source})"))
    return rows


def cost_row(cost: Cost) -> tuple[str, str]:
    """Return what an experiment took, for a table."""
    return (
        "cost",
        f"{cost.steps} steps, {cost.epochs:.3g} epochs, {cost.seconds:.1f} s, "
        f"{cost.training_runs:.2g} of the configured training",
    )


def write_table(rows: list[tuple[str, str]], folder: Path | None) -> None:
    """Print the result."""
    table([*rows, *([("saved in", str(folder))] if folder else [])])
