"""Pieces of Python code: calls, literals and comments."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

_WIDTH = 88
_INDENT = "    "


class Code(str):
    """Text that stands for itself in a call, such as the name of a variable."""

    __slots__ = ()


def call(name: str, /, *arguments: Any, **named: Any) -> str:
    """Return a call, on one line if that is short, else with a line for each argument."""
    parts = [literal(value) for value in arguments]
    parts += [f"{key}={literal(value)}" for key, value in named.items()]
    short = f"{name}({', '.join(parts)})"
    if len(short) <= _WIDTH and "\n" not in short:
        return short
    inner = indented("\n".join(f"{part}," for part in parts))
    return f"{name}(\n{inner}\n)"


def literal(value: Any) -> str:
    """Return a value as Python reads it: every digit of a number, text in double quotes."""
    match value:
        case Code():
            return str(value)
        case str():
            return json.dumps(value)
        case Mapping():
            return "{" + ", ".join(f"{literal(k)}: {literal(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(literal, value)) + "]"
        case tuple():
            return f"({', '.join(map(literal, value))}{',' * (len(value) == 1)})"
        case _:
            return repr(value)


def comment(text: str, bullet: str = "") -> str:
    """Return a comment in lines that are not too long.

    Text from a run's files is quoted in comments; whatever is in it, it stays one.
    """
    shown = "".join(c if c.isprintable() else " " for c in " ".join(text.split()))
    return textwrap.fill(
        shown,
        _WIDTH,
        initial_indent=f"# {bullet}",
        subsequent_indent="# " + " " * len(bullet),
        break_long_words=False,
        break_on_hyphens=False,
    )


def indented(text: str) -> str:
    """Return code one level deeper."""
    return textwrap.indent(text, _INDENT)


def blocks(parts: Iterable[str]) -> str:
    """Return blocks of code with an empty line between them; empty ones are left out."""
    return "\n\n".join(part for part in parts if part) + "\n"
