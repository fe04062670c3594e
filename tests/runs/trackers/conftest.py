import pytest

from onecycle_cli.runs.log import Logbook
from onecycle_cli.runs.trackers.tracker import Subject, TrackedTrial

STARTED = 1.75e9


@pytest.fixture
def subject(tmp_path):
    """A training in a folder of its own."""
    params = {"batch_size": 64, "optimizer.name": "sgd", "train.log_to": ["mlflow"]}
    tags = {"max_lr from": "suggestion of digits/find-lr/001"}
    folder = tmp_path / "run"
    folder.mkdir()
    return Subject("digits", "train", "digits/train/001", folder, STARTED, params, tags)


@pytest.fixture
def trained():
    """Return a function that lets a log grow by epochs of three steps, and perhaps steps more."""
    return train


def train(log=None, *, epochs=1, more=0, scale=1.0):
    log = Logbook() if log is None else log
    for epoch in range(epochs + bool(more)):
        for _ in range(3 if epoch < epochs else more):
            step = len(log)
            log.enter(
                {"lr": 0.1 / (1 + step), "momentum": 0.9, "loss": scale / (1 + step)}, cycle=1
            )
        if epoch < epochs:
            log.end_epoch(cycle=1, val_loss=scale / (1 + len(log)), scores={"auc": 0.75})
    return log


@pytest.fixture
def trials():
    """Two trials of a search, of which the second broke off."""
    steps = {"step": range(2), "lr": [0.1, 0.2], "loss": [2.0, 1.5]}
    return [
        TrackedTrial("01-max_lr-0.2", {"max_lr": 0.2, "stage": "ladder"}, steps, {"score": 1.25}),
        TrackedTrial("02-max_lr-9", {"max_lr": 9.0, "stage": "ladder"}, steps, {}, True),
    ]
