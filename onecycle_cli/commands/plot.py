"""`onecycle plot`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onecycle_cli.commands.options import RUNS, Set, Verbose
from onecycle_cli.commands.presenter import number, presented, table

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CONFIG_ENDINGS = (".yaml", ".yml")


def plot_command(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Run folders, or one config to preview."),
    ],
    overrides: Set = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for it.")] = Path(),
    runs: Annotated[
        Path, typer.Option("--runs", metavar="DIR", help="Where a preview finds suggestions.")
    ] = RUNS,
    verbose: Verbose = False,
) -> None:
    """Redraw saved results, overlay several, or preview a config's schedule.

    PATH is a run's folder, or one above it for the newest run inside; a folder of keras-one-cycle
    with lrs.npy and losses.npy; or a config. Writes a PNG and prints its path.

    Docs: docs/commands.md
    """
    with presented(verbose):
        if any(path.suffix in _CONFIG_ENDINGS for path in paths):
            name, figure = paths[0].stem, _preview(paths, overrides or [], runs)
        else:
            name, figure = _redraw(paths, overrides)
        from onecycle_cli import plotting, results

        path = _free(out, name)
        results.write_bytes(path, plotting.png(figure))
        typer.echo(str(path))


def _redraw(paths: list[Path], overrides: list[str] | None) -> tuple[str, Figure]:
    from onecycle_cli import plotting, results
    from onecycle_cli.errors import ConfigError

    if overrides:
        raise ConfigError("--set goes with a config; saved results can't be changed.")
    folders = [results.find_run(path) for path in paths]
    records = [results.read_record(folder) for folder in folders]
    first = folders[0].resolve().name
    if len(records) == 1:
        return first, plotting.draw(records[0])
    return f"{first}+{len(records) - 1}", plotting.draw_overlay(records)


def _preview(paths: list[Path], overrides: list[str], runs: Path) -> Figure:
    from onecycle_cli import data, plotting, schedules
    from onecycle_cli.config import load_config
    from onecycle_cli.errors import ConfigError

    if len(paths) > 1:
        raise ConfigError("plot takes one config at a time, and no run folders beside it.")
    config = load_config(paths[0], overrides)
    steps = data.expected_steps_per_epoch(config.dataset, config.batch_size, seed=config.seed)
    max_lr, momentum, known = _values(config, runs)
    train = config.train
    lrs: list[float] = []
    momenta: list[float] = []
    for cycle in train.cycles:
        total = cycle.epochs * steps
        lrs += schedules.learning_rates(
            total,
            cycle.max_lr or max_lr,
            shape=train.shape,
            end_percentage=train.end_percentage,
            scale_percentage=train.scale_percentage,
        )
        momenta += schedules.momenta(
            total,
            momentum["max"],
            momentum["min"],
            shape=train.shape,
            end_percentage=train.end_percentage,
        )
    unit = "" if known else " x max_lr, which is not known yet"
    table(
        [
            ("steps", f"{len(lrs)} = {len(lrs) // steps} epochs of {steps}"),
            ("first lr", number(lrs[0]) + unit),
            ("highest lr", f"{number(max(lrs))}{unit} at step {lrs.index(max(lrs))}"),
            ("last lr", number(lrs[-1]) + unit),
        ]
    )
    title = f"{config.name}: schedule of {len(lrs) // steps} epochs, shape {train.shape}"
    if not known:
        title += " (as a share of max_lr, which is not known yet)"
    return plotting.draw_schedule(lrs, momenta, title=title, steps_per_epoch=steps)


def _values(config: Any, runs: Path) -> tuple[float, dict[str, float], bool]:
    """Return max_lr, the momentum range, and whether max_lr is known."""
    from onecycle_cli import results
    from onecycle_cli.suggest import DEFAULT_MOMENTUM

    found = results.read_suggestions(runs / config.name)
    momentum = found.get("momentum", {}).get("value", DEFAULT_MOMENTUM)
    if config.train.momentum != "auto":
        momentum = config.train.momentum.model_dump()
    if config.train.max_lr != "auto":
        return config.train.max_lr, momentum, True
    if "max_lr" in found:
        return found["max_lr"]["value"], momentum, True
    return 1.0, momentum, all(cycle.max_lr for cycle in config.train.cycles)


def _free(folder: Path, name: str) -> Path:
    """Return a path that is not taken: `name.png`, `name-2.png`, ..."""
    path, number = folder / f"{name}.png", 2
    while os.path.lexists(path):
        path, number = folder / f"{name}-{number}.png", number + 1
    return path
