from itertools import pairwise

import numpy as np
import pytest

from onecycle_cli import plotting
from onecycle_cli.errors import ResultError


def test_a_confusion_matrix_shows_its_numbers(confused):
    names = ["cat", "dog", "a name that is too long to be written out"]
    axes = plotting.draw_confusion(confused([[8, 2, 0], [1, 9, 0], [0, 0, 0]], names)).axes[0]

    cells = {tuple(text.get_position()): text.get_text() for text in axes.texts}
    assert cells == {(0, 0): "8", (1, 0): "2", (0, 1): "1", (1, 1): "9"}
    assert [t.get_text() for t in axes.get_xticklabels()] == ["cat", "dog", "a name that is to…"]
    assert [t.get_text() for t in axes.get_yticklabels()][:2] == ["cat  80 %", "dog  90 %"]
    wrong, right = (image.get_array() for image in axes.images)
    assert right.compressed().tolist() == [0.8, 0.9, 0]
    assert wrong.compressed().tolist() == [0.2, 0, 0.1, 0, 0, 0]


def test_a_confusion_matrix_says_what_is_mistaken_most_often(confused, heading):
    lines = heading(plotting.draw_confusion(confused([[8, 2, 0], [1, 9, 0], [0, 3, 0]])))
    assert "test accuracy 73.91 % of 23" in lines
    assert (
        "Most often wrong: class 2 taken for class 1 (3), class 0 taken for class 1 (2), class 1 "
        "taken for class 0 (1)."
    ) in " ".join(lines)


def test_of_many_classes_neighbours_share_a_square(confused, heading):
    """401 classes: 134 squares of three, the last of two."""
    counts = np.eye(401, dtype=int) * 8
    counts[0, 1] = 4  # a neighbour, within the square
    counts[6:9, 300] = 4  # a third of what another square holds
    figure = plotting.draw_confusion(confused(counts))
    wrong, right = (image.get_array() for image in figure.axes[0].images)
    assert wrong.shape == right.shape == (134, 134)
    rights = right.diagonal()
    assert rights[0] == 24 / 28
    assert rights[2] == pytest.approx(2 / 3)
    assert set(rights.tolist()) == {24 / 28, 2 / 3, 1.0}
    assert np.argwhere(wrong.filled(0) > 0).tolist() == [[2, 100]]
    assert wrong[2, 100] == pytest.approx(1 / 3)
    assert [tuple(image.get_extent()) for image in figure.axes[0].images] == [
        (-0.5, 401.5, 401.5, -0.5)
    ] * 2
    text = " ".join(heading(figure))
    assert "A square stands for 3 classes and 3 answers." in text
    assert "the strongest are 33.33 % of the classes" in text
    assert "class 6 taken for class 300 (4)" in text


def test_names_of_older_files_that_are_no_text_are_drawn(confused):
    axes = plotting.draw_confusion(confused([[1, 0], [0, 1]], ["caf\udce9", "tea"])).axes[0]
    assert [t.get_text() for t in axes.get_xticklabels()] == [r"caf\udce9", "tea"]


@pytest.mark.samples(2)
@pytest.mark.parametrize("classes", [2, 10, 100, 300, 1500])
def test_a_confusion_matrix_of_any_size_is_named_without_overlap(classes, confused):
    figure = plotting.draw_confusion(confused(np.eye(classes, dtype=int).tolist()))
    assert plotting.png(figure).startswith(b"\x89PNG")
    for axis in (figure.axes[0].xaxis, figure.axes[0].yaxis):
        boxes = [t.get_window_extent() for t in axis.get_ticklabels() if t.get_text()]
        assert 2 <= len(boxes) <= classes
        assert not any(a.overlaps(b) for a, b in pairwise(boxes))


@pytest.mark.parametrize(
    "result",
    [
        {"confusion": None},
        {"confusion": [[1, 2], [3]]},
        {"confusion": [[1]]},
        {"confusion": [[1, -2], [3, 4]]},
        {"per_class": [3, 4]},
        {"per_class": 3},
    ],
)
def test_no_confusion_matrix(result, confused):
    record = confused([[1, 2], [3, 4]], **result)
    with pytest.raises(ResultError, match="tiny/train/001 has no confusion matrix; only"):
        plotting.draw_confusion(record)
