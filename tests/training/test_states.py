"""States of a training that broke off, and how it goes on from them."""

import itertools
import json
import random
import shutil
import signal

import numpy as np
import pytest

from onecycle_cli.engine.state.variables import variables_of
from onecycle_cli.errors import Terminated
from onecycle_cli.experiments.asked.request import Request
from onecycle_cli.experiments.session import session
from onecycle_cli.experiments.train import train
from onecycle_cli.kinds import TRAIN
from onecycle_cli.observer import Observer
from onecycle_cli.runs.checkpoints import Checkpoints, State
from onecycle_cli.training.cycles import Cycles
from onecycle_cli.training.final_weights import FinalWeights
from onecycle_cli.training.plan import Plan
from onecycle_cli.training.states import state_of

STEPS = 30


class EnoughError(Exception):
    """One step was taken."""


class KeepsNothing:
    """Takes no note of epochs."""

    def end_epoch(self, log, *, is_best):
        pass

    def write(self, log):
        pass

    def has_best(self, epoch):
        return True


class Restored:
    """Takes a training up from any of its states, in a model that is left as it happens to be."""

    def __init__(self, ready):
        self._bench, self._run = ready.bench, ready.run
        values = ready.values
        rates = values.cycle_rates(ready.config)
        sources = values.cycle_rate_sources(ready.config)
        self._plan = Plan(rates, sources, values.momentum, values.weight_decay)

    def go_on_from(self, state, tables, monkeypatch):
        """Return the state once it is restored, and the one a step later."""
        for path in tables:
            shutil.copy(path, self._run.path)
        shutil.rmtree(self._run.path / "checkpoints", ignore_errors=True)
        Checkpoints(self._run.path, every=0).write(state)
        weights = FinalWeights(self._bench)
        cycles = Cycles(self._bench, self._plan, weights, self._run, Observer(), KeepsNothing())
        cycles.restore(None, None)
        self.metrics = names_of_metrics(self._bench.model)
        restored, next_ones = through_bytes(state_of(cycles.course, weights)), []

        def write(_, state, before):
            next_ones.append(through_bytes(state))
            raise EnoughError

        with monkeypatch.context() as patch, pytest.raises(EnoughError):
            patch.setattr(Checkpoints, "is_due", lambda self, at_epoch_end: True)
            patch.setattr(Checkpoints, "write", write)
            cycles.carry_out()
        cycles.course.cycle.release()
        return restored, next_ones[0]


def names_of_metrics(model):
    """Return where states have Keras' running means, which each `fit` begins anew."""
    metrics = {id(variable) for variable in model.metrics_variables}
    held = enumerate(variables_of(model))
    return {f"variables/{i:04d}" for i, variable in held if id(variable) in metrics}


def through_bytes(state):
    return State.from_bytes(state.to_bytes())


def assert_same(left, right, *, anchors=True, but=()):
    kept = [
        {key: value for key, value in state.about.items() if key not in ("seconds", "is_anchor")}
        for state in (left, right)
    ]
    assert kept[0] == kept[1]
    assert list(left.arrays) == list(right.arrays)
    for name, values in left.arrays.items():
        if name in but:
            continue
        assert values.dtype == right.arrays[name].dtype
        np.testing.assert_array_equal(values, right.arrays[name], err_msg=name)
    if anchors:
        for ours, theirs in zip(left.earlier, right.earlier, strict=True):
            assert_same(ours, theirs, but=but)


@pytest.mark.harness
def test_each_state_leads_to_the_next_bit_for_bit(every_state, config, monkeypatch):
    """So a training that breaks off anywhere, any number of times, ends as one that never does.

    Compared after restoring, and after one more step: weights, velocities and statistics; the
    average of the weights; the generators of Keras, Python, NumPy and the backend; the log of steps
    and epochs; the schedules, also into the second cycle; cycle, position, retries and events; and
    the states to go back to after a divergence. The states are taken in random order, so that
    nothing is right just because the model was left so. Only Keras' running means over an epoch,
    which are written nowhere, are not compared after the step: each `fit` begins them anew.
    """
    whole, contents = every_state
    tables = [whole.folder / name for name in ("steps.csv", "history.csv")]
    states = [State.from_bytes(content) for content in contents]
    assert [state.about["step"] for state in states] == list(range(1, STEPS + 1))
    order = list(range(STEPS - 1))
    random.Random(0).shuffle(order)
    with session(Request.of(TRAIN, config(), out=None), Observer()) as ready:
        training = Restored(ready)
        for i in order:
            restored, next_one = training.go_on_from(states[i], tables, monkeypatch)
            assert_same(restored, states[i], anchors=False)
            assert_same(next_one, states[i + 1], but=training.metrics)
        assert 0 < len(training.metrics) < 5


