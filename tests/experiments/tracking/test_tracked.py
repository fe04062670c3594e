"""Trackers of real trainings and searches: they hear everything once, and change nothing."""

import importlib
import json

import numpy as np
import pytest
import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from onecycle_cli import throttle
from onecycle_cli.experiments.find_lr import find_lr
from onecycle_cli.experiments.find_momentum import find_momentum
from onecycle_cli.experiments.find_wd import find_wd
from onecycle_cli.experiments.train import train
from onecycle_cli.runs.checkpoints import Checkpoints
from onecycle_cli.runs.trackers import table as trackers
from onecycle_cli.runs.trackers.rows import Place, new_rows
from onecycle_cli.runs.trackers.together import Trackers


class Recorder:
    """A tracker that remembers everything, in all sittings of a run."""

    def __init__(self):
        self.subjects, self.rows, self.trials, self.endings = [], [], [], []

    def __call__(self, subject, remembered):
        self.subjects.append(subject)
        self._place = Place()
        return self

    def start(self):
        return "here"

    def write(self, log):
        self.rows += new_rows(log, self._place)
        self._place = Place.at_end_of(log)

    def write_trials(self, trials):
        self.trials = trials

    def end(self, ending):
        kept = {path.name: path.read_bytes() for path in ending.files}
        self.endings.append((ending.status, dict(ending.scores), kept))


class Broken:
    def __init__(self, subject, remembered):
        pass

    def __getattr__(self, name):
        raise ConnectionError("the server is away")


@pytest.fixture
def recorder(monkeypatch):
    recorder = Recorder()
    monkeypatch.setitem(trackers.TRACKERS, "mlflow", recorder)
    monkeypatch.setitem(trackers.TRACKERS, "wandb", Broken)
    return recorder


@pytest.fixture(scope="module")
def plain(small, tmp_path_factory):
    return train(small(train={"cycles": [{"epochs": 3}]}), out=tmp_path_factory.mktemp("plain"))


def contents(folder):
    return [(folder / name).read_bytes() for name in ("steps.csv", "history.csv")]


def test_they_hear_every_number_and_change_none(small, tmp_path, recorder, listener, plain, table):
    """Also one that fails all the time: it costs two warnings."""
    settings = {"cycles": [{"epochs": 3}], "log_to": ["mlflow", "wandb"]}
    result = train(small(train=settings), out=tmp_path, observer=listener)

    assert contents(result.folder) == contents(plain.folder)
    steps, history = (table(result.folder / f"{name}.csv") for name in ("steps", "history"))
    for axis, columns in (("step", steps), ("epoch", history)):
        rows = [row for row in recorder.rows if row.axis == axis]
        assert [row.at for row in rows] == columns[axis].tolist()
        for name in set(columns) - {"step", "epoch", "cycle"}:
            assert [row.values[f"{axis}/{name}"] for row in rows] == columns[name].tolist()

    [(status, scores, kept)] = recorder.endings
    expected = {"test/accuracy": result.test_accuracy, "test/loss": result.test_loss}
    assert (status, scores) == ("done", expected)
    assert set(kept) == {"config.yaml", "result.json", "plot.png"}
    assert all(kept[name] == (result.folder / name).read_bytes() for name in kept)

    [subject] = recorder.subjects
    saved = yaml.safe_load(kept["config.yaml"])
    assert (subject.experiment, subject.label) == ("small", "small/train/001")
    assert subject.params["train.momentum.max"] == saved["train"]["momentum"]["max"] == 0.95
    assert subject.params["train.cycles"] == saved["train"]["cycles"]
    assert subject.tags["max_lr from"] == "file"
    said = [text for text in listener.warnings if "server is away" in text]
    assert [text.split(" (")[0] for text in said] == [
        "wandb failed",
        "wandb could not take all numbers of this run",
    ]


@pytest.mark.harness
def test_what_breaks_off_ends_as_interrupted_and_goes_on(
    small, tmp_path, recorder, listener, plain
):
    def stop(step):
        if step == 10:
            raise KeyboardInterrupt

    listener.each_step = stop
    settings = {"cycles": [{"epochs": 3}], "log_to": ["mlflow"]}
    with pytest.raises(KeyboardInterrupt):
        train(small(train=settings), out=tmp_path, observer=listener)
    done = [row.at for row in recorder.rows if row.axis == "step"]
    assert done == list(range(len(done))) and len(done) >= 6

    result = train(resume=tmp_path / "small/train/001")
    assert contents(result.folder) == contents(plain.folder)
    assert [ending[0] for ending in recorder.endings] == ["interrupted", "done"]
    assert {subject.label for subject in recorder.subjects} == {"small/train/001"}
    again = [row.at for row in recorder.rows if row.axis == "step"][len(done) :]
    assert again == list(range(18))  # this tracker remembers nothing of the first sitting


class KilledError(BaseException):
    """Stands for the end of the process: nothing that comes after it is done."""


