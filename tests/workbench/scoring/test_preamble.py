from types import SimpleNamespace

import keras
import numpy as np
import pytest

from onecycle_cli.data.target_scale import TargetScale
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.scoring.compiled import OTHER
from onecycle_cli.workbench.scoring.objective import Objective
from onecycle_cli.workbench.scoring.preamble import announce

FLOATS = np.zeros((1200, 20), np.float32)
IMAGES = np.zeros((1200, 8, 8, 1), np.uint8)
NEAR = np.random.default_rng(0).normal(size=1200)
CLASSES = Objective("multiclass", "sparse_categorical_crossentropy")


class Listener(Observer):
    def __init__(self):
        self.notes, self.warnings = [], []

    def note(self, text):
        self.notes.append(text)

    def warn(self, text):
        self.warnings.append(text)


def heard(x, objective, outputs, stream=None):
    dataset = SimpleNamespace(
        x=x, train=np.arange(1000), stream=stream, why="it shows", target_scale=None, y=NEAR
    )
    listener = Listener()
    announce(listener, dataset, objective, outputs)
    assert listener.notes[1:] == [f"task: {objective.task} (it shows)"]
    return listener.notes[0]


@pytest.mark.parametrize(
    ("x", "objective", "outputs", "said"),
    [
        (FLOATS, CLASSES, 3, "1,000 x 20 floats, 3 classes, cross-entropy; scored by accuracy"),
        (IMAGES, CLASSES, 1000,
         "1,000 x 8 x 8 x 1 bytes, 1,000 classes, cross-entropy; scored by accuracy"),
        (FLOATS, Objective("binary", "binary_crossentropy"), 1,
         "1,000 x 20 floats, 2 classes, binary cross-entropy; scored by accuracy and AUC"),
        (FLOATS, Objective("multilabel", "binary_crossentropy"), 5,
         "1,000 x 20 floats, 5 labels, binary cross-entropy; scored by accuracy, AUC and F1"),
        (FLOATS, Objective("regression", "mse"), 1,
         "1,000 x 20 floats, 1 number, mean squared error; scored by R2 and mean absolute error"),
        (FLOATS, Objective("regression", "huber"), 2,
         "1,000 x 20 floats, 2 numbers, Huber loss; scored by R2 and mean absolute error"),
        (FLOATS[:, 0], OTHER, 0, "1,000 x 1 floats, a loss of the model's own"),
        ({"a": FLOATS, "b": IMAGES}, CLASSES, 3,
         "1,000 x 20 floats and 8 x 8 x 1 bytes, 3 classes, cross-entropy; scored by accuracy"),
        (tuple([FLOATS] * 5), OTHER, 0,
         "1,000 x 20 floats and 20 floats and 20 floats and 2 more, a loss of the model's own"),
    ],
)  # fmt: skip
def test_data_task_loss_and_score_are_said_in_a_line(x, objective, outputs, said):
    assert heard(x, objective, outputs) == said


def test_of_a_pipeline_the_batches_are_counted():
    said = heard(FLOATS[:32], CLASSES, 3, SimpleNamespace(steps=1500))
    assert said.startswith("1,500 batches of 20 floats, 3 classes, ")


def test_every_loss_and_every_task_has_a_name():
    from onecycle_cli.workbench.scoring import objective, preamble

    for task, losses in objective._LOSSES.items():
        assert task in preamble._SCORES
        assert set(losses) <= set(preamble._LOSSES)


def test_a_model_that_comes_compiled_shows_its_task_itself():
    dataset = SimpleNamespace(
        x=FLOATS, train=np.arange(1000), stream=None, why="", target_scale=None, y=NEAR
    )
    listener = Listener()
    announce(listener, dataset, CLASSES, 3, keras.optimizers.SGD())
    loss = "loss sparse_categorical_crossentropy"
    assert listener.notes[1:] == [
        f"task: multiclass (the model comes compiled, with {loss} and SGD)"
    ]


def test_standardised_targets_are_said_with_what_it_does_to_the_numbers_shown():
    scale = TargetScale.of(np.array([200.0, 400.0], np.float32), np.arange(2))
    dataset = SimpleNamespace(
        x=FLOATS, train=np.arange(1000), stream=None, why="it shows", target_scale=scale
    )
    listener = Listener()
    announce(listener, dataset, Objective("regression", "mse"), 1)
    assert "1 number, standardised, mean squared error; scored by" in listener.notes[0]
    assert listener.notes[2] == (
        "the targets are standardised, (y - 300) / 100: losses and the model's answers are in "
        "these units, mean absolute errors in the targets' own"
    )
    announce(listener, dataset, OTHER, 0, keras.optimizers.SGD())
    assert listener.notes[-1].endswith("losses and the model's answers are in these units")


@pytest.mark.parametrize(("mean", "deviation"), [(100.0, 1.0), (0.0, 40.0), (3e5, 1e5)])
def test_numbers_to_predict_that_are_far_from_zero_are_warned_of(mean, deviation):
    def warnings_of(y, scale=None):
        dataset = SimpleNamespace(
            x=FLOATS, y=y, train=np.arange(1000), stream=None, why="", target_scale=scale
        )
        listener = Listener()
        announce(listener, dataset, Objective("regression", "mse"), 1)
        return listener.warnings

    far = (NEAR * deviation + mean).astype(np.float32)
    (said,) = warnings_of(far)
    assert said.startswith(f"the targets have mean {far[:1000].mean():.3g} and deviation ")
    assert said.endswith("set dataset.standardise_targets to true.")
    assert warnings_of(NEAR) == warnings_of(far, TargetScale.of(far, np.arange(1000))) == []
