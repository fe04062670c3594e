"""The names of files and folders as text that can be shown and written anywhere."""

from __future__ import annotations

import unicodedata
from pathlib import Path

_BYTES = range(0xDC80, 0xDD00)
"""What Python makes of bytes that are no UTF-8."""

_TURNS_TEXT_ROUND = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


def readable_name(name: str | Path) -> str:
    r"""Return a name in which escapes stand for bytes that are no text, and for orders to a screen.

    Example:
        >>> readable_name("caf\udce9\n")
        'caf\\xe9\\n'
    """
    return "".join(map(_readable, str(name)))


def _readable(character: str) -> str:
    code = ord(character)
    if code in _BYTES:
        return f"\\x{code - 0xDC00:02x}"
    is_shown = unicodedata.category(character) not in ("Cc", "Cs", "Cn", "Zl", "Zp")
    if is_shown and character not in _TURNS_TEXT_ROUND:
        return character
    return character.encode("unicode_escape").decode()
