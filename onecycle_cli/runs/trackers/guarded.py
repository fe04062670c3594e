"""A tracker that can do no harm: what fails is said once, and tried again when the run ends."""

from __future__ import annotations

import contextlib
import textwrap
from collections.abc import Callable, Iterator, Sequence

from onecycle_cli.errors import cause_of
from onecycle_cli.observer import Observer
from onecycle_cli.runs.log import Logbook
from onecycle_cli.runs.trackers.tracker import Ending, TrackedTrial, Tracker
from onecycle_cli.throttle import Throttle

_LONGEST = 200


class Guarded:
    """Calls a tracker for at most a hundredth of the time, and survives its failures.

    Args:
        name: of the tracker.
        tracker: the one.
        observer: hears where it is, once that it fails, and again if it still does at the end.
    """

    def __init__(self, name: str, tracker: Tracker, observer: Observer) -> None:
        self._name, self._tracker, self._observer = name, tracker, observer
        self._throttle = Throttle()
        self._has_failed = self._is_started = False
        self._put_off: Callable[[], None] | None = None

    def start(self) -> None:
        """Have it begin."""
        with self._guarded():
            self._start()

    def write(self, log: Logbook) -> None:
        """Have it follow the log of a training, now or later."""
        self._do_or_put_off(lambda: self._tracker.write(log))

    def write_trials(self, trials: Sequence[TrackedTrial]) -> None:
        """Have it follow the trials of a search, now or later."""
        self._do_or_put_off(lambda: self._tracker.write_trials(trials))

    def end(self, ending: Ending) -> None:
        """Have it do what was put off, and end; also if it has failed before."""
        with self._guarded(is_last=True):
            self._start()
            self._do_what_was_put_off()
            self._tracker.end(ending)

    def _start(self) -> None:
        if not self._is_started:
            where = self._tracker.start()
            self._is_started = True
            self._observer.note(f"{self._name}: {where}")

    def _do_or_put_off(self, action: Callable[[], None]) -> None:
        self._put_off = action
        if self._throttle.is_due() and not self._has_failed:
            with self._guarded(), self._throttle.work():
                self._do_what_was_put_off()

    def _do_what_was_put_off(self) -> None:
        if self._put_off is not None:
            self._put_off()
            self._put_off = None

    @contextlib.contextmanager
    def _guarded(self, *, is_last: bool = False) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # of somebody else's making: anything
            self._observer.warn(self._sentence(cause_of(error), is_last))
            self._has_failed = True

    def _sentence(self, cause: str, is_last: bool) -> str:
        cause = textwrap.shorten(cause.rstrip("."), _LONGEST, placeholder=" ...")
        if is_last:
            return (
                f"{self._name} could not take all numbers of this run ({cause}); the run's own "
                f"files have them."
            )
        return (
            f"{self._name} failed ({cause}); the run goes on without it, and it is tried once "
            f"more at the end."
        )
