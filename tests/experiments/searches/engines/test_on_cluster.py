"""Trials on workers: what they are sent, and that with real Ray they give the same bits."""

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from functools import partial

import numpy as np
import pytest

from onecycle_cli.config import load_config
from onecycle_cli.data.inputs import mapped
from onecycle_cli.errors import ConfigError
from onecycle_cli.experiments.find_lr import find_lr
from onecycle_cli.experiments.recipe.run import run
from onecycle_cli.experiments.searches.engines.local import Local
from onecycle_cli.experiments.searches.engines.on_cluster import (
    carry_out_quietly,
    config_for_workers,
    data_for_workers,
    make_bench,
    versions_that_count,
)
from onecycle_cli.experiments.searches.jobs import Candidate, Job, Rules
from onecycle_cli.experiments.searches.rates import _held_out_or_last
from onecycle_cli.observer import Observer
from onecycle_cli.runs.run_folder import JOURNAL
from onecycle_cli.suggest import Bounds, Explosion
from onecycle_cli.workbench.bench import Workbench

MOMENTUM = {"max": 0.95, "min": 0.85}
RULES = Rules(partial(Explosion, Bounds(0.0, 2.3)), _held_out_or_last)
JOBS = [Job(Candidate(lr, lr, MOMENTUM, 1e-3, "first"), 0, 12, "", RULES) for lr in (0.01, 0.1, 99)]


@pytest.fixture(scope="module")
def bench(small):
    config = load_config(small())
    bench = Workbench(config, Observer())
    yield bench
    bench.close()


def read_only(array):
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def sent(bench):
    """Return what a worker gets, as it gets it: other objects, whose arrays can't be written to."""
    config, dataset, jobs = pickle.loads(
        pickle.dumps((config_for_workers(bench.config, bench), data_for_workers(bench), JOBS))
    )
    for name in ("x", "y", "train", "validation"):
        object.__setattr__(dataset, name, mapped(read_only, getattr(dataset, name)))
    return config, dataset, jobs


@pytest.mark.harness
def test_a_worker_gives_the_same_bits_and_has_loaded_nothing(bench, monkeypatch):
    expected = dict(Local(bench, Observer()).run(JOBS))
    config, dataset, jobs = sent(bench)
    monkeypatch.setattr("onecycle_cli.data.load", None)
    there = make_bench(config, dataset, versions_that_count())
    try:
        # The other way round: what a worker did before makes no difference.
        found = {place: carry_out_quietly(there, jobs[place]) for place in (2, 1, 0)}
    finally:
        there.close()
    assert there.dataset is dataset
    assert found == expected
    assert "explodes" in found[2].in_words


def test_the_test_set_stays_here(bench):
    assert bench.dataset.read_test is not None
    assert data_for_workers(bench).read_test is None


def test_data_in_files_are_loaded_by_each_worker(small, tmp_path):
    random = np.random.default_rng(0)
    for name, array in {"x": random.normal(size=(90, 5)), "y": np.arange(90) % 3}.items():
        np.save(tmp_path / f"{name}_train.npy", array.astype("float32" if name == "x" else int))
    config = load_config(small(dataset={"name": "arrays", "path": str(tmp_path), "limit": None}))
    bench = Workbench(config, Observer())
    assert data_for_workers(bench) is None
    bench.close()


def test_what_was_found_out_here_holds_for_the_workers(bench):
    """Whatever a worker's machine would find out."""
    found = config_for_workers(bench.config, bench)
    assert bench.config.jit_compile == bench.config.fused_batch_norm == "auto"
    assert (found.jit_compile, found.fused_batch_norm) == (bench.jit_compile, bench.fusion.is_on)
    settled = {"jit_compile", "fused_batch_norm"}
    assert found.model_dump(exclude=settled) == bench.config.model_dump(exclude=settled)


def test_a_worker_with_other_versions_is_refused():
    here = versions_that_count()
    assert {"onecycle", "keras", "numpy"} < set(here)
    with pytest.raises(
        ConfigError, match=rf"^a worker has keras {here['keras']} and not 3\.0\.1; "
    ):
        make_bench(None, None, here | {"keras": "3.0.1"})


