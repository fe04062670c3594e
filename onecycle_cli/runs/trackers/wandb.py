"""The numbers of a run in Weights & Biases, online or, with `WANDB_MODE=offline`, on disk."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from onecycle_cli.errors import ConfigError
from onecycle_cli.runs.log import Logbook
from onecycle_cli.runs.trackers.remembered import Remembered
from onecycle_cli.runs.trackers.rows import EPOCH, STEP, Place, new_rows
from onecycle_cli.runs.trackers.tracker import DONE, Ending, Subject, TrackedTrial

TRIAL = "trial"
"""What trials are counted by, and the first part of the names of their numbers."""

_PROJECT = "WANDB_PROJECT"
_OFFLINE = ("offline", "dryrun", "disabled")
_SECONDS_TO_BEGIN, _SECONDS_TO_END = 20.0, 60.0


class WandB:
    """Logs a training, or a search with a row for each of its trials.

    W&B can't be asked what it has when it is offline. So the run's folder remembers how far it is.

    Args:
        subject: the run.
        remembered: which run it is in W&B, and how much of it.
    """

    def __init__(self, subject: Subject, remembered: Remembered) -> None:
        self._subject, self._remembered = subject, remembered
        self._rows = self._trials = 0
        self._place: Place | None = None

    def start(self) -> None:
        """Begin a run there, or go on with the one that this run began before.

        Raises:
            ConfigError: when nobody is logged in.
        """
        wandb = import_module("wandb")
        is_offline = wandb.setup().settings.mode in _OFFLINE
        if not is_offline and wandb.run is None and not wandb.login(prompt=False, verify=False):
            raise ConfigError("nobody is logged in; run 'wandb login', or set WANDB_MODE=offline")
        subject, before = self._subject, self._remembered.read()
        self._id = before.get("run_id") or uuid.uuid4().hex[:12]
        self._rows, self._trials = before.get("rows", 0), before.get("trials", 0)
        self._before = before.get("steps", 0), before.get("epochs", 0)
        self._run = wandb.init(
            project=None if _PROJECT in os.environ else subject.experiment,
            id=self._id,
            name=subject.label,
            job_type=subject.kind,
            config=dict(subject.params) | {"from": dict(subject.tags)},
            resume="allow" if before and not is_offline else None,
            reinit="create_new",
            settings=wandb.Settings(
                silent=True,
                console="off",
                init_timeout=_SECONDS_TO_BEGIN,
                finish_timeout=_SECONDS_TO_END,
                finish_timeout_raises=True,
            ),
        )
        for axis in (STEP, EPOCH, TRIAL):
            self._run.define_metric(axis)
            self._run.define_metric(f"{axis}/*", step_metric=axis)
        self._remember()

    def write(self, log: Logbook) -> None:
        """Log what is new."""
        if self._place is None:
            self._place = Place(*self._before, times_back=len(log.went_back_to))
        for row in new_rows(log, self._place):
            self._log(row.axis, row.at, row.values)
        left, end = self._place.still_in(log), Place.at_end_of(log)
        self._place = Place(
            max(left.steps, end.steps), max(left.epochs, end.epochs), end.times_back
        )
        self._remember()

    def write_trials(self, trials: Sequence[TrackedTrial]) -> None:
        """Log each new trial as a row: what was tried, and its score."""
        for number, trial in enumerate(trials[self._trials :], self._trials + 1):
            told = {**trial.params, **trial.scores}
            values = {f"{TRIAL}/{name}": value for name, value in told.items()}
            self._log(TRIAL, number, values)
        self._trials = max(self._trials, len(trials))
        self._remember()

    def end(self, ending: Ending) -> None:
        """Log the scores, and wait for a minute at most until all is there; no files are kept."""
        self._run.summary.update(dict(ending.scores))
        self._run.finish(exit_code=0 if ending.status == DONE else 1)

    def _log(self, axis: str, at: int, values: dict[str, Any]) -> None:
        self._run.log({axis: at, **values}, step=self._rows)
        self._rows += 1

    def _remember(self) -> None:
        steps, epochs = (
            self._before if self._place is None else (self._place.steps, self._place.epochs)
        )
        self._remembered.write(
            run_id=self._id, rows=self._rows, steps=steps, epochs=epochs, trials=self._trials
        )
