"""Which worker has which task: each is done once, however many workers are lost on the way."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from onecycle_cli.cluster.pool import Done, Lost, Pool, Ready, Worker
from onecycle_cli.errors import TrainingError
from onecycle_cli.observer import Observer

FAILURES = 3
"""How many workers may be lost over one task, or in a row before any is ready."""


class Task(Protocol):
    """Something to be done."""

    @property
    def title(self) -> str:
        """What it is called."""


class Dispatch:
    """Gives tasks to workers as these become free, and those of a lost worker to a fresh one.

    Workers are hired when there is something to do for them, and stay.

    Args:
        pool: the workers.
        observer: hears what begins, and what is lost.
    """

    def __init__(self, pool: Pool, observer: Observer) -> None:
        self._pool, self._observer = pool, observer
        self._hired: set[Worker] = set()
        self._free: list[Worker] = []
        self._lost_at_first = 0

    def run(self, tasks: Sequence[Task]) -> Iterator[tuple[int, Any]]:
        """Have tasks carried out, and yield the place of each and what it gave, as it arrives.

        Raises:
            TrainingError: when `FAILURES` workers were lost over one task, or before one was
                ready; and what a worker raised.
        """
        waiting, at_work = deque(range(len(tasks))), dict[Worker, int]()
        failures: Counter[int] = Counter()
        while waiting or at_work:
            self._hire(len(waiting) + len(at_work))
            while waiting and self._free:
                worker, place = self._free.pop(0), waiting.popleft()
                self._observer.note(f"{tasks[place].title}: begins")
                at_work[worker] = place
                self._pool.assign(worker, tasks[place])
            match self._pool.wait():
                case Ready(worker):
                    self._free.append(worker)
                    self._lost_at_first = 0
                case Done(worker, gave):
                    self._free.append(worker)
                    yield at_work.pop(worker), gave
                case Lost(worker, why):
                    self._hired.remove(worker)
                    if worker not in at_work:
                        self._note_a_loss_at_first(why)
                        continue
                    place = at_work.pop(worker)
                    failures[place] += 1
                    self._note_a_loss(tasks[place], failures[place], why)
                    waiting.appendleft(place)

    def _hire(self, unfinished: int) -> None:
        while len(self._hired) < min(self._pool.size, unfinished):
            self._hired.add(self._pool.hire())

    def _note_a_loss(self, task: Task, times: int, why: str) -> None:
        if times >= FAILURES:
            raise TrainingError(
                f"{task.title}: {times} workers were lost over it, the last one because {why}; see "
                f"whether it needs more memory than a worker has, then go on by --resume."
            )
        self._observer.warn(f"{task.title}: its worker was lost because {why}; trying it again")

    def _note_a_loss_at_first(self, why: str) -> None:
        self._lost_at_first += 1
        if self._lost_at_first >= FAILURES:
            raise TrainingError(
                f"{FAILURES} workers in a row were lost before they were ready, the last one "
                f"because {why}; see whether onecycle is installed there, and the memory is enough."
            )
