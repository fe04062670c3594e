"""Models whose state can't be kept, and what is said of them."""

import json

import keras
import numpy as np
import pytest

from onecycle_cli.config import load_config
from onecycle_cli.errors import ModelError
from onecycle_cli.experiments.train import train
from onecycle_cli.runs.checkpoints import Checkpoints
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.replay import replay

BACKEND = keras.backend.backend()
NOISE = """
import random

import keras
import numpy as np
from keras import ops

generator = keras.random.SeedGenerator(3)


class Box:
    def __init__(self):
        self.generator = keras.random.SeedGenerator(3)
        self.count = np.zeros(())


class Noise(keras.layers.Layer):
    def __init__(self):
        super().__init__()
        self.own, self.box = keras.random.SeedGenerator(3), Box()

    def normal(self, inputs, seed):
        return inputs + keras.random.normal(ops.shape(inputs), seed=seed)

    def build(self, shape):
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            self.box.count = tf.Variable(1.0, trainable=False)

    def call(self, inputs, training=None):
        return {call}


def build(shape, outputs):
    inputs = keras.Input(shape)
    noise = Noise()(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, keras.layers.Dense(outputs, activation="softmax")(noise))
"""
KEPT = {
    "none": "inputs * 1.0",
    "a generator of the layer": "self.normal(inputs, self.own)",
    "an integer": "self.normal(inputs, 3)",
}
NOT_KEPT = {}
ON_THE_HOST = {"NumPy": "inputs * np.random.rand()", "Python": "inputs * random.random()"}
(KEPT if BACKEND == "torch" else NOT_KEPT).update(ON_THE_HOST)  # where no step is compiled
if BACKEND == "tensorflow":
    KEPT |= {
        "the global generator": "self.normal(inputs, None)",
        "a generator of another object": "self.normal(inputs, self.box.generator)",
        "a bare variable": "inputs * self.box.count.assign_add(1.0)",
    }
    NOT_KEPT |= {
        "a generator of the module": "self.normal(inputs, generator)",
        "TensorFlow": "inputs + __import__('tensorflow').random.normal(ops.shape(inputs))",
    }


@pytest.fixture
def config(small, tmp_path):
    """Return a configuration of a model with a layer that does something random."""

    def write(call):
        path = tmp_path / "noise.py"
        path.write_text(NOISE.replace("{call}", call))
        return small() | {"model": {"name": f"{path}:build"}}

    return write


def tried(config, observer):
    bench = Workbench(load_config(config), observer)
    try:
        before = [np.array(v) for v in (*bench.model.variables, *bench.model.optimizer.variables)]
        found = replay(bench)
        after = [np.array(v) for v in (*bench.model.variables, *bench.model.optimizer.variables)]
    finally:
        bench.close()
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    return found


@pytest.mark.samples(2)
@pytest.mark.every_backend
@pytest.mark.parametrize("call", KEPT.values(), ids=list(KEPT))
def test_nothing_is_said_where_all_can_be_kept(config, listener, call):
    found = tried(config(call), listener)
    assert found.exact
    assert found.steps == 3
    assert listener.warnings == []


@pytest.mark.samples(2)
@pytest.mark.parametrize("call", NOT_KEPT.values(), ids=list(NOT_KEPT))
def test_what_can_not_be_kept_is_said(config, listener, call):
    assert not tried(config(call), listener).exact
    assert len(listener.warnings) == 1
    assert "can't be kept whole" in listener.warnings[0]


@pytest.mark.every_backend
def test_a_model_that_fails_in_training_only(config, listener):
    with pytest.raises(ModelError, match="failed in its first training steps: ZeroDivisionError"):
        tried(config("1 / 0 if training else inputs"), listener)


def broken_off(config, out):
    """Train until the second checkpoint is written; return the folder."""
    stock, written = Checkpoints.write, []

    def write(self, *args, **more):
        stock(self, *args, **more)
        written.append(1)
        if len(written) == 8:
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Checkpoints, "is_due", lambda self, at_epoch_end: True)
        patch.setattr(Checkpoints, "write", write)
        train(config, out=out)
    return out / "small/train/001"


@pytest.mark.harness
def test_the_warning_is_true_and_lies_in_the_files(config, listener, tmp_path):
    """Where it is given, taking the run up gives other bits; where not, the same."""
    cases = {"kept": "self.normal(inputs, self.own)"}
    if BACKEND == "tensorflow":
        cases["lost"] = NOT_KEPT["a generator of the module"]
    for name, call in cases.items():
        whole = train(config(call), out=tmp_path / name / "whole")
        folder = broken_off(config(call), tmp_path / name / "broken")
        resumed = train(resume=folder, observer=listener)
        bits = [(f / "steps.csv").read_bytes() for f in (whole.folder, resumed.folder)]
        result = json.loads((resumed.folder / "result.json").read_text())
        manifest = json.loads((resumed.folder / "manifest.json").read_text())
        assert (bits[0] == bits[1]) is (name == "kept")
        assert manifest["replay"]["exact"] is (name == "kept")
        said = [w for w in listener.warnings if "can't be kept whole" in w]
        assert result["caveats"] == said
        assert len(said) == (name == "lost")
