"""`onecycle init`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onecycle_cli.commands.console.as_json import print_json
from onecycle_cli.commands.console.ending import presented, table
from onecycle_cli.commands.console.options import AsJson, OutHere
from onecycle_cli.plugin_names import file_and_function, names_a_file

if TYPE_CHECKING:
    from onecycle_cli.config.template import Known
    from onecycle_cli.data.recognition import Recognised

DIGITS = "digits"


def init_command(
    dataset: Annotated[
        str | None,
        typer.Argument(help="A name from 'onecycle list datasets'; the default is digits."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="PATH", help="Your data: a table, arrays or images."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            metavar="NAME",
            help="A name from 'onecycle list models', or file.py:function.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target", metavar="COLUMN", help="The column of a table to predict."),
    ] = None,
    out: OutHere = Path(),
    as_json: AsJson = False,
) -> None:
    """Write a config with comments to start from, and a schema of it for your editor.

    With --data, looks at your data and fills in the config: a CSV or Parquet table, .npz or .npy
    arrays, or a folder of images. If it is not obvious which column of a table to predict, the
    command asks.
    """
    with presented():
        from onecycle_cli.commands.helping.schema import schema_text
        from onecycle_cli.config.editors import SCHEMA_FILE, modeline
        from onecycle_cli.config.template import template
        from onecycle_cli.errors import ConfigError
        from onecycle_cli.runs import files

        _check(dataset, model, data, target)
        found = _look_at(data, dataset) if data is not None else None
        name = dataset or (found.dataset if found else DIGITS)
        known = _known(out, data, model, _target(found, data, target, as_json=as_json), found)
        text = modeline() + template(name, known)
        path = out / f"{known.name or name}.yaml"
        if path.exists():
            raise ConfigError(f"{path}: is already there; move it, or choose a folder with --out.")
        files.write_text(path, text)
        files.write_text(out / SCHEMA_FILE, schema_text())
        if as_json:
            print_json("init", {"config": str(path), "schema": str(out / SCHEMA_FILE),
                                "dataset": name, "target": known.target,
                                "ignored": list(known.ignore)})  # fmt: skip
        if found is not None:
            table(_rows(found, known))
        typer.echo(f"wrote {path}; now run: onecycle find-lr {path}")


def _check(dataset: str | None, model: str | None, data: Path | None, target: str | None) -> None:
    from onecycle_cli.config import DATASETS, SOURCES
    from onecycle_cli.errors import ConfigError
    from onecycle_cli.registry import models

    if data is not None and dataset in DATASETS and SOURCES[dataset].path == "none":
        raise ConfigError(f"--data: {dataset} is part of this package and takes no path.")
    wrong = models.problem(model, {}) if model is not None else None
    if wrong is not None:
        raise ConfigError(f"--model: {wrong[1]}")
    if target is not None and data is None:
        raise ConfigError("--target names a column of the table that --data names; give both.")


def _look_at(data: Path, dataset: str | None) -> Recognised | None:
    """Return what lies at a path; `None` for a copy of a data set that has a name."""
    from onecycle_cli.config import SOURCES
    from onecycle_cli.data.recognition import recognise
    from onecycle_cli.errors import ConfigError

    if dataset in SOURCES and SOURCES[dataset].path == "optional":
        return None
    found = recognise(data)
    if dataset not in (None, found.dataset):
        raise ConfigError(f"--data: {data} is {found.about}, which '{found.dataset}' reads; leave "
                          f"'{dataset}' out.")  # fmt: skip
    return found


def _target(
    found: Recognised | None, data: Path | None, target: str | None, *, as_json: bool
) -> str | None:
    """Return the column to predict: the one named, the obvious one, or the one that is chosen."""
    from onecycle_cli.errors import ConfigError, did_you_mean

    if target is not None:
        if found is None or not found.columns:
            raise ConfigError(f"--target is for tables; {data} is none.")
        if target not in found.columns:
            raise ConfigError(
                f"--target: {data} has no column '{target}'{did_you_mean(target, found.columns)}"
            )
        return target
    if found is None or not found.columns:
        return None
    if found.obvious_target is not None:
        return found.obvious_target
    if as_json or not in_a_terminal():
        columns = ", ".join(found.columns)
        raise ConfigError(
            f"{data}: it is not obvious which column is to be predicted; name it with --target; "
            f"there are {columns}."
        )
    return _ask(found.columns)


def in_a_terminal() -> bool:
    """Tell whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def _ask(columns: tuple[str, ...]) -> str:
    typer.echo(f"columns: {', '.join(columns)}")
    while (answer := typer.prompt("column to predict")) not in columns:
        typer.echo(f"there is no column '{answer}'")
    return str(answer)


def _known(
    out: Path,
    data: Path | None,
    model: str | None,
    target: str | None,
    found: Recognised | None,
) -> Known:
    from onecycle_cli.config.template import Known

    if model is not None and names_a_file(model):
        file, function = file_and_function(model)
        model = f"{_from(out, Path(file))}:{function}" if function else _from(out, Path(file))
    if data is None:
        return Known(model=model)
    return Known(
        name=data.resolve().stem.lstrip(".") or None,
        path=_from(out, data),
        examples=found.examples if found else None,
        target=target,
        task="regression" if found and target in found.measures else None,
        ignore=found.useless(target) if found and target else (),
        size=found.size if found else None,
        model=model,
    )


def _from(folder: Path, path: Path) -> str:
    """Return a path as a config in a folder has to name it."""
    return str(path) if path.is_absolute() else os.path.relpath(path, folder)


def _rows(found: Recognised, known: Known) -> list[tuple[str, str]]:
    """Return what was found and filled in, for a table."""
    rows = [("found", found.about)]
    if known.target:
        rows.append(("to predict", known.target + (", a number" if known.task else "")))
    if known.ignore:
        rows.append(("left out", ", ".join(known.ignore)))
    if known.size:
        rows.append(("brought to", f"{known.size[0]}x{known.size[1]} pixels"))
    return rows
