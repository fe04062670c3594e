"""What a command shows after its result: its pictures, a small curve, and the next step."""

from __future__ import annotations

import codecs
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import typer

from onecycle_cli.commands.console.result.command_line import in_lines
from onecycle_cli.commands.console.result.curve import drawn
from onecycle_cli.commands.console.result.layout import width_of
from onecycle_cli.commands.console.result.sketches import sketch_of
from onecycle_cli.engine.devices.processes import processes

if TYPE_CHECKING:
    from onecycle_cli.runs.records import Record

_WIDEST, _NARROWEST, _HEIGHT = 72, 40, 8
_REPORT = "report.html"


def folder_rows(folder: Path | None) -> list[tuple[str, str]]:
    """Return where something is written, its pictures and its report, for a table.

    Nothing if it is not written. Of a folder that stands for an object store, its URL.
    """
    from onecycle_cli.runs.stores.urls import from_here

    if folder is None:
        return []
    rows = [("saved in", from_here(folder))]
    for path in sorted(folder.glob("*.png")):
        rows.append(("picture", from_here(path)))
    if (folder / _REPORT).is_file():
        rows.append(("report", from_here(folder / _REPORT)))
    return rows


def close(record: Record | None, next_step: Sequence[str] | None, *, quiet: bool) -> None:
    """Draw the curve of a run where it can be seen, and name the command that comes next.

    Args:
        record: of the run; `None`: there is nothing to draw.
        next_step: the words of that command; `None`: there is none.
        quiet: show neither; of several processes, the chief alone shows them.
    """
    if quiet or not processes().is_chief:
        return
    if record is not None:
        _draw(record)
    if next_step is not None:
        room = width_of(sys.stderr)
        title = "next: "
        head, *others = in_lines(next_step, None if room is None else room - len(title))
        typer.echo("\n".join([title + head, *others]), err=True)


def _draw(record: Record) -> None:
    width = min(shutil.get_terminal_size().columns, _WIDEST)
    if not _shows_braille(sys.stdout) or width < _NARROWEST:
        return
    sketch = sketch_of(record)
    if sketch is not None:
        typer.echo("\n" + "\n".join(drawn(sketch, width, _HEIGHT)) + "\n")


def _shows_braille(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal that shows Unicode."""
    try:
        is_unicode = codecs.lookup(stream.encoding or "ascii").name.startswith("utf")
    except LookupError:
        return False
    return stream.isatty() and is_unicode and os.environ.get("TERM") != "dumb"
