"""Workers in processes of their own, and what is heard of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

Worker = int
"""A number that tells one worker from the others; none is used twice."""


@dataclass(frozen=True)
class Ready:
    """A worker that was hired can be given a task."""

    worker: Worker


@dataclass(frozen=True)
class Done:
    """A worker has carried out its task.

    Attributes:
        worker: which.
        gave: what came of the task.
    """

    worker: Worker
    gave: Any


@dataclass(frozen=True)
class Lost:
    """A worker is gone, with what it had to do: killed, or its machine was.

    Attributes:
        worker: which.
        why: in words, as far as it is known.
    """

    worker: Worker
    why: str


class Pool(Protocol):
    """Workers, each of which is set up once and then carries out a task at a time."""

    @property
    def size(self) -> int:
        """How many workers there may be at a time."""

    def hire(self) -> Worker:
        """Ask for one more worker; it is heard of when it is ready, or lost."""

    def assign(self, worker: Worker, task: Any) -> None:
        """Give a task to a worker that has none."""

    def wait(self) -> Ready | Done | Lost:
        """Wait until something is heard of a worker that is to be ready, or has a task.

        Raises:
            Exception: what a worker raised, while it was set up or in its task.
        """
