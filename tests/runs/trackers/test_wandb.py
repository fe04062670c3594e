"""Runs logged by W&B itself, offline, and read from the file that it would synchronise."""

import json
import struct
import sys
from types import SimpleNamespace

import pytest

from onecycle_cli.runs.trackers.remembered import Remembered
from onecycle_cli.runs.trackers.tracker import DONE, INTERRUPTED, Ending
from onecycle_cli.runs.trackers.wandb import WandB


@pytest.fixture
def tracker(tmp_path, subject, monkeypatch):
    """Return what starts a tracker of the same run, as each sitting of it does."""
    for name, value in {
        "MODE": "offline", "DIR": str(tmp_path), "CONFIG_DIR": str(tmp_path / "config"),
        "CACHE_DIR": str(tmp_path / "cache"), "DATA_DIR": str(tmp_path / "data"),
        "ERROR_REPORTING": "false",
    }.items():  # fmt: skip
        monkeypatch.setenv(f"WANDB_{name}", value)

    def tracker():
        started = WandB(subject, Remembered(subject.folder, "wandb"))
        started.start()
        return started

    yield tracker
    import wandb

    wandb.teardown()  # which else remembers these folders


def records(path):
    """Yield what is in W&B's file: LevelDB's log, blocks of 32 KiB of records or parts of them."""
    from wandb.proto.wandb_internal_pb2 import Record

    data, at, whole = path.read_bytes(), 7, b""
    while at + 7 <= len(data):
        left = 2**15 - at % 2**15
        if left < 7:
            at += left
            continue
        _, size, kind = struct.unpack("<IHB", data[at : at + 7])
        whole += data[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):
            yield Record.FromString(whole)
            whole = b""


@pytest.fixture
def logged(tmp_path):
    """Return what each sitting has logged: the run, the rows, and the summary at the end."""

    def logged():
        import wandb

        wandb.teardown()  # until then, something may not be on disk yet
        found = []
        for path in sorted(tmp_path.glob("wandb/offline-run-*/*.wandb")):
            parts = {"run": [], "history": [], "summary": []}
            for record in records(path):
                parts.setdefault(record.WhichOneof("record_type"), []).append(record)
            rows = [
                {"".join(item.nested_key) or item.key: json.loads(item.value_json)
                 for item in record.history.item}
                for record in parts["history"]
            ]  # fmt: skip
            summary = {
                "".join(item.nested_key) or item.key: json.loads(item.value_json)
                for record in parts["summary"]
                for item in record.summary.update
            }
            found.append((parts["run"][0].run, rows, summary))
        return found

    return logged


@pytest.mark.harness
def test_a_run_has_its_name_values_and_numbers(tracker, logged, trained):
    wandb, log = tracker(), trained(epochs=2)
    wandb.write(log)
    wandb.end(Ending(DONE, {"test/accuracy": 0.75}))

    [(run, rows, summary)] = logged()
    assert (run.display_name, run.project, run.job_type) == ("digits/train/001", "digits", "train")
    config = {item.key: json.loads(item.value_json) for item in run.config.update}
    assert config["batch_size"] == 64
    assert config["from"] == {"max_lr from": "suggestion of digits/find-lr/001"}
    steps = [row for row in rows if "step" in row]
    assert [row["step"] for row in steps] == list(range(6))
    for name in ("lr", "loss"):
        assert [row[f"step/{name}"] for row in steps] == list(log.steps[name])
    epochs = [row for row in rows if "epoch" in row]
    assert [(row["epoch"], row["epoch/val_loss"]) for row in epochs] == [(1, 0.25), (2, 1 / 7)]
    assert summary["test/accuracy"] == 0.75


