"""Runs logged by W&B itself, offline, and read from the file that it would synchronise."""

import json
import struct

import pytest

from onecycle_cli.runs.trackers.remembered import Remembered
from onecycle_cli.runs.trackers.tracker import DONE, INTERRUPTED, Ending
from onecycle_cli.runs.trackers.wandb import WandB

pytestmark = pytest.mark.harness


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


def test_resumed_it_goes_on_in_the_same_run_and_logs_nothing_twice(tracker, logged, trained):
    """Interrupted when it was ahead of the checkpoint; and after a divergence later on."""
    first = tracker()
    first.write(trained(epochs=2, more=2))
    first.end(Ending(INTERRUPTED))
    second, log = tracker(), trained(epochs=1)
    second.write(log)
    second.write(trained(log, epochs=2))
    log.go_back({"steps": {"rows": 6}, "history": {"rows": 2}})
    second.write(trained(log, epochs=2, scale=2.0))
    second.end(Ending(DONE))

    (run, before, _), (again, after, _) = logged()
    assert run.run_id == again.run_id
    assert [row["step"] for row in before if "step" in row] == list(range(8))
    assert [row["step"] for row in after if "step" in row] == [8, *range(6, 12)]
    assert [row["epoch"] for row in [*before, *after] if "epoch" in row] == [1, 2, 3, 3, 4]
    assert after[-2]["step/loss"] == 2 / 12


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


def test_without_a_login_nobody_is_asked_for_one(tracker, monkeypatch, tmp_path):
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    with pytest.raises(Exception, match="nobody is logged in; run 'wandb login'"):
        tracker()