def test_a_model_in_hand_is_searched_here(regression):
    model, settings = regression.model("sgd"), {"search": {"engine": "ray"}}
    with pytest.raises(
        ConfigError, match=r"^search\.engine ray is for a model that a config names"
    ):
        find_lr(model, regression.x, regression.y, settings=settings)


@pytest.mark.harness
def test_range_tests_run_here_and_say_so(small, listener):
    pytest.importorskip("ray")
    find_lr(small(search={"engine": "ray"}), out=None, observer=listener)
    assert listener.stretches == [("range test 1 of 1", 12)]
    assert listener.notes[-1] == "range tests run in this process, whatever search.engine says"


# --- real Ray ------------------------------------------------------------------------------------

KILLING = """
import os
import signal
from pathlib import Path

KILLED = Path(__file__).with_name("killed")
calls = 0


def same(x, seed):
    global calls
    calls += 1
    is_worker = os.getpid() != int(os.environ["ONECYCLE_TEST_DRIVER"])
    if is_worker and calls == 20 and not KILLED.exists():
        KILLED.write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    return x
"""
SEARCHES = ("find-lr", "find-wd", "find-momentum")
TABLES = ("trials.csv", "curves.csv")
OURS = (
    "360 x 8 x 8 x 1 bytes", "task:", "writing to", "complete 1cycles", "at most",
    "trials run on the", "first try ", "3 first tries",
)  # fmt: skip


@pytest.fixture(scope="module")
def address():
    """The address of a cluster of this process, of two cores."""
    ray = pytest.importorskip("ray")
    ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=50)
    yield ray.get_runtime_context().gcs_address
    ray.shutdown()


def on(engine, small, **sections):
    return small(find_lr={"method": "probes"}, **sections) | {"search": {"engine": engine}}


@pytest.mark.harness
def test_a_whole_recipe_gives_the_same_bytes_though_a_worker_is_killed_in_the_middle_of_a_trial(
    address, small, tmp_path, monkeypatch, listener
):
    """By the second of its trials it has been killed; three searches are done by two workers."""
    (tmp_path / "aug.py").write_text(KILLING)
    monkeypatch.setenv("ONECYCLE_TEST_DRIVER", str(os.getpid()))
    data = {"augment": f"{tmp_path}/aug.py:same"}
    train = {"max_lr": "auto"}
    run(on("local", small, dataset=data, train=train), out=tmp_path / "here")
    assert not (tmp_path / "killed").exists()
    config = on("ray", small, dataset=data, train=train)
    run(config, out=tmp_path / "there", observer=listener)

    assert (tmp_path / "killed").exists()
    lost = [text for text in listener.warnings if "its worker was lost" in text]
    assert len(lost) in (1, 2)  # both may be in the middle of their second trial
    assert sum("trials run on" in text for text in listener.notes) == 1
    files = [f"{kind}/001/{table}" for kind in SEARCHES for table in TABLES]
    for file in [*files, "train/001/steps.csv"]:
        here, there = (tmp_path / place / "small" / file for place in ("here", "there"))
        assert here.read_bytes() == there.read_bytes()


@pytest.mark.harness
def test_a_driver_that_is_killed_is_taken_up_with_what_its_workers_finished(
    address, small, tmp_path, listener
):
    config = on("ray", small)
    (tmp_path / "small.json").write_text(json.dumps(config))
    driver = subprocess.Popen(
        [sys.executable, "-m", "onecycle_cli", "find-lr", "small.json", "--out", "there"],
        cwd=tmp_path,
        env=os.environ | {"RAY_ADDRESS": address},
        stderr=subprocess.PIPE,
        text=True,
    )
    journal, deadline = tmp_path / "there/small/find-lr", time.monotonic() + 120
    while not list(journal.glob(f"*/{JOURNAL}/*.json")):
        assert driver.poll() is None, driver.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    driver.send_signal(signal.SIGKILL)
    _, said = driver.communicate()
    finished = len(list(journal.glob(f"*/{JOURNAL}/*.json")))
    result = find_lr(resume=tmp_path / "there/small", observer=listener)

    assert all(line.startswith(OURS) for line in said.splitlines()), said
    begun = [note for note in listener.notes if note.endswith(": begins")]
    assert 1 <= finished == len(result.trials) - len(begun)
    here = find_lr(on("local", small), out=tmp_path / "here")
    for table in TABLES:
        assert (result.folder / table).read_bytes() == (here.folder / table).read_bytes()
