"""How a command ends: one clear message and the right exit code, never a traceback."""

from __future__ import annotations

import contextlib
import re
import sys
import traceback
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import typer

from onecycle_cli.commands.console import signals
from onecycle_cli.commands.console.result.colours import RED, in_colour
from onecycle_cli.commands.console.result.layout import columns, table, wrapped
from onecycle_cli.errors import OnecycleError, Terminated

if TYPE_CHECKING:
    from onecycle_cli.suggest import Suggestion

__all__ = ["columns", "end", "number", "presented", "readable", "say", "table"]

REFUSED = 3
INTERRUPTED = 130
TERMINATED = 143

_LONGEST_LINE = 1_000
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class Failed(typer.Exit):
    """The end of a command that has said on stderr what went wrong.

    Attributes:
        message: what it said.
    """

    def __init__(self, message: str, code: int) -> None:
        super().__init__(code)
        self.message = message


@contextlib.contextmanager
def presented(verbose: bool = False) -> Iterator[None]:
    """Turn what goes wrong inside into one message on stderr and an exit code."""
    with signals.remembered():
        try:
            yield
        except typer.Exit:
            raise
        except (KeyboardInterrupt, Exception) as error:
            broken_off_by = signals.heard() or type(error)  # native code may have replaced it
            if issubclass(broken_off_by, Terminated):
                _fail(_broken_off("terminated", error), TERMINATED, False)
            if issubclass(broken_off_by, KeyboardInterrupt):
                _fail(_broken_off("interrupted", error), INTERRUPTED, False)
            _fail_for(error, verbose)


def _fail_for(error: BaseException, verbose: bool) -> NoReturn:
    match error:
        case OnecycleError():
            _fail("\n".join([str(error), *_notes(error)]), error.exit_code, verbose)
        case BrokenPipeError():
            sys.stderr.close()
            raise SystemExit(1) from None
        case MemoryError():
            _fail("out of memory; lower batch_size or dataset.limit.", 1, verbose)
        case _ if type(error).__name__ == "ResourceExhaustedError":
            _fail("out of memory; lower batch_size or dataset.limit.", 1, verbose)
        case _:  # the last resort: a defect of ours, or of a user's model
            first = (str(error).strip().splitlines() or ["no message"])[0]
            _fail(f"{type(error).__name__}: {first} (--verbose shows where)", 1, verbose)


def end(found: Suggestion) -> None:
    """End a command that has looked for a value.

    Raises:
        typer.Exit: when there is none, with the code of a refusal.
    """
    if not found.accepted:
        raise typer.Exit(REFUSED)


def say(text: str) -> None:
    """Write a line to stderr."""
    typer.echo(wrapped(readable(text), sys.stderr), err=True)


def readable(line: str) -> str:
    """Return a line in which no terminal finds orders, not longer than a person reads.

    Configs and results come from anywhere, and are quoted where they are wrong.
    """
    line = _COLOUR.sub("", line)
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in line)
    if len(text) <= _LONGEST_LINE:
        return text
    half = _LONGEST_LINE // 2
    return f"{text[:half]} ... {text[-half:]}"


def number(value: float | None) -> str:
    """Return a number as a person writes it; every digit that counts."""
    return "none" if value is None else f"{value:.6g}"


def _notes(error: BaseException) -> list[str]:
    """Return what was added to an error on its way: how to go on."""
    return getattr(error, "__notes__", [])


def _broken_off(how: str, error: BaseException) -> str:
    """Say how a command ended, and what goes on from there, if anything does."""
    notes = " ".join(_notes(error))
    return f"{how}; {notes}" if notes else f"{how}."


def _fail(message: str, code: int, verbose: bool) -> NoReturn:
    if verbose:
        traceback.print_exc()
    for line in message.split("\n"):
        said = wrapped(f"onecycle: {readable(line)}", sys.stderr)
        typer.echo(in_colour(said, RED, sys.stderr), err=True)
    raise Failed(message, code)
