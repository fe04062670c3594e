"""The numbers of a run in MLflow: a run there, and a run within it for each trial of a search."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from importlib import import_module
from typing import Any, TypeVar

from onecycle_cli.runs.log import Logbook
from onecycle_cli.runs.trackers.remembered import Remembered
from onecycle_cli.runs.trackers.rows import STEP, Place, Row, new_rows, rows
from onecycle_cli.runs.trackers.tracker import (
    DONE,
    FAILED,
    INTERRUPTED,
    Ending,
    Subject,
    TrackedTrial,
)

_STATUS = {DONE: "FINISHED", INTERRUPTED: "KILLED", FAILED: "FAILED"}
_PARENT, _TRIAL = "mlflow.parentRunId", "onecycle.trial"

_MOST_METRICS, _MOST_PARAMS, _LONGEST_PARAM = 1000, 100, 6000
"""What MLflow takes in one call."""

_BRIEF = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
"""How long a server that is away is waited for; by itself MLflow would do so for minutes."""

_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_LOGGING_LEVEL": "WARNING"}

Known = Set[tuple[str, int, float]]
"""Numbers by name and step."""

Entry = TypeVar("Entry")


class MLflow:
    """Logs a training, or a search with its trials, to where `MLFLOW_TRACKING_URI` says.

    MLflow can't take a number back or replace it. So whenever it is not certain what is there, it
    is asked, and what it has already is not logged again.

    Args:
        subject: the run.
        remembered: which run it is in MLflow.
    """

    def __init__(self, subject: Subject, remembered: Remembered) -> None:
        self._subject, self._remembered = subject, remembered
        self._place = Place()
        self._there: Known | None = None
        self._trials: set[str] | None = None

    def start(self) -> str:
        """Begin a run there, or go on with the one that this run began before; say where it is."""
        for name, value in _QUIET.items():
            os.environ.setdefault(name, value)
        with _briefly():
            self._client = import_module("mlflow").MlflowClient()
            self._experiment = self._experiment_id()
            self._id = self._of_before() or self._begun()
        place = re.sub("//[^/]*@", "//", self._client.tracking_uri)  # without a password
        return f"run {self._id} in {place}"

    def write(self, log: Logbook) -> None:
        """Log what is new, or whatever is missing if it is not certain what is there."""
        there, self._there = self._there, None
        with _briefly():
            if there is None:
                there, self._place = self._asked(), Place()
            self._log(self._id, new_rows(log, self._place), but=there)
        self._place, self._there = Place.at_end_of(log), there

    def write_trials(self, trials: Sequence[TrackedTrial]) -> None:
        """Log those trials that are not there yet, each as a run within this one."""
        there, self._trials = self._trials, None
        with _briefly():
            if there is None:
                there = self._finished_trials()
            for trial in trials:
                if trial.name not in there:
                    self._log_trial(trial)
        self._trials = there | {trial.name for trial in trials}

    def end(self, ending: Ending) -> None:
        """Log the scores, keep the files, and say how the run ended."""
        with _briefly():
            self._log(self._id, [Row(STEP, self._place.steps, dict(ending.scores))])
            for path in ending.files:
                self._client.log_artifact(self._id, str(path))
            self._client.set_terminated(self._id, _STATUS[ending.status])

    # --- runs ---------------------------------------------------------------------------------

    def _experiment_id(self) -> str:
        if known := os.environ.get("MLFLOW_EXPERIMENT_ID"):
            return known
        name = os.environ.get("MLFLOW_EXPERIMENT_NAME", self._subject.experiment)
        found = self._client.get_experiment_by_name(name)
        return self._client.create_experiment(name) if found is None else found.experiment_id

    def _of_before(self) -> str | None:
        """Return the run that was begun before, under way again; `None` if it is not there."""
        known = self._remembered.read().get("run_id")
        if known is None:
            return None
        try:
            run = self._client.get_run(known)
        except import_module("mlflow.exceptions").MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        if run.info.lifecycle_stage != "active":
            return None
        self._client.update_run(known, status="RUNNING")
        return str(known)

    def _begun(self) -> str:
        subject = self._subject
        tags = {"onecycle.kind": subject.kind, **subject.tags}
        begun = self._new_run(subject.label, subject.params, tags)
        self._remembered.write(run_id=begun, experiment_id=self._experiment)
        return begun

    def _new_run(self, name: str, params: Mapping[str, Any], tags: Mapping[str, str]) -> str:
        start = int(1000 * self._subject.started)
        tags = {"mlflow.source.name": "onecycle", **tags}
        run = self._client.create_run(self._experiment, start, tags, run_name=name)
        param = import_module("mlflow.entities").Param
        entries = [param(key, str(value)[:_LONGEST_PARAM]) for key, value in params.items()]
        for some in _pieces(entries, _MOST_PARAMS):
            self._client.log_batch(run.info.run_id, params=some)
        return str(run.info.run_id)

    # --- numbers ------------------------------------------------------------------------------

    def _log(self, run: str, new: Iterable[Row], *, but: Known = frozenset()) -> None:
        metric, now = import_module("mlflow.entities").Metric, int(1000 * time.time())
        entries = [
            metric(name, float(value), now, row.at)
            for row in new
            for name, value in row.values.items()
            if (name, row.at, value) not in but
        ]
        for some in _pieces(entries, _MOST_METRICS):
            self._client.log_batch(run, metrics=some)

    def _asked(self) -> Known:
        return {
            (name, metric.step, metric.value)
            for name in self._client.get_run(self._id).data.metrics
            for metric in self._client.get_metric_history(self._id, name)
        }

    def _log_trial(self, trial: TrackedTrial) -> None:
        name = f"{self._subject.label}/{trial.name}"
        run = self._new_run(name, trial.params, {_PARENT: self._id, _TRIAL: trial.name})
        self._log(
            run, [*rows(trial.steps, {}), Row(STEP, len(trial.steps[STEP]), dict(trial.scores))]
        )
        self._client.set_terminated(run, "FAILED" if trial.has_diverged else "FINISHED")

    def _finished_trials(self) -> set[str]:
        """Return the names of the trials that are there; halves of others are removed."""
        within = f"tags.`{_PARENT}` = '{self._id}'"
        finished = set()
        for run in self._client.search_runs([self._experiment], within):
            if run.info.status == "RUNNING":
                self._client.delete_run(run.info.run_id)
            else:
                finished.add(run.data.tags[_TRIAL])
        return finished


@contextlib.contextmanager
def _briefly() -> Iterator[None]:
    added = {name: value for name, value in _BRIEF.items() if name not in os.environ}
    os.environ |= added
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


def _pieces(entries: Sequence[Entry], size: int) -> Iterator[Sequence[Entry]]:
    return (entries[i : i + size] for i in range(0, len(entries), size))
