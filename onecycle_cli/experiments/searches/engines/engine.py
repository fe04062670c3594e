"""What every engine of a search can do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from onecycle_cli.experiments.searches.jobs import Job, Outcome


class Engine(Protocol):
    """Carries trials out."""

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Outcome]]:
        """Carry out trials that do not depend on each other.

        Yields the place of each among `jobs`, and what it gave, as soon as it is finished; in
        whatever order that happens.
        """
