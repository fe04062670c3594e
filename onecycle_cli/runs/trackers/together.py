"""All trackers of a run."""

from __future__ import annotations

from collections.abc import Sequence

from onecycle_cli.runs.log import Logbook
from onecycle_cli.runs.trackers.guarded import Guarded
from onecycle_cli.runs.trackers.tracker import Ending, TrackedTrial


class Trackers:
    """Tells each tracker of a run what there is to know; there may be none.

    Args:
        trackers: the ones, which can do no harm.
    """

    def __init__(self, trackers: Sequence[Guarded] = ()) -> None:
        self._trackers = trackers
        self._is_started = False

    def start(self) -> None:
        """Have them begin, now that the run is about to."""
        self._is_started = True
        for tracker in self._trackers:
            tracker.start()

    def write(self, log: Logbook) -> None:
        """Have them follow the log of a training."""
        for tracker in self._trackers:
            tracker.write(log)

    def write_trials(self, trials: Sequence[TrackedTrial]) -> None:
        """Have them follow the finished trials of a search."""
        for tracker in self._trackers:
            tracker.write_trials(trials)

    def end(self, ending: Ending) -> None:
        """Have them end, unless they never began."""
        if self._is_started:
            for tracker in self._trackers:
                tracker.end(ending)
