"""What every search by probes has in common: rounds of them, each planned after those before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from onecycle_cli.suggest.bounds import Bounds
from onecycle_cli.suggest.probes.probe import Probe


@dataclass(frozen=True)
class Round:
    """Probes that can run side by side.

    Attributes:
        stage: what they are for, such as `LADDER`.
        steps: of each.
        values: what they try, rising.
        replicate: from which initial weights they start, and in which order they see the data.
    """

    stage: str
    steps: int
    values: tuple[float, ...]
    replicate: int = 0

    @property
    def cost(self) -> int:
        """Steps of all of them, at most."""
        return self.steps * len(self.values)


class Plan(Protocol):
    """Which probes a search runs."""

    @property
    def most_steps(self) -> int:
        """Steps that all probes take, at most."""

    def next_round(self, probes: Sequence[Probe], bounds: Bounds) -> Round | None:
        """Return the probes to run after those that are done; `None` when it is over.

        Args:
            probes: those that are done, in the order in which they were asked for.
            bounds: between which losses a model learns.
        """

    def longest_course(self) -> list[Round]:
        """Return the rounds of a search that takes as many probes as any."""
