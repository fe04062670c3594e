"""The snippets of keras-one-cycle's README, but for the import and with its missing comma."""

import keras
import matplotlib
import numpy as np
import pytest

FIND = """
from onecycle_cli import LRFinder

lr_callback = LRFinder(num_samples, batch_size,
                       minimum_lr, maximum_lr,
                       lr_scale='exp', save_dir='path/to/save/directory')

# Ensure that number of epochs = 1 when calling fit()
model.fit(X, Y, epochs=1, batch_size=batch_size, callbacks=[lr_callback])
"""

TRAIN = """
from onecycle_cli import OneCycleLR

lr_manager = OneCycleLR(num_samples, num_epoch, batch_size, max_lr,
                        end_percentage=0.1, scale_precentage=None,
                        maximum_momentum=0.95, minimum_momentum=0.85)

model.fit(X, Y, epochs=EPOCHS, batch_size=batch_size, callbacks=[model_checkpoint, lr_manager])
"""


@pytest.fixture
def names(regression, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    matplotlib.use("agg")
    return {
        "model": regression.model(keras.optimizers.SGD(0.1)),
        "model_checkpoint": keras.callbacks.ModelCheckpoint("model.keras"),
        "X": regression.x,
        "Y": regression.y,
        "num_samples": 50,
        "batch_size": 2,
        "minimum_lr": 1e-5,
        "maximum_lr": 10.0,
        "max_lr": 0.02,
        "num_epoch": 2,
        "EPOCHS": 2,
    }


def test_finding_a_learning_rate(names):
    exec(FIND, names)
    test = names["lr_callback"]
    assert test.lrs[0] == 1e-5
    figure = test.plot_schedule()
    saved = test.plot_schedule_from_file("path/to/save/directory")
    assert lines_of(figure)
    assert lines_of(saved) == lines_of(figure)


def test_training(names, tmp_path, smith):
    exec(TRAIN, names)
    lrs, momenta = smith(50, 0.02)
    np.testing.assert_allclose(names["lr_manager"].history["lr"], lrs, rtol=1e-12)
    np.testing.assert_allclose(names["lr_manager"].history["momentum"], momenta, rtol=1e-12)
    assert (tmp_path / "model.keras").exists()


def lines_of(figure):
    return [line.get_xydata().tolist() for axes in figure.axes for line in axes.lines]
