"""A shape and an optimizer of one's own, all the way through: what trained the weights."""

import json
import signal
from pathlib import Path

import keras
import numpy as np
import pytest

from onecycle_cli import find_momentum, find_wd, schedules, train
from onecycle_cli.config import load_config
from onecycle_cli.errors import ConfigError, OptimizerError, PluginError, Terminated
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.bench import Workbench

SHAPE = "def spike(progress):\n    return 0.1 + 0.9 * (1 - abs(2 * progress - 1))\n"
OPTIMIZER = "import keras\n\ndef build():\n    return keras.optimizers.{}\n"


@pytest.fixture
def mine(tmp_path):
    (tmp_path / "mine.py").write_text(SHAPE)
    (tmp_path / "rule.py").write_text(OPTIMIZER.format("SGD(0.3, weight_decay=0.5)"))
    return tmp_path


def weights(folder):
    return keras.models.load_model(folder / "model.keras").get_weights()


def load_weights(folder):
    return keras.models.load_model(folder / "model.keras", compile=False).get_weights()


@pytest.mark.harness
def test_a_training_by_a_shape_of_ones_own(small, mine, tmp_path, table):
    settings = {"momentum": {"max": 0.9, "min": 0.7}}
    plain = small(train={**settings, "shape": f"{mine / 'mine.py'}:spike"})
    done = train(plain, out=tmp_path / "runs")

    steps = table(done.folder / "steps.csv")
    shares = [0.1 + 0.9 * (1 - abs(2 * i / 11 - 1)) for i in range(12)]
    np.testing.assert_allclose(steps["lr"], 0.1 * np.array(shares), rtol=1e-12)
    np.testing.assert_allclose(steps["momentum"], 0.9 - 0.2 * np.array(shares), rtol=1e-12)


@pytest.mark.harness
def test_a_resumed_training_ends_at_the_same_bits_and_refuses_another_file(
    small, mine, tmp_path, listener
):
    config = small(
        train={"shape": f"{mine / 'mine.py'}:spike"},
        optimizer={"name": f"{mine / 'rule.py'}:build"},
    )
    whole = train(config, out=tmp_path / "whole")
    listener.each_step = lambda step: signal.raise_signal(signal.SIGTERM) if step == 7 else None
    with pytest.raises(Terminated):
        train(config, out=tmp_path / "runs", observer=listener)
    folder = tmp_path / "runs/small/train/001"
    conditions = json.loads((folder / "resume.json").read_text())["conditions"]
    assert {"shape_file", "shape_helpers", "optimizer_file"} <= conditions.keys()
    assert conditions["optimizer"] == "rule.py:build"

    for name, what in (("mine.py", "shape"), ("rule.py", "optimizer")):
        text = (mine / name).read_text()
        (mine / name).write_text(text + "# another\n")
        with pytest.raises(ConfigError, match=rf"another version of the {what}'s file; put the ol"):
            train(resume=folder)
        (mine / name).write_text(text)
    for ours, theirs in zip(
        weights(train(resume=folder).folder), weights(whole.folder), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.harness
def test_an_optimizer_of_ones_own_trains_as_the_stock_one_does(small, mine, tmp_path):
    """Learning rate, momentum and weight decay are the config's, whatever the function says."""
    own = train(small(optimizer={"name": f"{mine / 'rule.py'}:build"}), out=tmp_path / "own")
    stock = train(small(optimizer={"name": "sgd"}), out=tmp_path / "stock")
    for ours, theirs in zip(weights(own.folder), weights(stock.folder), strict=True):
        np.testing.assert_array_equal(ours, theirs)

    (mine / "rule.py").write_text(OPTIMIZER.format("SGD(clipnorm=0.01)"))
    clipped = train(
        small(optimizer={"name": f"{mine / 'rule.py'}:build"}), out=tmp_path / "clipped"
    )
    kernel, other = weights(clipped.folder)[0], weights(stock.folder)[0]
    assert np.abs(kernel - other).max() > 1e-3
    saved = keras.models.load_model(clipped.folder / "model.keras")
    assert saved.optimizer.clipnorm == 0.01


@pytest.mark.harness
def test_an_optimizer_without_momentum_trains_once_no_momentum_is_asked_for(small, tmp_path, table):
    adagrad = {"name": "adagrad", "momentum": 0.0}
    with pytest.raises(
        OptimizerError, match=r"Adagrad has no momentum; set optimizer\.momentum to "
    ):
        Workbench(load_config(small(optimizer={"name": "adagrad"})), Observer())
    with pytest.raises(OptimizerError, match="Adagrad has no momentum"):
        Workbench(load_config(small(optimizer=adagrad)), Observer())
    config = small(optimizer=adagrad, train={"momentum": {"max": 0.0, "min": 0.0}})
    done = train(config, out=tmp_path)
    steps = table(done.folder / "steps.csv")
    assert set(steps["momentum"]) == {0}
    np.testing.assert_allclose(steps["lr"], schedules.learning_rates(12, 0.1), rtol=1e-12)
    assert (
        type(keras.models.load_model(done.folder / "model.keras").optimizer).__name__ == "Adagrad"
    )


@pytest.mark.harness
def test_an_optimizer_without_momentum_has_a_weight_decay_to_find_and_no_momentum(small, tmp_path):
    config = small(
        optimizer={"name": "adagrad", "momentum": 0.0}, train={"momentum": {"max": 0.0, "min": 0.0}}
    )
    found = find_wd(config, out=tmp_path)
    result = json.loads((found.folder / "result.json").read_text())
    assert result["momentum_name"] == "momentum"
    with pytest.raises(
        OptimizerError, match=r"^adagrad has no momentum, so it can't be trained wi"
    ):
        find_momentum(config, out=tmp_path)


OWN_CLASS = """
import keras

class Signed(keras.optimizers.SGD):
    def update_step(self, gradient, variable, learning_rate):
        super().update_step(keras.ops.sign(gradient), variable, learning_rate)

def build():
    return Signed()
"""


@pytest.mark.harness
def test_an_optimizer_of_a_class_of_ones_own_is_resumed_too(small, tmp_path, listener):
    (tmp_path / "rule.py").write_text(OWN_CLASS)
    config = small(optimizer={"name": f"{tmp_path / 'rule.py'}:build"}, train={"max_lr": 1e-3})
    whole = train(config, out=tmp_path / "whole")
    listener.each_step = lambda step: signal.raise_signal(signal.SIGTERM) if step == 7 else None
    with pytest.raises(Terminated):
        train(config, out=tmp_path / "runs", observer=listener)
    resumed = train(resume=tmp_path / "runs/small/train/001")
    ours, theirs = (load_weights(r.folder) for r in (resumed, whole))
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_shape_that_breaks_ends_the_training_before_it_starts(small, tmp_path):
    (tmp_path / "mine.py").write_text("def spike(progress):\n    return 1 / progress\n")
    with pytest.raises(
        PluginError, match=r"failed to give a learning rate: ZeroDivisionError: .*2"
    ):
        train(small(train={"shape": f"{tmp_path / 'mine.py'}:spike"}), out=tmp_path / "runs")
    assert not list(Path(tmp_path / "runs").rglob("steps.csv"))
