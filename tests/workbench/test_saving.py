"""Models with code of the user's own: trained and saved, or refused before they are trained."""

import keras
import numpy as np
import pytest

from onecycle_cli import data
from onecycle_cli.config import load_config
from onecycle_cli.errors import ModelError
from onecycle_cli.experiments.recipe.run import run
from onecycle_cli.experiments.train import train
from onecycle_cli.registry import models

NET = """
import keras


class Net(keras.Model):
    def __init__(self, classes):
        super().__init__()
        self.classes, self.flatten = classes, keras.layers.Flatten()
        self.norm = keras.layers.BatchNormalization()
        self.last = keras.layers.Dense(classes, activation="softmax")

    def call(self, inputs, training=None):
        return self.last(self.norm(self.flatten(inputs), training=training))


def build(shape, classes):
    return Net(classes)
"""
CONFIG = """
    def get_config(self):
        return {"classes": self.classes}
"""


@pytest.fixture
def config(small, tmp_path):
    def write(source):
        (tmp_path / "net.py").write_text(source)
        return small() | {"model": {"name": f"{tmp_path / 'net.py'}:build"}}

    return write


def savable():
    return NET.replace("\n\ndef build", f"{CONFIG}\n\ndef build")


@pytest.mark.harness
def test_a_subclassed_model_is_trained_and_its_weights_can_be_loaded(config, listener, tmp_path):
    """By a model that its function has built, as the warning says."""
    result = train(config(savable()), out=tmp_path / "runs", observer=listener)
    said = [w for w in listener.warnings if "code that is not Keras' own (Net)" in w]
    assert len(said) == 1
    assert "load_weights('model.keras')" in said[0]

    model = models.build(
        config(savable())["model"]["name"],
        {},
        input_shape=(8, 8, 1),
        num_outputs=10,
        activation=None,
    )
    model.load_weights(result.folder / "model.keras")
    dataset = data.load(load_config(config(savable())).dataset, seed=0)
    x, labels = dataset.test()
    outputs = np.asarray(model(dataset.normalise(x)))
    assert (outputs.argmax(1) == labels).mean() == result.test_accuracy
    assert result.test_accuracy > 0.2
    assert len(result.history) == 2


@pytest.mark.parametrize("command", [train, run])
def test_a_model_that_can_not_be_saved_is_refused_before_it_is_trained(
    config, listener, tmp_path, command
):
    with pytest.raises(ModelError, match=r"can't be saved, .*; give Net a get_config\(\)") as error:
        command(config(NET), out=tmp_path / "runs", observer=listener)
    assert "\n" not in str(error.value)
    assert listener.steps == 0
    assert [p for p in (tmp_path / "runs").rglob("*") if p.is_file()] == []


def test_without_a_folder_nothing_needs_to_be_saved(config):
    assert train(config(NET), out=None).folder is None


@pytest.mark.harness
def test_of_a_model_of_stock_layers_nothing_is_said(small, listener, tmp_path):
    train(small(), out=tmp_path, observer=listener)
    assert not [w for w in listener.warnings if "model.keras" in w]


@pytest.mark.harness
def test_a_function_in_a_layer_is_code_too(config, listener, tmp_path):
    source = """
import keras

def build(shape, classes):
    x = keras.layers.Lambda(lambda t: 2 * t)(keras.layers.Flatten()(i := keras.Input(shape)))
    return keras.Model(i, keras.layers.Dense(classes, activation="softmax")(x))
"""
    result = train(config(source), out=tmp_path / "runs", observer=listener)
    assert any("code that is not Keras' own (Lambda)" in w for w in listener.warnings)
    with pytest.raises(ValueError, match="Lambda"):
        keras.models.load_model(result.folder / "model.keras", compile=False)
