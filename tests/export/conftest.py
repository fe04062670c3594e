"""Plans as runs leave them behind."""

import pytest

from onecycle_cli.export import plan_of
from onecycle_cli.runs.records import Record

TRAIN = {
    "cycles": [{"epochs": 20, "max_lr": None}],
    "max_lr": 0.1,
    "momentum": {"max": 0.95, "min": 0.85},
    "weight_decay": 0.01,
}
ORIGINS = {
    "train.max_lr": "suggestion of digits/find-lr/001",
    "train.momentum": "default",
    "train.weight_decay": "file",
}


def config_of(train=(), **sections):
    return {
        "batch_size": 50,
        "loss": {"name": "mse", "from_logits": False},
        "optimizer": {"name": "sgd", "nesterov": True},
        "train": TRAIN | dict(train),
    } | sections


@pytest.fixture(scope="session")
def config():
    """Make the resolved configuration of a run."""
    return config_of


@pytest.fixture(scope="session")
def plan():
    """Make a plan: `train` has keys of that section, the others are sections."""

    def make(train=(), *, kind="train", result=(), **sections):
        record = Record(kind, "digits/train/001", dict(result), config=config_of(train, **sections))
        return plan_of(record, ORIGINS)

    return make
