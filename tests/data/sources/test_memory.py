"""Arrays that are handed over in Python: what is said of those that no training can use."""

import numpy as np
import pytest

from onecycle_cli.data.sources.memory import dataset_in_hand
from onecycle_cli.errors import DataError

X = np.zeros((6, 2), np.float32)
Y = np.arange(6) % 2


def with_a_hole(array, row):
    array = array.astype(np.float32)
    array[row] = np.nan
    return array


@pytest.mark.parametrize(
    ("x", "y", "said"),
    [
        (with_a_hole(X, 4), Y, "x has a NaN or an infinite number in row 4:"),
        (X, with_a_hole(Y, 2), "y has a NaN or an infinite number in row 2:"),
        ({"a": X, "b": with_a_hole(X, 5)}, Y, "x/b has a NaN or an infinite number in row 5:"),
    ],
    ids=["x", "y", "one of several"],
)
def test_numbers_that_are_not_finite_are_told_of_and_left_as_they_are(x, y, said):
    dataset = dataset_in_hand(x, y, name="mine", validation_fraction=0)
    (note,) = dataset.notes
    assert note.startswith(said)
    np.testing.assert_array_equal(dataset.y, y)


def test_nothing_is_said_of_finite_numbers_and_of_no_targets():
    for y in (Y, None):
        assert dataset_in_hand(X, y, name="mine", validation_fraction=0).notes == ()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            {"x": np.array([["a", 1.0]] * 6, object)},
            "x must hold numbers, .* of type float and str",
        ),
        ({"y": np.array(["cat", "dog"] * 3)}, "y holds text, and losses take numbers"),
        ({"class_weight": "balanced"}, "class_weight must be a dictionary"),
    ],
    ids=["mixed columns", "text labels", "class_weight"],
)
def test_what_no_training_can_use_is_refused_in_a_sentence(given, said):
    with pytest.raises(DataError, match=said):
        dataset_in_hand(**{"x": X, "y": Y, "name": "mine"} | given)


def test_text_is_taken_for_inputs():
    text = np.array(["good", "bad"] * 3)
    assert dataset_in_hand(text, Y, name="mine", validation_fraction=0).x[0] == "good"