@pytest.mark.harness
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")  # of MLflow's code
def test_killed_and_resumed_real_trackers_have_each_step_once(
    small, tmp_path, monkeypatch, listener, plain, table
):
    """They are ahead of the checkpoint then; and the bits are those of a training without them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setattr(throttle, "LARGEST_SHARE", 1e9)
    settings = {"cycles": [{"epochs": 3}], "log_to": ["tensorboard", "mlflow", "wandb"]}

    def kill(step):
        if step == 16:
            raise KilledError

    listener.each_step = kill
    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(Trackers, "end", lambda *_: None)
        patch.setattr(Checkpoints, "is_due", lambda self, at_epoch_end: not self.written)
        train(small(train=settings), out="runs", observer=listener)
    importlib.import_module("wandb").teardown()  # as at the end of a process
    listener.each_step = lambda step: None
    result = train(resume="runs/small/train/001", observer=listener)

    assert any("from step 1," in note for note in listener.notes)
    assert contents(result.folder) == contents(plain.folder)
    steps = table(result.folder / "steps.csv")
    [(run, logged)] = mlflow_runs("small", "step/loss")
    assert (run.info.run_name, run.info.status) == ("small/train/001", "FINISHED")
    assert logged == list(enumerate(steps["loss"].tolist()))
    assert run.data.params["train.max_lr"] == "0.1"
    assert run.data.metrics["test/loss"] == result.test_loss
    shown = EventAccumulator(str(result.folder / "tensorboard"))
    shown.Reload()
    assert [event.step for event in shown.Scalars("step/loss")] == list(range(18))
    assert not [text for text in listener.warnings if "tracker" in text or "failed" in text]
    importlib.import_module("wandb").teardown()
    assert len(list((tmp_path / "wandb").glob("offline-run-*"))) == 2


def mlflow_runs(experiment, name):
    from mlflow import MlflowClient

    client = MlflowClient()
    found = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
    for run in found:
        history = client.get_metric_history(run.info.run_id, name)
        yield run, [(metric.step, metric.value) for metric in history]


@pytest.mark.harness
def test_where_they_go_may_be_changed_on_resuming(small, tmp_path, recorder, listener):
    def stop(step):
        if step == 10:
            raise KeyboardInterrupt

    listener.each_step = stop
    with pytest.raises(KeyboardInterrupt):
        train(small(), out=tmp_path, observer=listener)
    assert recorder.subjects == []
    train(small(train={"log_to": "mlflow"}), resume=tmp_path / "small/train/001")
    assert len(recorder.subjects) == 1


@pytest.mark.parametrize(
    ("find", "key"),
    [
        (find_wd, "weight_decay"),
        pytest.param(find_momentum, "momentum", marks=pytest.mark.harness),
        pytest.param(find_lr, "max_lr", marks=pytest.mark.harness),
    ],
)
def test_the_trials_of_a_search_are_those_of_its_tables(small, tmp_path, recorder, table, find, key):  # fmt: skip # noqa: E501
    probes = {"method": "probes", "steps": "auto", "repeats": 1, "budget": 2}
    config = small(train={"log_to": ["mlflow"]}) | {"find_lr": probes}
    result, missing = find(config, out=tmp_path), {"score": np.inf, "held_out": ""}

    tried, curves = (table(result.folder / f"{name}.csv") for name in ("trials", "curves"))
    assert [trial.params[key] for trial in recorder.trials] == tried[key].tolist()
    assert [trial.params["steps"] for trial in recorder.trials] == tried["steps"].tolist()
    for name in {"score", "held_out"} & set(tried):
        scores = [trial.scores.get(name, missing[name]) for trial in recorder.trials]
        assert list(map(str, scores)) == list(map(str, tried[name].tolist()))
    for number, trial in enumerate(recorder.trials):
        rows = curves["trial"] == number
        for name in ("lr", "momentum", "loss"):
            assert list(trial.steps[name]) == curves[name][rows].tolist()

    [(status, suggested, kept)] = recorder.endings
    found = json.loads(kept["result.json"])["suggestion"]["value"]
    whole = found if isinstance(found, dict) else {"": found}
    expected = {f"suggested/{key}{'_' if k else ''}{k}": v for k, v in whole.items()}
    assert (status, suggested) == ("done", expected if found is not None else {})


@pytest.mark.harness
def test_range_tests_are_trials_too(small, tmp_path, recorder, table):
    sweep = {"steps": 12, "repeats": 2}
    result = find_lr(small(train={"log_to": "mlflow"}, find_lr=sweep), out=tmp_path)
    curve = table(result.folder / "curve.csv")
    assert [trial.name for trial in recorder.trials] == ["01-range-test", "02-range-test"]
    for number, trial in enumerate(recorder.trials):
        rows = curve["repeat"] == number
        assert list(trial.steps["loss"]) == curve["loss"][rows].tolist()
        assert list(trial.steps["lr"]) == curve["lr"][rows].tolist()


@pytest.mark.harness
def test_a_run_that_is_not_kept_has_none(small, recorder):
    train(small(train={"cycles": [{"epochs": 1}], "log_to": "mlflow"}), out=None)
    assert recorder.subjects == []
