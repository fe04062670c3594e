"""What all functions of one's own have in common: `path/to/file.py:function`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any, Self

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


class OwnFunction:
    """A function of one's own, what it is called, and what it is run within.

    Args:
        function: the function.
        name: what it is called; `None`: the name of the function.
        guard: what the function is run within.
    """

    def __init__(
        self, function: Callable[..., float], name: str | None = None, guard: Guard = nullcontext
    ) -> None:
        self.name = name or str(getattr(function, "__name__", type(function).__name__))
        self._function, self._guard = function, guard

    @classmethod
    def of(cls, function: Callable[..., float]) -> Self:
        """Return a function as one of these, and one of these as it is."""
        return function if isinstance(function, cls) else cls(function)
