"""`onecycle init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from onecycle_cli.commands.console.as_json import print_json
from onecycle_cli.commands.console.ending import presented
from onecycle_cli.commands.console.options import AsJson, OutHere


def init_command(
    dataset: Annotated[
        str, typer.Argument(help="A name from 'onecycle list datasets'.")
    ] = "digits",
    out: OutHere = Path(),
    as_json: AsJson = False,
) -> None:
    """Write a commented config to start from.

    Docs: docs/config.md
    """
    with presented():
        from onecycle_cli.config.template import template
        from onecycle_cli.errors import ConfigError
        from onecycle_cli.runs import files

        text = template(dataset)
        path = out / f"{dataset}.yaml"
        if path.exists():
            raise ConfigError(f"{path}: is already there; move it, or choose a folder with --out.")
        files.write_text(path, text)
        if as_json:
            print_json("init", {"config": str(path), "dataset": dataset})
        typer.echo(f"wrote {path}; now run: onecycle find-lr {path}")
