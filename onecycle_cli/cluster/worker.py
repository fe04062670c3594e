"""What runs in a worker's process; it imports nothing heavy before its environment is set."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any


class Worker:
    """Sets something up once, and carries out tasks with it.

    Args:
        environment: variables to be set before anything else is imported.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        os.environ.update(environment)
        self._tool: Any = None

    def set_up(self, make: Callable[..., Any], *arguments: Any) -> None:
        """Make what tasks are carried out with."""
        self._tool = make(*arguments)

    def carry_out(self, act: Callable[[Any, Any], Any], task: Any) -> Any:
        """Carry out a task."""
        return act(self._tool, task)
