"""The compiled loop of the suggestion benchmark trains as the tool does.

JAX does its part in a process of its own, which runs this file.
"""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks" / "suggestions"
STEPS, SEED = 40, 3  # 18 steps are an epoch of the digits, the last with 12 examples
RATES = {"sgd": 0.1, "adam": 0.01, "adamw": 0.01, "diverging": 1e6}

pytestmark = [pytest.mark.harness, pytest.mark.usefixtures("benchmark_modules")]


def made(name, folder):
    """Return one of the problems, with its data in a folder."""
    import datasets
    from problems import Problem

    datasets.FOLDER = Path(folder)
    task, data, network, options, optimizer, decay = {
        "sgd": ("a", "digits", "mlp", {"hidden": 8, "norm": "layer"}, "sgd", 1e-2),
        "adam": ("b", "digits", "recurrent", {"units": 6}, "adam", 1e-3),
        "adamw": ("c", "friedman", "mlp", {"hidden": 8}, "adamw", 0.1),
        "diverging": ("d", "digits", "mlp", {"hidden": 8}, "sgd", 1e-2),
    }[name]
    return Problem(task, "x", data, network, options, optimizer, weight_decay=decay)


def by_the_loop(name, folder):
    """Train by the loop, and write what it began with and what came of it."""
    import compiled

    runs = compiled.CompiledRuns(made(name, folder))
    lr = RATES[name]
    trained = runs.train([compiled.Run(lr / 3, 0), compiled.Run(lr, SEED)], STEPS)
    found = {"losses": trained.losses[1], "test": runs.score(trained, "test").points[1]}
    found["first_losses"] = runs.train([compiled.Run(lr, SEED)], STEPS, until=STEPS // 2).losses[0]
    start, _ = runs.start(SEED)
    for i, (before, after) in enumerate(zip(start, trained.weights, strict=True)):
        found |= {f"start_{i}": before, f"end_{i}": np.asarray(after[1])}
    np.savez(f"{folder}/{name}.npz", **found)


def by_keras(name, folder, start):
    """Return losses, weights and test score of the tool's own cycle."""
    import oracle

    from onecycle_cli.callbacks.recorded_cycle import RecordedCycle

    problem = made(name, folder)
    runs = oracle.Runs(problem)
    cycle = RecordedCycle(
        constants={runs.bench.decay_name: problem.weight_decay},
        max_lr=RATES[name],
        maximum_momentum=0.95,
        minimum_momentum=0.85,
    )
    runs.bench.rewind(SEED)
    model = runs.bench.model
    for variable, value in zip(model.trainable_variables, start, strict=True):
        variable.assign(value)
    runs.bench.train(STEPS, [cycle], replicate=SEED)
    weights = [np.array(variable) for variable in model.trainable_variables]
    score = runs.floor if cycle.stop_reason else runs.score("test")
    runs.close()
    return np.array(cycle.log.losses), weights, score


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the loop has left its results."""
    path = tmp_path_factory.mktemp("loop")
    done = subprocess.run(
        [sys.executable, __file__, str(path)],
        env=os.environ | {"PYTHONPATH": str(FOLDER), "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return path


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_it_leaves_the_weights_that_the_tool_leaves(folder, name):
    found = np.load(folder / f"{name}.npz")
    count = sum(key.startswith("start") for key in found.files)
    start, end = ([found[f"{part}_{i}"] for i in range(count)] for part in ("start", "end"))
    losses, weights, score = by_keras(name, folder, start)
    np.testing.assert_allclose(found["losses"], losses, rtol=1e-4)
    for ours, theirs, before in zip(end, weights, start, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
        assert np.abs(theirs - before).max() > 100 * 1e-4
    assert found["test"] == pytest.approx(score, abs=0.3)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw"])
def test_what_is_cut_short_goes_by_the_schedule_of_the_whole(folder, name):
    found = np.load(folder / f"{name}.npz")
    first = found["losses"][: STEPS // 2]
    np.testing.assert_allclose(found["first_losses"], first, rtol=1e-4)


def test_a_run_that_diverges_scores_what_guessing_scores(folder):
    import oracle

    runs = oracle.Runs(made("diverging", folder))
    guessing = runs.floor
    runs.close()
    found = np.load(folder / "diverging.npz")
    assert not np.isfinite(found["losses"]).all()
    assert found["test"] == guessing


if __name__ == "__main__":
    import compiled

    compiled.start_jax()
    for each in RATES:
        by_the_loop(each, sys.argv[1])
