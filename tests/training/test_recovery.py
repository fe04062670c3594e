"""Trainings that go wrong, and what is tried."""

import json
import signal

import numpy as np
import pytest

from onecycle_cli.errors import Terminated, TrainingError
from onecycle_cli.experiments.train import train


@pytest.fixture(scope="module")
def diverging(small):
    """Rates that are far too high for a network without normalisation."""

    def make(**settings):
        return small(train={"cycles": [{"epochs": 6}], "max_lr": 30.0} | settings)

    return make


def test_after_a_divergence_it_goes_back_and_tries_a_smaller_rate(
    diverging, tmp_path, listener, table
):
    result = train(diverging(retries=20), out=tmp_path, observer=listener)
    assert result.events
    rate = 30.0
    for event in result.events:
        rate /= 2
        assert event["what"] in ("diverged", "non_finite")
        assert event["back_to"] <= event["step"]
        assert event["max_lr"] == rate
    assert sum("going back to step" in text for text in listener.warnings) == len(result.events)
    steps = table(result.folder / "steps.csv")
    assert steps["step"].tolist() == list(range(36))
    assert np.isfinite(steps["loss"]).all()
    saved = json.loads((result.folder / "result.json").read_text())
    assert saved["events"] == result.events


def test_a_divergence_is_the_same_after_a_break(
    diverging, tmp_path, after, listener, assert_same_bits
):
    whole = train(diverging(retries=20), out=tmp_path / "whole")
    assert whole.events
    with pytest.raises(Terminated):
        train(diverging(retries=20), out=tmp_path / "broken", observer=after(45, signal.SIGTERM))
    resumed = train(resume=tmp_path / "broken/small", observer=listener)
    assert_same_bits(resumed.folder, whole.folder)


def test_retries_are_bounded_and_can_be_switched_off(diverging, tmp_path):
    said = (
        r"after 1 try at smaller rates; set train\.max_lr below 5e\+07, or let "
        r"'onecycle find-lr CONFIG' suggest one\."
    )
    with pytest.raises(TrainingError, match=said):
        train(diverging(retries=1, max_lr=1e8), out=tmp_path)
    assert train(diverging(retries=0), out=None).events == []


def test_a_rate_that_was_found_is_not_to_be_found_again(diverging, tmp_path):
    entry = {"value": 1e8, "verdict": "ok", "reason": "", "run": "small/find-lr/001"}
    (tmp_path / "small").mkdir()
    (tmp_path / "small/suggestions.yaml").write_text(json.dumps({"max_lr": entry}))
    said = r"set train\.max_lr below 5e\+07 \(1e\+08 was the suggestion of small/find-lr/001\)\."
    with pytest.raises(TrainingError, match=said):
        train(diverging(retries=1, max_lr="auto"), out=tmp_path)


def offset(random):
    x = random.normal(size=(600, 4))
    return x, x[:, :1] + 10


def small_spread(random):
    x = random.normal(size=(600, 4))
    return x, 0.01 * x[:, :1]


def rare_class(random):
    x = random.normal(size=(1500, 4))
    score = x[:, 0] + random.normal(size=1500)
    return x, (score > np.quantile(score, 0.985)).astype(np.int64)


@pytest.fixture
def arrays_of(tmp_path):
    def write(x, y):
        train, val, test = np.split(np.arange(len(x)), [int(0.7 * len(x)), int(0.85 * len(x))])
        parts = {"train": train, "val": val, "test": test}
        arrays = {
            f"{name}_{p}": a[rows] for name, a in (("x", x), ("y", y)) for p, rows in parts.items()
        }
        np.savez(tmp_path / "data.npz", **arrays)
        return {"name": "arrays", "path": str(tmp_path / "data.npz"), "limit": None}

    return write


@pytest.mark.harness
@pytest.mark.parametrize("make", [offset, small_spread, rare_class])
def test_a_start_far_above_guessing_is_no_divergence(small, arrays_of, make):
    """Not even at the first of the steps: the loss falls all the time."""
    config = small(
        batch_size=16,
        dataset=arrays_of(*make(np.random.default_rng(0))),
        train={"cycles": [{"epochs": 3}, {"epochs": 1}], "max_lr": 0.01},
    )
    watched = train(config, out=None)
    assert watched.events == []
    left_alone = train(config | {"train": config["train"] | {"retries": 0}}, out=None)
    assert watched.test_loss == left_alone.test_loss
    assert watched.history[-1].loss < 0.2 * watched.history[0].loss


@pytest.mark.harness
def test_a_training_that_loses_what_it_had_learned_goes_back(small, listener):
    """Without going back the network is dead after the peak, and answers by the classes' shares."""
    config = small(
        batch_size=32,
        model={"name": "mlp", "options": {"hidden": 32, "layers": 2}},
        dataset={"name": "digits", "limit": None},
        train={"cycles": [{"epochs": 8}], "max_lr": 0.5},
    )
    left_alone = config | {"train": config["train"] | {"retries": 0}}
    assert train(left_alone, out=None, observer=listener).test_accuracy < 0.5
    assert "is no better than that of a constant prediction (2.3)" in listener.warnings.pop()
    result = train(config, out=None, observer=listener)
    assert [event["what"] for event in result.events] == ["diverged"]
    assert "a constant prediction has 2.3" in listener.warnings[-1]
    assert result.test_accuracy > 0.7
