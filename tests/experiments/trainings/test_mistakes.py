import base64
import io

import numpy as np
import pytest
from PIL import Image

from onecycle_cli.experiments.trainings.mistakes import mistakes_of
from onecycle_cli.workbench.scoring.examination import Examination, confusion_of

TRUE = np.array([0] * 6 + [1] * 4 + [2] * 2)
ANSWERS = np.array([1, 1, 0, 1, 1, 2, 1, 0, 0, 1, 2, 2])
LOSSES = np.array([0.9, 2.0, 0.1, np.nan, 3.0, 1.0, 0.1, 4.0, 5.0, 0.1, 0.1, 0.1])
IMAGES = np.arange(12 * 4, dtype=np.float32).reshape(12, 2, 2, 1)


def examined(answers=ANSWERS):
    pairs = np.stack([TRUE, answers], axis=1)
    return Examination(LOSSES, confusion_of(TRUE, answers, 3), answered=pairs)


def test_the_worst_pairs_come_first_and_of_each_the_highest_losses():
    found = mistakes_of(examined(), IMAGES)
    assert [(m.true, m.answer, m.example) for m in found] == [
        (0, 1, 4), (0, 1, 1), (0, 1, 0), (1, 0, 8), (1, 0, 7), (0, 2, 5),
    ]  # fmt: skip


def test_the_picture_is_that_of_the_example():
    for mistake in mistakes_of(examined(), IMAGES):
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(mistake.image))))
        expected = np.rint(IMAGES[mistake.example, ..., 0] * (255 / 47))
        np.testing.assert_allclose(shown, expected, atol=1)
        assert (mistake.width, mistake.height, mistake.type) == (2, 2, "image/png")


def test_of_many_pairs_few_are_shown():
    true = np.repeat(np.arange(10), 10)
    pairs = np.stack([true, np.tile(np.arange(10), 10)], axis=1)
    whole = Examination(np.ones(100), confusion_of(*pairs.T, 10), answered=pairs)
    assert len(mistakes_of(whole, np.zeros((100, 8, 8, 3), np.uint8))) == 5


@pytest.mark.parametrize(
    ("judged", "inputs"),
    [
        (examined(TRUE), IMAGES),
        (Examination(LOSSES), IMAGES),
        (examined(), IMAGES.reshape(12, 4)),
    ],
)
def test_without_mistakes_classes_or_images_there_is_nothing(judged, inputs):
    assert mistakes_of(judged, inputs) == []
