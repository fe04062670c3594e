"""`onecycle plot`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onecycle_cli.commands.console.as_json import print_json
from onecycle_cli.commands.console.ending import presented, say
from onecycle_cli.commands.console.new_file import free_path
from onecycle_cli.commands.console.options import RUNS, AsJson, OutHere, Set, Verbose
from onecycle_cli.commands.console.usage import completion
from onecycle_cli.commands.helping.preview import preview

if TYPE_CHECKING:
    from onecycle_cli.plotting import Figure
    from onecycle_cli.runs.records import Record

_CONFIG_ENDINGS = (".yaml", ".yml")
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
        name = f"{name}-dark" if dark else name
        path = free_path(out / f"{name}.{file_format.value}", "-copy-")
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
    from onecycle_cli.errors import ConfigError

    if len(paths) > 1:
        raise ConfigError("plot takes one config at a time, and no run folders beside it.")
    name, figure, schedule = preview(paths[0], overrides, runs)
    return f"{_as_file_name(name)}-schedule", figure, {"runs": [], "schedule": schedule}