@pytest.mark.harness
def test_resumed_offline_all_of_it_is_in_the_last_folder(tracker, logged, trained):
    """What the first sitting wrote last is lost where it is killed."""
    first = tracker()
    first.write(trained(epochs=2, more=2))
    first.end(Ending(INTERRUPTED))
    second, log = tracker(), trained(epochs=1)
    second.write(log)
    second.write(trained(log, epochs=2))
    second.end(Ending(DONE))

    (run, _, _), (again, rows, _) = logged()
    assert run.run_id == again.run_id
    assert [row["step"] for row in rows if "step" in row] == list(range(9))
    assert [row["epoch"] for row in rows if "epoch" in row] == [1, 2, 3]


@pytest.mark.harness
def test_each_trial_is_a_row(tracker, logged, trials):
    wandb = tracker()
    wandb.write_trials(trials[:1])
    wandb.write_trials(trials)
    wandb.end(Ending(DONE, {"suggested/max_lr": 0.2}))

    [(_, rows, summary)] = logged()
    shown = [{k: v for k, v in row.items() if k.startswith("trial")} for row in rows]
    assert shown == [
        {"trial": 1, "trial/max_lr": 0.2, "trial/stage": "ladder", "trial/score": 1.25},
        {"trial": 2, "trial/max_lr": 9.0, "trial/stage": "ladder"},
    ]
    assert summary["suggested/max_lr"] == 0.2


@pytest.mark.harness
def test_without_a_login_nobody_is_asked_for_one(tracker, monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    with pytest.raises(Exception, match="nobody is logged in; run 'wandb login'"):
        tracker()


class Server:
    """Stands for W&B with its server, of which it says what is relied on: rows are numbered."""

    Settings = dict
    run, url = None, "https://wandb.ai/digits"

    def __init__(self):
        self.rows, self.resumes, self.id = [], [], None
        self.settings = SimpleNamespace(mode="online")
        self.summary = {}

    def setup(self):
        return self

    def login(self, **_):
        return True

    def init(self, *, resume, **about):
        self.id = about["id"]
        self.resumes.append((self.id, resume))
        self.starting_step = len(self.rows)
        return self

    def define_metric(self, *_, **__):
        pass

    def log(self, row):
        self.rows.append(row)


@pytest.fixture
def server(monkeypatch):
    server = Server()
    monkeypatch.setitem(sys.modules, "wandb", server)
    return server


def steps_of(server):
    return [(row["step"], row["step/loss"]) for row in server.rows if "step" in row]


@pytest.fixture
def sitting(server, subject):
    def sitting():
        started = WandB(subject, Remembered(subject.folder, "wandb"))
        started.start()
        return started

    return sitting


def test_resumed_it_goes_on_in_the_same_run_and_logs_nothing_twice(server, sitting, trained):
    """Also where it was ahead of the checkpoint, or not all had arrived; and after a divergence."""
    sitting().write(trained(epochs=2, more=2))
    del server.rows[-1:]
    second, log = sitting(), trained(epochs=1)
    for _ in range(2):
        second.write(log)
        trained(log)
    second.write(log)
    assert steps_of(server) == list(enumerate(log.losses))
    assert [row["epoch"] for row in server.rows if "epoch" in row] == [1, 2, 3]
    assert [resume for _, resume in server.resumes] == [None, "allow"]
    assert len({run for run, _ in server.resumes}) == 1

    log.go_back({"steps": {"rows": 6}, "history": {"rows": 2}})
    second.write(trained(log, scale=2.0))
    repeated = [(i, 2 / (1 + i)) for i in range(6, 9)]
    assert steps_of(server)[9:] == repeated
    third = sitting()
    third.write(log)
    assert steps_of(server)[9:] == repeated
    third.write(trained(log))
    assert [at for at, _ in steps_of(server)[12:]] == [9, 10, 11]


def test_trials_that_are_there_are_not_logged_again(server, sitting, trials):
    sitting().write_trials(trials[:1])
    again = sitting()
    again.write_trials(trials[:1])
    again.write_trials(trials)
    assert [row["trial"] for row in server.rows] == [1, 2]
