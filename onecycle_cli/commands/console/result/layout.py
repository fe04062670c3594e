"""Tables and lines that fit the window; in a pipe each row is one line, however long."""

from __future__ import annotations

import itertools
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import TextIO

import typer

from onecycle_cli.commands.console.result.colours import painted

_NARROWEST = 24
_GAP = "  "
_UNIT, _HELD = re.compile(r"(?<=\d) (?=(s|min|h|MB|MiB|%)\b|%)"), "\N{NO-BREAK SPACE}"


def table(rows: Sequence[tuple[str, str]]) -> None:
    """Write names and values to stdout, in two columns."""
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        head, *others = _beside(value, width + len(_GAP))
        first = f"{name:<{width}}{_GAP}{painted(head, value, sys.stdout)}"
        typer.echo(painted(first, name, sys.stdout).rstrip())
        for line in others:
            typer.echo(painted(line, value, sys.stdout))


def columns(rows: Sequence[Sequence[str]]) -> None:
    """Write rows to stdout, the first of them a header, each column as wide as it needs.

    Where the window is too narrow for that, the cells of the widest column have several lines; and
    where it is narrower still, each row becomes a small table of its own.
    """
    cells_of = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in cells_of]
    room = width_of(sys.stdout)
    excess = 0 if room is None else sum(widths) + len(_GAP) * (len(widths) - 1) - room
    if excess > 0:
        widest = widths.index(max(widths))
        widths[widest] -= excess
        if widths[widest] < max(_NARROWEST, *map(_longest_word, cells_of[widest])):
            _stacked(rows)
            return
    for row in rows:
        cells = [broken(cell, width) or [""] for cell, width in zip(row, widths, strict=True)]
        for line in itertools.zip_longest(*cells, fillvalue=""):
            _write(line, row, widths)


def _write(line: Sequence[str], row: Sequence[str], widths: Sequence[int]) -> None:
    """Write a line of a row, each part in the colour of its cell."""
    parts = [
        painted(part, cell, sys.stdout) + " " * (width - len(part))
        for part, cell, width in zip(line, row, widths, strict=True)
    ]
    typer.echo(_GAP.join(parts).rstrip())


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=0)


def width_of(stream: TextIO) -> int | None:
    """Return how many letters fit into a line; `None` where that is no matter, as in a pipe."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def wrapped(text: str, stream: TextIO, indent: str = "") -> str:
    """Return a text with a line break wherever the window ends, never within a word."""
    room = width_of(stream)
    return text if room is None else "\n".join(broken(text, room, indent))


def broken(text: str, room: int, indent: str = "") -> list[str]:
    """Return the lines of a text, broken between words; a number stays with its unit.

    Args:
        text: of one line.
        room: how many letters fit into a line; a longer word has a line of its own.
        indent: of all lines but the first.
    """
    held = _UNIT.sub(_HELD, text)
    lines = textwrap.wrap(
        held, room, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace(_HELD, " ") for line in lines]


def _beside(text: str, indent: int) -> list[str]:
    """Return the lines of a text that stands beside a name, all but the first with an indent."""
    room = width_of(sys.stdout)
    if room is None:
        return [text]
    if room - indent < _NARROWEST:
        return ["", *broken(f"    {text}", room, "    ")]
    head, *others = broken(text, room - indent, "") or [""]
    return [head, *(" " * indent + line for line in others)]


def _stacked(rows: Sequence[Sequence[str]]) -> None:
    header, *others = rows
    for row in others:
        typer.echo(painted(row[0], row[0], sys.stdout))
        cells = zip(header[1:], row[1:], strict=True)
        if filled := [(f"  {name}", cell) for name, cell in cells if cell]:
            table(filled)
