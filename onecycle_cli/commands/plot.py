"""`onecycle plot`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onecycle_cli.commands.console.as_json import print_json
from onecycle_cli.commands.console.ending import number, presented, say, table
from onecycle_cli.commands.console.options import RUNS, AsJson, OutHere, Set, Verbose
from onecycle_cli.commands.console.rows import known_values, rate_rows, used_rows
from onecycle_cli.commands.console.usage import completion

if TYPE_CHECKING:
    from onecycle_cli.config import Config
    from onecycle_cli.plotting import Figure
    from onecycle_cli.runs.records import Record

_CONFIG_ENDINGS = (".yaml", ".yml")
_MOST_STEPS = 5_000_000
_LONGEST_NAME = 120


class PictureFormat(StrEnum):
    """What kind of file a picture is written as."""

    PNG = "png"
    SVG = "svg"


def plot_command(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Folders or URLs of runs, or one config to preview.",
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
        bool, typer.Option("--confusion", help="Draw the confusion matrix of a training.")
    ] = False,
    file_format: Annotated[
        PictureFormat, typer.Option("--format", help="Kind of file; svg stays sharp at any size.")
    ] = PictureFormat.PNG,
    dark: Annotated[
        bool, typer.Option("--dark", help="Draw light lines on a dark background.")
    ] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Draw saved runs again, several runs in one picture, or the schedule of a config.

    PATH is the folder of a run, or one above it, for the newest run inside; or a folder of
    keras-one-cycle with lrs.npy and losses.npy; or a config. Writes a picture and prints its path.
    """
    with presented(verbose):
        from onecycle_cli import plotting
        from onecycle_cli.runs import files

        with plotting.drawn_in(plotting.DARK if dark else plotting.LIGHT):
            if confusion:
                name, figure, about = _confusion(paths)
            elif any(Path(path).suffix in _CONFIG_ENDINGS for path in paths):
                name, figure, about = _preview(paths, overrides or [], runs)
            else:
                name, figure, about = _redraw(paths, overrides)
            write = plotting.svg if file_format is PictureFormat.SVG else plotting.png
            content = write(figure)
        path = _free(out, f"{name}-dark" if dark else name, file_format.value)
        files.write_bytes(path, content)
        typer.echo(str(path))
        if as_json:
            print_json("plot", {"picture": str(path), **about})


def _redraw(paths: list[str], overrides: list[str] | None) -> tuple[str, Figure, dict[str, Any]]:
    from onecycle_cli import plotting
    from onecycle_cli.errors import ConfigError
    from onecycle_cli.runs import finding, records

    if overrides:
        raise ConfigError("--set goes with a config; saved results can't be changed.")
    folders = [_found(path) for path in finding.each_once(paths)]
    read, about = [records.read_record(folder) for folder in folders], _runs(folders)
    name = name_of(read[0])
    if len(read) == 1:
        return name, plotting.draw(read[0]), about
    return f"{name}-and-{len(read) - 1}-more", plotting.draw_overlay(read), about


def _runs(folders: Sequence[Path]) -> dict[str, Any]:
    from onecycle_cli.runs.stores.urls import address

    return {"runs": [address(folder) for folder in folders], "schedule": None}


def _confusion(paths: list[str]) -> tuple[str, Figure, dict[str, Any]]:
    from onecycle_cli import plotting
    from onecycle_cli.errors import ConfigError
    from onecycle_cli.runs import records

    if len(paths) > 1:
        raise ConfigError("--confusion takes the folder of one training at a time.")
    folder = _found(paths[0])
    record = records.read_record(folder)
    return f"{name_of(record)}-confusion", plotting.draw_confusion(record), _runs([folder])


def _found(path: str) -> Path:
    """Return the run that is meant by a path; say which, where the path is not its own."""
    from onecycle_cli.runs import finding
    from onecycle_cli.runs.stores.urls import is_url

    folder = finding.find_run(path)
    if not is_url(path) and folder.resolve() != Path(path).resolve():
        say(f"the newest run of {path} is {folder}")
    return folder


def name_of(record: Record) -> str:
    """Return the name of a picture: experiment, kind and run, such as `digits-find-lr-001`."""
    parts = [part for part in record.label.split("/") if part]
    if record.kind not in parts:
        parts.append(record.kind)
    return _as_file_name("-".join(parts))


def _as_file_name(text: str) -> str:
    name = re.sub(r"[^\w.+]+", "-", text).strip("-.") or "picture"
    half = _LONGEST_NAME // 2
    return name if len(name) <= _LONGEST_NAME else f"{name[:half]}-{name[-half:]}"


def _preview(
    paths: list[str], overrides: list[str], runs: str
) -> tuple[str, Figure, dict[str, Any]]:
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
    unit = "share of max_lr" if shares else "learning rate"
    schedule = {
        "shape": short(config.train.shape),
        "epochs": epochs,
        "steps": len(lrs),
        "steps_per_epoch": steps,
        "unit": unit,
        "first_lr": lrs[0],
        "highest_lr": max(lrs),
        "highest_at_step": lrs.index(max(lrs)),
        "last_lr": lrs[-1],
        "momentum": values.momentum,
    }
    figure = plotting.draw_schedule(lrs, momenta, title=title, steps_per_epoch=steps, rates=unit)
    return f"{_as_file_name(config.name)}-schedule", figure, {"runs": [], "schedule": schedule}


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


def _free(folder: Path, name: str, ending: str) -> Path:
    """Return a path that is not taken: `name.png`, `name-copy-2.png`, ..."""
    path, number = folder / f"{name}.{ending}", 2
    while os.path.lexists(path):
        path, number = folder / f"{name}-copy-{number}.{ending}", number + 1
    return path
