"""Texts with a colour, which a terminal shows and a pipe does not."""

from __future__ import annotations

import os
from typing import TextIO

import typer

GREEN, YELLOW, RED = typer.colors.GREEN, typer.colors.YELLOW, typer.colors.RED

_OF_VERDICTS = {"ok": GREEN, "undecided": YELLOW}


class Coloured(str):
    """A text that has a colour on a terminal; as long as any other text of these letters.

    Attributes:
        colour: its colour.
    """

    colour: str

    def __new__(cls, text: str, colour: str) -> Coloured:
        """Give a text a colour."""
        made = super().__new__(cls, text)
        made.colour = colour
        return made


def by_verdict(text: str, verdict: str) -> Coloured:
    """Return a text in green for a value, in yellow for a safe one, in red for none."""
    return Coloured(text, _OF_VERDICTS.get(verdict, RED))


def painted(text: str, like: str, stream: TextIO) -> str:
    """Return a text in the colour of another one, if it has a colour and the stream shows any."""
    return in_colour(text, like.colour, stream) if isinstance(like, Coloured) else text


def in_colour(text: str, colour: str, stream: TextIO) -> str:
    """Return a text as it is written to a stream in a colour, if the stream shows any."""
    return typer.style(text, fg=colour) if shows_colours(stream) else text


def shows_colours(stream: TextIO) -> bool:
    """Tell whether a stream is a terminal with colours, and nobody has asked for none.

    See https://no-color.org: any value of `NO_COLOR` but an empty one asks for none.
    """
    is_plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return stream.isatty() and not is_plain
