"""Runs logged by MLflow itself, to its store of files, and read back by its client."""

import os
from unittest.mock import Mock

import pytest

from onecycle_cli.runs.trackers.mlflow import MLflow
from onecycle_cli.runs.trackers.remembered import Remembered
from onecycle_cli.runs.trackers.tracker import DONE, INTERRUPTED, Ending

pytestmark = pytest.mark.harness


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A store of files, which MLflow allows where it is asked to."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file:{tmp_path}/mlflow")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    return tmp_path


@pytest.fixture
def client(store):
    from mlflow import MlflowClient

    return MlflowClient()


@pytest.fixture
def tracker(client, subject):
    """Return what starts a tracker of the same run, as each sitting of it does."""

    def tracker():
        started = MLflow(subject, Remembered(subject.folder, "mlflow"))
        started.start()
        return started

    return tracker


def runs_in(client):
    [experiment] = [e for e in client.search_experiments() if e.name == "digits"]
    return client.search_runs([experiment.experiment_id])


def history(client, name):
    [run] = runs_in(client)
    return [(m.step, m.value) for m in client.get_metric_history(run.info.run_id, name)]


def test_a_run_has_its_name_values_numbers_and_files(client, tracker, subject, trained):
    (subject.folder / "result.json").write_text("{}")
    mlflow, log = tracker(), trained(epochs=2)
    mlflow.write(log)
    mlflow.end(Ending(DONE, {"test/accuracy": 0.75}, [subject.folder / "result.json"]))

    [run] = runs_in(client)
    assert (run.info.run_name, run.info.status) == ("digits/train/001", "FINISHED")
    assert run.info.start_time == 1_750_000_000_000
    assert run.data.params == {
        "batch_size": "64", "optimizer.name": "sgd", "train.log_to": "['mlflow']"
    }  # fmt: skip
    assert run.data.tags["max_lr from"] == "suggestion of digits/find-lr/001"
    assert run.data.metrics["test/accuracy"] == 0.75
    assert [file.path for file in client.list_artifacts(run.info.run_id)] == ["result.json"]
    for name in ("lr", "momentum", "loss"):
        assert history(client, f"step/{name}") == list(enumerate(log.steps[name]))
    assert history(client, "epoch/val_loss") == [(1, 0.25), (2, 1 / 7)]
    assert history(client, "epoch/val_auc") == [(1, 0.75), (2, 0.75)]


def test_resumed_it_goes_on_in_the_same_run_and_logs_nothing_twice(client, tracker, trained):
    """Killed when it was ahead of the checkpoint, so that steps come again."""
    tracker().write(trained(epochs=2, more=2))
    mlflow, log = tracker(), trained(epochs=1)
    for _ in range(3):
        mlflow.write(log)
        trained(log)
    mlflow.end(Ending(INTERRUPTED))
    mlflow = tracker()
    mlflow.write(log)
    assert [run.info.status for run in runs_in(client)] == ["RUNNING"]
    mlflow.end(Ending(DONE))

    [run] = runs_in(client)
    assert run.info.status == "FINISHED"
    assert history(client, "step/loss") == list(enumerate(log.losses))
    assert [at for at, _ in history(client, "epoch/loss")] == [1, 2, 3, 4]


def test_what_failed_half_way_is_completed(client, tracker, trained, monkeypatch):
    mlflow, log = tracker(), trained(epochs=2)
    monkeypatch.setattr("onecycle_cli.runs.trackers.mlflow._MOST_METRICS", 4)
    calls, log_batch = [], mlflow._client.log_batch

    def fails_once(*args, **kwargs):
        calls.append(args)
        log_batch(*args, **kwargs)
        if len(calls) == 2:  # it arrived, and the answer did not
            raise ConnectionError

    monkeypatch.setattr(mlflow._client, "log_batch", fails_once)
    with pytest.raises(ConnectionError):
        mlflow.write(log)
    mlflow.write(trained(log))
    assert history(client, "step/loss") == list(enumerate(log.losses))
    assert history(client, "step/lr") == list(enumerate(log.lrs))


def test_after_a_divergence_both_values_of_a_step_are_there(client, tracker, trained):
    """MLflow can't take anything back; what came last is what counts there, too."""
    mlflow, log = tracker(), trained(epochs=3)
    mlflow.write(log)
    log.go_back({"steps": {"rows": 6}, "history": {"rows": 2}})
    mlflow.write(trained(log, epochs=2, scale=2.0))

    found = history(client, "step/loss")
    assert found[:9] == [(i, 1 / (1 + i)) for i in range(9)]
    assert found[9:] == [(i, 2 / (1 + i)) for i in range(6, 12)]
    [run] = runs_in(client)
    assert run.data.metrics["step/loss"] == 2 / 12


def test_trials_are_runs_within_that_of_the_search(client, tracker, subject, trials):
    mlflow = tracker()
    mlflow.write_trials(trials[:1])
    half = mlflow._new_run("killed", {}, {"mlflow.parentRunId": mlflow._id})
    again = tracker()
    again.write_trials(trials)
    again.end(Ending(DONE, {"suggested/max_lr": 0.2}))

    by_name = {run.info.run_name: run for run in runs_in(client)}
    parent = by_name.pop(subject.label)
    assert parent.data.metrics == {"suggested/max_lr": 0.2}
    assert half not in {run.info.run_id for run in by_name.values()}
    first, second = (by_name.pop(f"{subject.label}/{trial.name}") for trial in trials)
    assert by_name == {}
    for run, status in ((first, "FINISHED"), (second, "FAILED")):
        assert run.data.tags["mlflow.parentRunId"] == parent.info.run_id
        assert run.info.status == status
    assert first.data.params == {"max_lr": "0.2", "stage": "ladder"}
    assert (first.data.metrics["score"], first.data.metrics["step/loss"]) == (1.25, 1.5)
    assert "score" not in second.data.metrics


def test_a_trial_that_failed_half_way_is_logged_once(client, tracker, trials, monkeypatch):
    mlflow = tracker()
    mlflow.write_trials(trials[:1])
    with monkeypatch.context() as patch, pytest.raises(ConnectionError):
        patch.setattr(mlflow._client, "set_terminated", Mock(side_effect=ConnectionError))
        mlflow.write_trials(trials)
    mlflow.write_trials(trials)
    names = [run.data.tags.get("onecycle.trial") for run in runs_in(client)]
    assert sorted(filter(None, names)) == [trial.name for trial in trials]


def test_a_run_that_was_deleted_there_is_begun_anew(client, tracker, trained):
    tracker().write(trained())
    client.delete_run(runs_in(client)[0].info.run_id)
    tracker().write(trained(epochs=2))
    assert len(history(client, "step/loss")) == 6


def test_it_says_where_the_run_is_and_no_password(client, subject, monkeypatch):
    mlflow = MLflow(subject, Remembered(subject.folder, "mlflow"))
    where = mlflow.start()
    [run] = runs_in(client)
    assert where == f"run {run.info.run_id} in {client.tracking_uri}"
    monkeypatch.setattr(type(client), "tracking_uri", "postgresql://me:secret@host/runs")
    assert mlflow.start() == f"run {run.info.run_id} in postgresql://host/runs"


def test_a_server_that_is_away_is_not_waited_for_long(store, subject, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    before = dict(os.environ)
    with pytest.raises(Exception, match=r"127\.0\.0\.1"):
        MLflow(subject, Remembered(subject.folder, "mlflow")).start()
    assert {**before, **os.environ}.keys() - before.keys() <= {"MLFLOW_LOGGING_LEVEL"}
