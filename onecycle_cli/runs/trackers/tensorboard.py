"""The numbers of a run as event files for TensorBoard.

Such a file is a pure function of the tables, the parameters and the time at which the run started:
written again with longer tables it has the same beginning, so that a run that is resumed leaves
nothing double.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from onecycle_cli.runs.files import unwritable, write_bytes
from onecycle_cli.runs.log import Logbook
from onecycle_cli.runs.trackers import events
from onecycle_cli.runs.trackers.rows import Place, new_rows, rows
from onecycle_cli.runs.trackers.tracker import DONE, Ending, Subject, TrackedTrial

FOLDER = "tensorboard"
NAME = "events.out.tfevents.onecycle"


class TensorBoard:
    """Writes an event file of a training, or one of each trial of a search.

    Args:
        subject: the run; its folder gets a folder `tensorboard`.
    """

    def __init__(self, subject: Subject) -> None:
        self._subject, self._folder = subject, subject.folder / FOLDER
        self._file: EventFile | None = None
        self._steps = 0

    def start(self) -> str:
        """Say how it is looked at; the files are made when there is something to write."""
        runs = os.path.relpath(self._subject.folder.parents[2])
        return f"'tensorboard --logdir {runs}' shows this run beside others"

    def write(self, log: Logbook) -> None:
        """Make the event file of a training say what its log says.

        Raises:
            ResultError: when it can't be written.
        """
        if self._file is None:
            subject = self._subject
            head = [events.session_start(subject.label, subject.params, subject.started)]
            self._file = EventFile(self._folder, started=subject.started, head=head)
        self._file.write(log)
        self._steps = len(log)

    def write_trials(self, trials: Sequence[TrackedTrial]) -> None:
        """Write the event files of those trials that have none yet.

        Raises:
            ResultError: when one can't be written.
        """
        for trial in trials:
            if not (self._folder / trial.name / NAME).exists():
                self._write_trial(trial)

    def _write_trial(self, trial: TrackedTrial) -> None:
        time = self._subject.started
        name = f"{trial.name}, {self._subject.label}"
        content = [
            events.version(time),
            events.session_start(name, trial.params, time),
            *(events.event_of(row, time) for row in rows(trial.steps, {})),
            events.scalars(trial.scores, len(trial.steps["step"]), time),
            events.session_end(is_done=not trial.has_diverged, time=time),
        ]
        write_bytes(self._folder / trial.name / NAME, events.records(content))

    def end(self, ending: Ending) -> None:
        """Add the scores of a training, and how it ended.

        Raises:
            ResultError: when they can't be written.
        """
        if self._file is None:
            return
        time = self._subject.started
        self._file.add(
            events.scalars(ending.scores, self._steps, time),
            events.session_end(is_done=ending.status == DONE, time=time),
        )


class EventFile:
    """The event file of a training, which grows with its log.

    Args:
        folder: the place of the file, `NAME`.
        started: the time of all events, in seconds since 1970; the tables know no clock.
        head: events that it begins with.
    """

    def __init__(self, folder: Path, *, started: float, head: Sequence[events.Event] = ()) -> None:
        self._path, self._started = folder / NAME, started
        self._head = [events.version(started), *head]
        self._place, self._size = Place(), 0

    def write(self, log: Logbook) -> None:
        """Make it say what the log says; only what is new is put into events, if it can be.

        What a file of the same run holds already stays in its place, and the rest is put behind
        it: a TensorBoard that is reading it sees it grow. Any other file is replaced as a whole.

        Raises:
            ResultError: when the file can't be written.
        """
        if self._is_as_it_was_left and self._place == self._place.still_in(log):
            self._append(events.records(self._events(log, self._place)))
        else:
            self._write_whole(events.records(chain(self._head, self._events(log, Place()))))
        self._place = Place.at_end_of(log)

    def add(self, *last: events.Event) -> None:
        """Put events behind the rest.

        Raises:
            ResultError: when they can't be written.
        """
        self._append(events.records(last))

    def _events(self, log: Logbook, since: Place) -> Iterable[events.Event]:
        return (events.event_of(row, self._started) for row in new_rows(log, since))

    @property
    def _is_as_it_was_left(self) -> bool:
        return self._size > 0 and self._path.exists() and self._path.stat().st_size == self._size

    def _write_whole(self, content: bytes) -> None:
        try:
            known = self._path.read_bytes() if self._path.exists() else b""
        except OSError as error:
            raise unwritable(self._path, error) from None
        if known and content.startswith(known):
            self._append(content[len(known) :])
        else:
            write_bytes(self._path, content)
            self._size = len(content)

    def _append(self, content: bytes) -> None:
        try:
            with self._path.open("ab") as file:
                file.write(content)
                self._size = file.tell()
        except OSError as error:
            raise unwritable(self._path, error) from None
