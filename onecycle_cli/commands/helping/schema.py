"""`onecycle schema`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from onecycle_cli.commands.console.as_json import print_json
from onecycle_cli.commands.console.ending import presented
from onecycle_cli.commands.console.options import AsJson, path_here


def schema_command(
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="Write it to this file, and replace an older one.",
            parser=path_here,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print the JSON schema of a config. With it, editors complete keys and check values.

    'onecycle init' writes it beside the config. The first line of the config names it.
    """
    with presented():
        from onecycle_cli.runs import files

        schema = schema_text()
        if out is not None:
            files.write_text(out, schema)
        if as_json:
            file = None if out is None else str(out)
            print_json("schema", {"schema": json.loads(schema), "file": file})
        elif out is not None:
            typer.echo(f"wrote {out}")
        else:
            typer.echo(schema, nl=False)


def schema_text() -> str:
    """Return the schema as a file has it, with the names of all models."""
    from onecycle_cli.config.editors import json_schema
    from onecycle_cli.registry import models

    return json.dumps(json_schema(list(models.model_names())), indent=2) + "\n"
