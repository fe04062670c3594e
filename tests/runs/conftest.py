"""Runs as a person might have written them, and a disk that is full."""

import errno
import json
import os

import pytest

TABLES = {
    "find-lr": {"curve": "repeat,step,lr,loss\n0,0,0.1,2.5\n0,1,0.2,1.5\n1,0,0.1,nan\n"},
    "find-momentum": {
        "trials": "trial,momentum,score\n0,0.9,1.5\n1,cycled,inf\n",
        "curves": "trial,step,lr,momentum,loss\n0,0,0.1,0.9,1.5\n",
    },
    "find-wd": {
        "trials": "trial,weight_decay,score\n0,1e-05,1.5\n",
        "curves": "trial,step,lr,momentum,loss\n0,0,0.1,0.9,1.5\n",
    },
    "train": {
        "steps": "step,lr,momentum,loss\n0,0.1,0.9,2.5\n",
        "history": "epoch,loss,val_accuracy\n1,2.5,\n",
    },
}
"""The tables of each kind of run, as text."""


@pytest.fixture(scope="session")
def run_tables():
    """Return the tables of each kind of run, as text, by kind and name."""
    return TABLES


@pytest.fixture
def write_run(tmp_path):
    """Write the files of a finished run, as a person might."""

    def write(kind, folder=tmp_path / "runs" / "name" / "kind" / "001"):
        folder.mkdir(parents=True)
        (folder / "result.json").write_text(json.dumps({"kind": kind, "label": "name/kind/001"}))
        (folder / "config.yaml").write_text("name: name\nfind_lr: {max_lr: 1e1}\n")
        for name, text in TABLES[kind].items():
            (folder / f"{name}.csv").write_text(text)
        return folder

    return write


@pytest.fixture
def full_disk(monkeypatch):
    """Every write comes to its end with a disk that is full."""

    def no_space(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", no_space)


@pytest.fixture(scope="session")
def files_in():
    """Return the names of all files and folders within a folder, sorted."""
    return lambda folder: sorted(path.name for path in folder.rglob("*"))
