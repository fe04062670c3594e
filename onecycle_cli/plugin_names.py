"""What all functions of one's own have in common: `path/to/file.py:function`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

OWN = "path/to/file.py:function"
"""What help texts and errors call such a name."""

Guard = Callable[[], AbstractContextManager[Any]]
"""Makes a context for running somebody else's code in."""


def names_a_file(name: object) -> bool:
    """Tell whether a name is meant as a file of one's own, with or without its function."""
    return isinstance(name, str) and (name.endswith(".py") or ".py:" in name)


def file_and_function(name: str) -> tuple[str, str]:
    """Return the two parts of such a name; the function is empty where it is missing."""
    if name.endswith(".py"):
        return name, ""
    file, _, function = name.rpartition(":")
    return file, function


def short(name: str) -> str:
    """Return a name without the folders of its file, if it has one."""
    return Path(name).name if names_a_file(name) else name
