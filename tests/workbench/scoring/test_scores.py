import itertools

import numpy as np
import pytest

from onecycle_cli.workbench.scoring.scores import (
    area_under_curve,
    f1,
    scores_of_labels,
    scores_of_numbers,
)

RANDOM = np.random.default_rng(4)


@pytest.mark.parametrize("levels", [2, 5, 1000])
def test_the_area_is_the_share_of_pairs_in_the_right_order(levels):
    targets = RANDOM.integers(0, 2, 60)
    outputs = RANDOM.integers(0, levels, 60) / levels
    pairs = itertools.product(outputs[targets == 1], outputs[targets == 0])
    expected = np.mean([1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs])
    assert area_under_curve(targets, outputs) == pytest.approx(expected)


@pytest.mark.parametrize("value", [0, 1])
def test_a_single_kind_of_targets_has_no_area(value):
    assert area_under_curve(np.full(5, value), np.arange(5.0)) is None


def test_f1_is_the_harmonic_mean_of_precision_and_recall():
    targets = np.array([1, 1, 1, 0, 0])
    answers = np.array([True, False, False, True, False])
    precision, recall = 1 / 2, 1 / 3
    expected = 2 * precision * recall / (precision + recall)
    assert f1(targets, answers) == pytest.approx(expected)
    assert f1(targets * 0, answers) == 0
    assert f1(targets * 0, answers & False) is None


def test_labels_are_scored_column_by_column():
    targets = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]])
    outputs = np.array([[0.5, 0.2, 0.1], [0.4, 0.3, 0.1], [0.9, 0.8, 0.1], [0.1, 0.1, 0.1]])
    found = scores_of_labels(targets, outputs, 0.5)
    assert found["accuracy"] == 11 / 12
    assert found["auc_per_label"] == [1, 1, None]
    assert found["f1_per_label"] == [1, pytest.approx(2 / 3), None]
    assert (found["auc"], found["f1"]) == (1, pytest.approx(5 / 6))
    single = scores_of_labels(targets[:, :1], outputs[:, :1], 0.95)
    assert single == {"accuracy": 0.5, "auc": 1.0, "f1": 0.0}


def test_numbers_are_scored_column_by_column():
    targets = np.array([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]])
    outputs = np.array([[1.0, 1.0], [2.0, 2.0], [4.0, 1.0]])
    found = scores_of_numbers(targets, outputs)
    assert found["r2_per_target"] == [pytest.approx(1 - 1 / 8), None]
    assert found["mae_per_target"] == [pytest.approx(1 / 3)] * 2
    assert (found["r2"], found["mae"]) == (pytest.approx(7 / 8), pytest.approx(1 / 3))
    mean = scores_of_numbers(targets[:, :1], np.full((3, 1), 2.0))
    assert mean["r2"] == pytest.approx(0)
