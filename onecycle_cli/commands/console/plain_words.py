"""What the command line says of options and arguments that can't be read."""

from __future__ import annotations

import re

from onecycle_cli.errors import meant, nearest

_PLAIN = (
    (r"Value error, ", ""),
    (r"Input should be a valid integer.*", "must be a whole number."),
    (r"Input should be a valid number.*", "must be a number."),
    (r"Input should be greater than or equal to ", "must be at least "),
    (r"Input should be less than or equal to ", "must be at most "),
    (r"Input should be", "must be"),
)
"""Of what the library that reads the options says, and how a person says it."""


def in_plain_words(message: str) -> str:
    """Return a message without the terms of the library that it comes from."""
    for technical, plain in _PLAIN:
        message = re.sub(technical, plain, message)
    given, is_no_choice, known = message.partition(" is not one of ")
    if is_no_choice and (near := nearest(given.strip("'"), re.findall(r"'([^']+)'", known))):
        message = f"{message.rstrip('.')}{meant(near)}"
    return message
