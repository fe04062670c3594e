"""The numbers of a run in Weights & Biases, online or, with `WANDB_MODE=offline`, on disk."""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

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

    What is there already is not logged again, where W&B says how many rows it has. Offline it
    doesn't, and what it wrote last is lost with a process that is killed. So there each sitting of
    a run logs all of it, into a folder of its own.

    Args:
        subject: the run.
        remembered: which run it is in W&B, and how many of its rows were logged for a second time,
            because the training went back.
    """

    def __init__(self, subject: Subject, remembered: Remembered) -> None:
        self._subject, self._remembered = subject, remembered
        self._place = Place()

    def start(self) -> str:
        """Begin a run there, or go on with the one that this run began before; say where it is.

        Raises:
            ConfigError: when nobody is logged in.
        """
        wandb = import_module("wandb")
        is_offline = wandb.setup().settings.mode in _OFFLINE
        if not is_offline and wandb.run is None and not wandb.login(prompt=False, verify=False):
            raise ConfigError("nobody is logged in; run 'wandb login', or set WANDB_MODE=offline")
        subject, before = self._subject, self._remembered.read()
        self._run = wandb.init(
            project=None if _PROJECT in os.environ else subject.experiment,
            id=before.get("run_id") or uuid.uuid4().hex[:12],
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
        there = self._run.starting_step
        self._repeated = before.get("repeated", 0) if there else 0
        self._to_skip = self._trials = max(0, there - self._repeated)
        self._remember()
        for axis in (STEP, EPOCH, TRIAL):
            self._run.define_metric(axis)
            self._run.define_metric(f"{axis}/*", step_metric=axis)
        return f"offline in {Path(self._run.dir).parent}" if is_offline else str(self._run.url)

    def write(self, log: Logbook) -> None:
        """Log what is new, but for the rows that a run which goes on has already."""
        left = self._place.still_in(log)
        if forgotten := sum(self._place.told) - sum(left.told):
            self._repeated += forgotten
            self._remember()
        for row in new_rows(log, left):
            if self._to_skip:
                self._to_skip -= 1
            else:
                self._run.log({row.axis: row.at, **row.values})
        self._place = Place.at_end_of(log)

    def write_trials(self, trials: Sequence[TrackedTrial]) -> None:
        """Log each new trial as a row: what was tried, and its score."""
        for number, trial in enumerate(trials[self._trials :], self._trials + 1):
            told = {**trial.params, **trial.scores}
            values = {f"{TRIAL}/{name}": value for name, value in told.items()}
            self._run.log({TRIAL: number, **values})
        self._trials = max(self._trials, len(trials))

    def end(self, ending: Ending) -> None:
        """Log the scores, and wait for a minute at most until all is there; no files are kept."""
        self._run.summary.update(dict(ending.scores))
        self._run.finish(exit_code=0 if ending.status == DONE else 1)

    def _remember(self) -> None:
        self._remembered.write(run_id=self._run.id, repeated=self._repeated)
