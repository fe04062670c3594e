"""How a command ends: one clear message and the right exit code, never a traceback."""

from __future__ import annotations

import contextlib
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from typing import NoReturn

import typer

from onecycle_cli.commands.console import signals
from onecycle_cli.errors import OnecycleError, Terminated

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
                _fail(f"terminated; {_kept(error)}", TERMINATED, False)
            if issubclass(broken_off_by, KeyboardInterrupt):
                _fail(f"interrupted; {_kept(error)}", INTERRUPTED, False)
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


def say(text: str) -> None:
    """Write a line to stderr."""
    typer.echo(readable(text), err=True)


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


def table(rows: list[tuple[str, str]]) -> None:
    """Write names and values to stdout, in two columns."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        typer.echo(f"{name:<{width}}  {value}")


def columns(rows: Sequence[Sequence[str]]) -> None:
    """Write rows to stdout, the first of them a header, each column as wide as it needs."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def number(value: float | None) -> str:
    """Return a number as a person writes it; every digit that counts."""
    return "none" if value is None else f"{value:.6g}"


def _notes(error: BaseException) -> list[str]:
    """Return what was added to an error on its way: how to go on."""
    return getattr(error, "__notes__", [])


def _kept(error: BaseException) -> str:
    return " ".join(_notes(error)) or "what was finished is kept."


def _fail(message: str, code: int, verbose: bool) -> NoReturn:
    if verbose:
        traceback.print_exc()
    for line in message.split("\n"):
        typer.secho(f"onecycle: {readable(line)}", err=True, fg=typer.colors.RED)
    raise Failed(message, code)
