"""`onecycle plot`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onecycle_cli.commands.console.ending import number, presented, table
from onecycle_cli.commands.console.options import RUNS, OutHere, Set, Verbose
from onecycle_cli.commands.console.rows import known_values, rate_rows, used_rows
from onecycle_cli.commands.console.usage import completion

if TYPE_CHECKING:
    from onecycle_cli.config import Config
    from onecycle_cli.plotting import Figure

_CONFIG_ENDINGS = (".yaml", ".yml")
_MOST_STEPS = 5_000_000


def plot_command(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Run folders or their URLs, or one config to preview.",
            autocompletion=lambda incomplete: [
                *completion.configs(incomplete),
                *completion.runs(incomplete),
            ],
        ),
    ],
    overrides: Set = None,
    out: OutHere = Path(),
    runs: Annotated[
        str, typer.Option("--runs", metavar="DIR", help="Where a preview finds suggestions.")
    ] = RUNS,
    confusion: Annotated[
        bool, typer.Option("--confusion", help="A training's confusion matrix instead.")
    ] = False,
    verbose: Verbose = False,
) -> None:
    """Redraw saved results, overlay several, or preview a config's schedule.

    PATH is a run's folder, or one above it for the newest run inside; a folder of keras-one-cycle
    with lrs.npy and losses.npy; or a config. Writes a PNG and prints its path.
    """
    with presented(verbose):
        if confusion:
            name, figure = _confusion(paths)
        elif any(Path(path).suffix in _CONFIG_ENDINGS for path in paths):
            name, figure = Path(paths[0]).stem, _preview(paths, overrides or [], runs)
        else:
            name, figure = _redraw(paths, overrides)
        from onecycle_cli import plotting
        from onecycle_cli.runs import files

        path = _free(out, name)
        files.write_bytes(path, plotting.png(figure))
        typer.echo(str(path))


def _redraw(paths: list[str], overrides: list[str] | None) -> tuple[str, Figure]:
    from onecycle_cli import plotting
    from onecycle_cli.errors import ConfigError
    from onecycle_cli.runs import finding, records

    if overrides:
        raise ConfigError("--set goes with a config; saved results can't be changed.")
    folders = [finding.find_run(path) for path in paths]
    read = [records.read_record(folder) for folder in folders]
    first = folders[0].resolve().name
    if len(read) == 1:
        return first, plotting.draw(read[0])
    return f"{first}+{len(read) - 1}", plotting.draw_overlay(read)


def _confusion(paths: list[str]) -> tuple[str, Figure]:
    from onecycle_cli import plotting
    from onecycle_cli.errors import ConfigError
    from onecycle_cli.runs import finding, records

    if len(paths) > 1:
        raise ConfigError("--confusion takes the folder of one training at a time.")
    folder = finding.find_run(paths[0])
    return (
        f"{folder.resolve().name}-confusion",
        plotting.draw_confusion(records.read_record(folder)),
    )


def _preview(paths: list[str], overrides: list[str], runs: str) -> Figure:
    from onecycle_cli import plotting, registry
    from onecycle_cli.config import load_config
    from onecycle_cli.errors import ConfigError
    from onecycle_cli.plugin_names import short
    from onecycle_cli.runs.stores.urls import local
    from onecycle_cli.workbench.expected import expected_steps_per_epoch

    if len(paths) > 1:
        raise ConfigError("plot takes one config at a time, and no run folders beside it.")
    config = load_config(paths[0], overrides)
    registry.check_files(config)
    steps = expected_steps_per_epoch(config)
    cycles = config.train.cycles
    epochs = sum(cycle.epochs for cycle in cycles)
    if epochs * steps > _MOST_STEPS:
        raise config.error(
            "train.cycles",
            f"train.cycles: {epochs:,} epochs of {steps:,} steps are too many to draw; a preview "
            f"takes at most {_MOST_STEPS:,} steps.",
        )
    values = known_values(config, local(runs))
    shares = values.max_lr is None and any(cycle.max_lr is None for cycle in cycles)
    rates = [1.0] * len(cycles) if shares else values.cycle_rates(config)
    lrs, momenta = _schedules(config, rates, values.momentum, steps)
    length = f"{epochs} epoch{'' if epochs == 1 else 's'}"
    title = f"{config.name}: schedule of {length}, shape {short(config.train.shape)}"
    if shares:
        title += "\nas shares of max_lr, which is not known yet"
        unit = " x max_lr"
        in_force = [("max_lr", "not known yet; 'onecycle find-lr CONFIG' finds it")]
    else:
        unit = ""
        in_force = rate_rows(rates, values.cycle_rate_sources(config))
    table(
        [
            ("steps", f"{len(lrs)} = {length} of {steps}"),
            ("first lr", number(lrs[0]) + unit),
            ("highest lr", f"{number(max(lrs))}{unit} at step {lrs.index(max(lrs))}"),
            ("last lr", number(lrs[-1]) + unit),
            *in_force,
            *used_rows(values, config.optimizer.decay_kind, "momentum"),
        ]
    )
    return plotting.draw_schedule(lrs, momenta, title=title, steps_per_epoch=steps)


def _schedules(
    config: Config, rates: Sequence[float], momentum: Mapping[str, float], steps_per_epoch: int
) -> tuple[list[float], list[float]]:
    """Return learning rate and momentum of each step of all cycles, one after the other."""
    from onecycle_cli import schedules
    from onecycle_cli.registry import shapes

    train, shape = config.train, shapes.load(config.train.shape)
    lrs: list[float] = []
    momenta: list[float] = []
    for cycle, max_lr in zip(train.cycles, rates, strict=True):
        steps = cycle.epochs * steps_per_epoch
        end, options = train.end_percentage, train.shape_options
        lrs += schedules.learning_rates(
            steps,
            max_lr,
            shape=shape,
            end_percentage=end,
            scale_percentage=train.scale_percentage,
            **options,
        )
        momenta += schedules.momenta(
            steps, momentum["max"], momentum["min"], shape=shape, end_percentage=end, **options
        )
    return lrs, momenta


def _free(folder: Path, name: str) -> Path:
    """Return a path that is not taken: `name.png`, `name-2.png`, ..."""
    path, number = folder / f"{name}.png", 2
    while os.path.lexists(path):
        path, number = folder / f"{name}-{number}.png", number + 1
    return path
