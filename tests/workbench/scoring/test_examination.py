import numpy as np
import pytest

from onecycle_cli.workbench.scoring.examination import Examination, by_class, confusion_of


def test_rows_are_true_classes_and_columns_are_answers():
    targets = np.array([0, 0, 0, 2, 2], np.int32)
    answers = np.array([0, 1, 1, 2, 0])
    assert confusion_of(targets, answers, 3).tolist() == [[1, 2, 0], [0, 0, 0], [1, 0, 1]]


def test_accuracy_is_the_share_of_the_diagonal():
    confusion = np.array([[1, 2, 0], [0, 0, 0], [1, 0, 1]])
    examined = Examination(np.array([0.5, 1.0, 1.5]), confusion)
    assert examined.accuracy == pytest.approx(2 / 5)
    assert examined.loss == 1.0
    assert Examination(np.array([1.0])).accuracy is None


def test_each_class_has_its_own_accuracy():
    confusion = np.array([[1, 3], [0, 0]])
    found = by_class(Examination(np.zeros(4), confusion), ("cat", "dog"))
    assert found == {
        "per_class": [
            {"class": "cat", "examples": 4, "accuracy": 0.25},
            {"class": "dog", "examples": 0, "accuracy": None},
        ],
        "confusion": [[1, 3], [0, 0]],
    }
    assert by_class(Examination(np.zeros(4)), None) == {}
