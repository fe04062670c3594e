"""A small training with every kind of state, and ways to break it off."""

import json
import os
import shutil

import keras
import numpy as np
import pytest

from onecycle_cli.errors import Terminated
from onecycle_cli.experiments.train import train
from onecycle_cli.runs.checkpoints import Checkpoints

CYCLES = [{"epochs": 3}, {"epochs": 2, "max_lr": 0.02}]
NOISY = """
x = inputs = keras.Input(input_shape)
x = keras.layers.Flatten()(x)
x = keras.layers.GaussianNoise(0.1)(x)
x = keras.layers.Dense(8)(x)
x = keras.layers.BatchNormalization()(x)
x = keras.layers.Dropout(0.2)(x)
return keras.Model(inputs, keras.layers.Dense(num_outputs, "softmax")(x))
"""


@pytest.fixture(scope="session")
def config(small, tmp_path_factory):
    """Two cycles of 3 + 2 epochs of 6 steps, with noise, dropout, normalisation, an average."""
    path = tmp_path_factory.mktemp("model") / "noisy.py"
    body = "\n".join(f"    {line}" for line in NOISY.strip().splitlines())
    path.write_text(f"import keras\n\n\ndef build(input_shape, num_outputs):\n{body}\n")
    model = {"name": f"{path}:build", "options": {}}

    def make(**settings):
        settings = {"cycles": CYCLES, "weight_decay": 1e-3, "ema": 0.9} | settings
        return small(model=model, train=settings)

    return make


@pytest.fixture(scope="session")
def whole(config, tmp_path_factory):
    """Return the result of this training, carried out without a break."""
    return train(config(), out=tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="session")
def every_state(config, tmp_path_factory):
    """Carry it out with a checkpoint after each step; return the runs and each checkpoint."""
    out, contents = tmp_path_factory.mktemp("states"), []

    def write(self, state, before=None, of=Checkpoints.write):
        of(self, state, before)
        contents.append(state.to_bytes())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Checkpoints, "is_due", lambda self, at_epoch_end: True)
        patch.setattr(Checkpoints, "write", write)
        return train(config(), out=out), contents


@pytest.fixture(scope="session")
def broken_off(config, tmp_path_factory):
    """Return the folder of runs of a training that was terminated at step 8, in epoch 2."""
    out = tmp_path_factory.mktemp("broken")

    def write(self, state, before=None, of=Checkpoints.write):
        of(self, state, before)
        if self.written == 8:
            raise Terminated

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Terminated):
        patch.setattr(Checkpoints, "is_due", lambda self, at_epoch_end: True)
        patch.setattr(Checkpoints, "write", write)
        train(config(), out=out)
    return out


@pytest.fixture
def copy(broken_off, tmp_path):
    """Return the run's folder, in a place of its own."""
    return shutil.copytree(broken_off, tmp_path / "copy") / "small/train/001"


@pytest.fixture
def after(listener):
    """Return a function that sends this process a signal after some step of a training."""

    def send(step, *signals):
        def each_step(now):
            for number in signals if now == step else ():
                os.kill(os.getpid(), number)

        listener.each_step, listener.steps = each_step, 0
        return listener

    return send


@pytest.fixture(scope="session")
def assert_same_bits():
    """Compare two finished runs: tables, weights, optimizers, and results but for the times."""
    return _assert_same_bits


def _assert_same_bits(folder, other):
    for name in ("steps.csv", "history.csv"):
        assert (folder / name).read_bytes() == (other / name).read_bytes()
    for name in ("model.keras", "best.keras"):
        for ours, theirs in zip(_weights(folder / name), _weights(other / name), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    ours, theirs = (json.loads((f / "result.json").read_text()) for f in (folder, other))
    for result in (ours, theirs):
        for name in ("images_per_second", "cost"):
            result.pop(name, None)
    assert ours == theirs


def _weights(path):
    model = keras.models.load_model(path)
    return [np.array(v) for v in [*model.weights, *model.optimizer.variables]]
