"""Experiments that write to an object store, go on from there, and are read from there."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from onecycle_cli.experiments.find_wd import find_wd
from onecycle_cli.experiments.recipe.run import run
from onecycle_cli.experiments.train import train
from onecycle_cli.runs.checkpoints import Checkpoints
from onecycle_cli.runs.log import Logbook
from onecycle_cli.runs.stores.mark import MARK
from onecycle_cli.runs.stores.objects import Objects
from onecycle_cli.runs.stores.unfinished import here
from onecycle_cli.runs.stores.urls import local
from onecycle_cli.runs.suggestions_file import read_suggestions

pytestmark = pytest.mark.harness


class Killed(BaseException):
    """Whatever ends a process."""


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "onecycle" / "stores"


@pytest.fixture(scope="module")
def whole(small, tmp_path_factory):
    """The folder of a training that does not break off."""
    return train(config(small), out=tmp_path_factory.mktemp("whole")).folder


@pytest.fixture
def url():
    return f"memory://{secrets.token_hex(4)}/runs"


@pytest.fixture
def every_upload(monkeypatch):
    """Take no account of the time that uploads and checkpoints need."""
    monkeypatch.setattr("onecycle_cli.throttle.LARGEST_SHARE", 1e9)


def config(small, **more):
    return small(train={"cycles": [{"epochs": 3}], "checkpoint_seconds": 0.001}, **more)


def killed(listener, step):
    def each_step(now):
        if now == step:
            raise Killed

    listener.each_step, listener.steps = each_step, 0


def same_training(folder, other):
    for name in ("steps.csv", "history.csv"):
        assert (folder / name).read_bytes() == (other / name).read_bytes()
    ours, theirs = (json.loads((f / "result.json").read_text()) for f in (folder, other))
    for key in ("test_loss", "val_loss_best", "best_epoch", "confusion"):
        assert ours[key] == theirs[key]


def test_a_training_goes_on_from_the_store_alone_to_the_same_bits(
    small, whole, url, cache, listener, every_upload
):
    """Without this machine's copy: as on another one. And what it is told is where."""
    killed(listener, 10)
    with pytest.raises(Killed):
        train(config(small), out=url, observer=listener)
    shutil.rmtree(cache)
    listener.each_step, listener.notes = lambda _: None, []

    resumed = train(resume=f"{url}/small", observer=listener)

    assert f"resuming {url}/small/train/001" in listener.notes
    assert any(note.startswith("from step ") for note in listener.notes)
    same_training(resumed.folder, whole)
    objects = Objects(f"{url}/small/train/001")
    for name in ("steps.csv", "history.csv", "model.keras", "best.keras", "result.json"):
        assert objects.read(name) == (resumed.folder / name).read_bytes()
    assert not [n for n in objects.names() if n.startswith("checkpoints") or n == "resume.json"]


def test_what_a_finder_suggests_in_a_store_is_used_from_there(small, url, cache):
    found = find_wd(small(), out=url)
    assert found.suggestion.accepted
    shutil.rmtree(cache)
    entry = read_suggestions(local(url) / "small")["weight_decay"]
    assert (entry["value"], entry["run"]) == (found.suggestion.value, "small/find-wd/001")
    assert MARK in Objects(f"{url}/small/find-wd/001").names()


def test_a_recipe_goes_on_from_the_store_alone(small, tmp_path, url, cache, listener, every_upload):
    settings = config(small, find_lr={"steps": 60})
    settings["train"].pop("max_lr")
    whole = run(settings, out=tmp_path / "whole")
    for step in (70, 30):
        killed(listener, step)
        with pytest.raises(Killed):
            if step == 70:
                run(settings, out=url, observer=listener)
            else:
                run(resume=f"{url}/small", observer=listener)
        shutil.rmtree(cache)
    listener.each_step = lambda _: None

    resumed = run(resume=f"{url}/small/run/001", observer=listener)

    for ours, theirs in zip(
        resumed.recipe.stages.values(), whole.recipe.stages.values(), strict=True
    ):
        assert (ours.value, ours.status, ours.scores) == (
            theirs.value, theirs.status, theirs.scores,
        )  # fmt: skip
    names = Objects(url).names()
    for what in (MARK, "report.html"):
        ends = [n for n in names if n.endswith(what)]
        assert len(ends) == len({Path(n).parent for n in ends}) == 5


SCRIPT = """
import os, signal, sys, json
from onecycle_cli import throttle
from onecycle_cli.runs.stores.objects import Objects
from onecycle_cli.experiments.train import train

throttle.LARGEST_SHARE = 1e9
config, out = json.loads(sys.argv[1]), sys.argv[2]
seen = 0

def half(self, source, name):
    global seen
    seen += name.startswith("checkpoints/")
    if seen == 9:
        with self._in_place(name) as path:
            self._fs.pipe_file(path, source.read_bytes()[:100])
            os.kill(os.getpid(), signal.SIGKILL)
    whole(self, source, name)

whole, Objects.put = Objects.put, half
train(config, out=out)
"""


def test_a_kill_in_the_middle_of_an_upload_leaves_what_can_go_on(small, tmp_path, whole, cache):
    """In a store of files, which grow while they are written."""
    settings, out = config(small), (tmp_path / "store").as_uri()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, json.dumps(settings), out],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    shutil.rmtree(cache)
    assert list((tmp_path / "store").rglob(".*.????????"))  # the half

    folder = here(f"{out}/small", "train")
    log = Logbook(folder)
    assert Checkpoints(folder, every=0).read_newest(
        lambda warning: pytest.fail(warning), lambda state: log.take_up(state.about["tables"])
    )
    assert len(log) > 6  # it is in its second epoch
    resumed = train(resume=f"{out}/small")

    same_training(resumed.folder, whole)
    assert not list((tmp_path / "store").rglob(".*.????????"))