def test_states_in_a_row_are_told_apart(every_state):
    """So that the above means something."""
    states = [State.from_bytes(content) for content in every_state[1]]
    for left, right in itertools.pairwise(states):
        assert not np.array_equal(left.arrays["variables/0000"], right.arrays["variables/0000"])
        assert left.about["tables"]["steps"] != right.about["tables"]["steps"]
        with pytest.raises(AssertionError):
            assert_same(left, right)


def test_checkpoints_change_nothing(every_state, whole, tree, assert_same_bits):
    result, _ = every_state
    assert_same_bits(result.folder, whole.folder)
    assert tree(result.folder) == tree(whole.folder)


@pytest.mark.samples(1)
@pytest.mark.parametrize("step", [9, STEPS])
def test_a_training_that_is_terminated_goes_on_to_the_same_files(
    whole, config, tmp_path, after, step, tree, assert_same_bits
):
    """In an epoch, and after the last step, when there is nothing to train any more."""
    with pytest.raises(Terminated) as error:
        train(config(), out=tmp_path, observer=after(step, signal.SIGTERM))
    folder = tmp_path / "small/train/001"
    assert error.value.__notes__ == [f"'onecycle train --resume {folder}' goes on."]
    assert json.loads((folder / "manifest.json").read_text())["status"] == "interrupted"

    resumed = train(resume=tmp_path / "small")

    assert resumed.folder == folder
    assert_same_bits(folder, whole.folder)
    assert tree(folder) == tree(whole.folder)
    assert len(json.loads((folder / "manifest.json").read_text())["resumed"]) == 1


def test_a_damaged_checkpoint_costs_the_steps_since_the_one_before(
    whole, copy, after, assert_same_bits
):
    """Even if the training breaks off once more."""
    newest = max((copy / "checkpoints").iterdir())
    newest.write_bytes(newest.read_bytes()[:-1])
    listener = after(6, signal.SIGTERM)
    with pytest.raises(Terminated):
        train(resume=copy, observer=listener)
    assert sum("is damaged" in text for text in listener.warnings) == 1
    assert any(note.startswith("from step 7, in epoch 2") for note in listener.notes)
    assert_same_bits(train(resume=copy).folder, whole.folder)
    assert len(json.loads((copy / "manifest.json").read_text())["resumed"]) == 2


@pytest.mark.harness
@pytest.mark.parametrize("name", ["steps.csv", "history.csv"])
def test_a_table_that_was_damaged_costs_the_steps_since_it_was_not(
    copy, whole, listener, name, assert_same_bits
):
    """It is cut in the second of its epochs, before the newest checkpoint but not before all."""
    lines = (copy / name).read_bytes().splitlines(keepends=True)
    kept = {"steps.csv": 1 + 7, "history.csv": 1}[name]
    (copy / name).write_bytes(b"".join(lines[:kept]) + lines[kept][:3])
    resumed = train(resume=copy, observer=listener)
    (said, *_) = listener.warnings
    assert f"can't be gone on from ({name} does not begin any more with the " in said
    assert_same_bits(resumed.folder, whole.folder)


def test_without_any_checkpoint_it_starts_from_the_beginning(whole, copy, assert_same_bits):
    """As a kill leaves it: under its running name, without a checkpoint, its files half-way."""
    shutil.rmtree(copy / "checkpoints")
    running = copy.rename(copy.with_name(".001-running"))
    assert_same_bits(train(resume=running).folder, whole.folder)
