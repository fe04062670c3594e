"""What a command answers to a program: one line of JSON on stdout."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any, TextIO

import typer

from onecycle_cli.engine.devices.processes import processes

SCHEMA_VERSION = 1
"""Of what `--json` prints; docs/json.schema.json describes it."""

_stdout: ContextVar[TextIO | None] = ContextVar("stdout", default=None)
"""Where answers go while nothing else goes to stdout."""


def print_json(command: str, result: Mapping[str, Any]) -> None:
    """Print a result as one line of JSON; of several processes, the chief does.

    Keys keep their order. NumPy's numbers and arrays become plain ones, and numbers that are not
    finite become `null`, which every reader understands.

    Args:
        command: its name, such as `find-lr`.
        result: names and values besides `schema_version` and `command`.
    """
    from onecycle_cli.runs import files

    if processes().is_chief:
        typer.echo(files.to_json(answer(command, result)), file=_stdout.get())


def answer(command: str, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a result with the version of the schema and the command before it."""
    return {"schema_version": SCHEMA_VERSION, "command": command, **result}


@contextlib.contextmanager
def only_answers() -> Iterator[None]:
    """Within it, only answers go to stdout; what a person reads, or a model prints, to stderr."""
    before = _stdout.set(sys.stdout)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        _stdout.reset(before)


@contextlib.contextmanager
def results_to(stream: TextIO) -> Iterator[None]:
    """Within it, what would go to stdout goes to a stream: the answers, or else all results."""
    if _stdout.get() is None:
        with contextlib.redirect_stdout(stream):
            yield
        return
    before = _stdout.set(stream)
    try:
        yield
    finally:
        _stdout.reset(before)
