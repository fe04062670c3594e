"""Trials one after another, in this process, on its one compiled model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.experiments.searches.jobs import Job, Outcome, carry_out
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.bench import Workbench


class Local:
    """Carries trials out in their order.

    Args:
        bench: the model, to be rewound before each trial.
        observer: hears of each step.
    """

    def __init__(self, bench: Workbench, observer: Observer) -> None:
        self._bench, self._observer = bench, observer

    def run(self, jobs: Sequence[Job]) -> Iterator[tuple[int, Outcome]]:
        """Carry trials out; see `Engine`."""
        for place, job in enumerate(jobs):
            yield place, carry_out(job, self._bench, self._observer)
