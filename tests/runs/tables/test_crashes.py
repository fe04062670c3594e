"""A process that dies between any two operations on files, and the tables in the end."""

import os
from pathlib import Path

import pytest

from onecycle_cli.runs.checkpoints import VERSION, Checkpoints, State
from onecycle_cli.runs.log import Logbook

STEPS, PER_EPOCH, DIVERGES_AT = 12, 3, 7


class DiedError(BaseException):
    """The process is no more."""


class Disk:
    """Counts operations on files, and lets the process die before the one of a number.

    A write dies half-way. After that nothing happens on disk any more, as after a kill.
    """

    def __init__(self, patch, dies_at):
        self.count, self.dies_at = 0, dies_at
        for owner, name in (
            (Path, "replace"), (Path, "unlink"), (Path, "rename"),
            (os, "fsync"), (os, "truncate"),
        ):  # fmt: skip
            self._wrap(patch, owner, name)
        opened = Path.open
        patch.setattr(
            Path, "open", lambda path, *args, **kw: self._opened(opened(path, *args, **kw))
        )

    def tick(self):
        self.count += 1
        if self.count >= self.dies_at:
            raise DiedError

    def _wrap(self, patch, owner, name):
        stock = getattr(owner, name)

        def wrapped(*args, **kw):
            self.tick()
            return stock(*args, **kw)

        patch.setattr(owner, name, wrapped)

    def _opened(self, file):
        return file if file.readable() and not file.writable() else Opened(file, self)


class Opened:
    """A file that is written to."""

    def __init__(self, file, disk):
        self._file, self._disk = file, disk

    def __getattr__(self, name):
        return getattr(self._file, name)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()

    def truncate(self, size):
        self._disk.tick()
        return self._file.truncate(size)

    def write(self, data):
        self._file.write(data[: len(data) // 2])
        self._file.flush()
        self._disk.tick()
        self._file.write(data[len(data) // 2 :])


def trained(folder):
    """Train by the rules of a real training: anchors at epochs' ends, and one divergence.

    Returns what was said.
    """
    log, checkpoints, said = Logbook(folder), Checkpoints(folder, every=0), []
    anchors, retries = [], 0

    def state(**more):
        about = {"version": VERSION, "retries": retries, "tables": log.mark(), "at": len(log)}
        return State(about | more, {})

    found = checkpoints.read_newest(said.append, lambda state: log.take_up(state.about["tables"]))
    if found is not None:
        retries = found.about["retries"]
        anchors = [*found.earlier, *([found] if found.about.get("is_anchor") else [])]
    else:
        anchors = [state()]
    while len(log) < STEPS:
        number = len(log)
        log.enter({"lr": 0.1 / (1 + retries), "loss": 1 / (1 + number + retries)}, cycle=1)
        if number == DIVERGES_AT and not retries:
            log.go_back(anchors[-1].about["tables"])
            retries = 1
            continue
        if len(log) % PER_EPOCH == 0:
            epoch = len(log) // PER_EPOCH
            log.end_epoch(cycle=1, val_loss=0.5, scores={"f1": 0.5} if epoch > 2 else {})
            anchors = [*anchors[-1:], state()]
        if len(log) % 2:
            now = anchors[-1] if anchors[-1].about["at"] == len(log) else state()
            is_anchor = {"is_anchor": True} if now is anchors[-1] else {}
            earlier = anchors[:-1] if is_anchor else anchors
            checkpoints.write(State(now.about | is_anchor, {}, earlier), before=log.append)
    log.write()
    return said


@pytest.fixture(scope="module")
def peaceful(tmp_path_factory):
    folder = tmp_path_factory.mktemp("peace")
    trained(folder)
    return contents(folder)


def contents(folder):
    return [(folder / name).read_bytes() for name in ("steps.csv", "history.csv")]


@pytest.mark.parametrize("every", [2, pytest.param(1, marks=pytest.mark.harness)])
def test_the_tables_are_those_of_a_training_that_went_on_in_peace(
    tmp_path, peaceful, every, monkeypatch
):
    monkeypatch.setattr(os, "fsync", lambda _: None)  # which takes most of the time
    number, counts = 0, []
    while True:
        folder = tmp_path / str(number)
        folder.mkdir()
        with pytest.MonkeyPatch.context() as patch:
            Disk(patch, dies_at=number + 1)
            try:
                trained(folder)
            except DiedError:
                pass
            else:
                break
        said = trained(folder)
        assert contents(folder) == peaceful, number
        assert not any("damaged" in text for text in said)
        counts.append(len(said))
        number += every
    assert number > 40
    assert max(counts) > 0  # some had to go back behind the divergence
