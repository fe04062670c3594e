"""What a command answers to a program: one line of JSON on stdout."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import typer

SCHEMA_VERSION = 1
"""Of what `--json` prints."""


def print_json(command: str, result: Mapping[str, Any]) -> None:
    """Print a result as one line of JSON.

    Keys keep their order. NumPy's numbers and arrays become plain ones, and numbers that are not
    finite become `null`, which every reader understands.

    Args:
        command: its name, such as `find-lr`.
        result: names and values besides `schema_version` and `command`.
    """
    from onecycle_cli.runs import files

    typer.echo(files.to_json(answer(command, result)))


def answer(command: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result with the version of the schema and the command before it."""
    return {"schema_version": SCHEMA_VERSION, "command": command, **result}
