import numpy as np
import pytest

from onecycle_cli.data.targets import hidden_classes, meaning_of
from onecycle_cli.errors import DataError

RANDOM = np.random.default_rng(6)
LABELS = RANDOM.integers(0, 4, 80)
HOT = np.eye(4)[LABELS]
SEVERAL = RANDOM.integers(0, 2, (80, 5))

AMBIGUOUS = [
    (RANDOM.dirichlet(np.ones(3), 80), "probabilities of classes, or .*argmax"),
    (0.9 * HOT + 0.025, "probabilities of classes"),
    (LABELS.astype(float), "whole numbers of 4 values, .*set task: multiclass, or task: regr"),
    ((LABELS % 2).astype(float), "2 values, .*set task: binary or multiclass, or"),
    ((LABELS % 2 * 2 - 1).astype(float), "whole numbers of 2 values"),
    ((LABELS * 10 + 3).astype(np.float16)[:, None], "whole numbers of 4 values"),
    (np.repeat(np.arange(40.0), 2), "whole numbers of 40 values"),
]
NUMBERS = [
    RANDOM.normal(size=80),
    RANDOM.normal(size=(80, 3)),
    LABELS + 0.5,
    np.arange(80.0),
    np.repeat(np.arange(1000.0), 3),
    np.ones(80),
    LABELS[:, None] * [1.0, 2.0],
    RANDOM.dirichlet(np.ones(3), 80) - 0.01,
    np.array([3.0]),
]


@pytest.mark.parametrize(("y", "what"), AMBIGUOUS)
def test_what_may_mean_two_things_is_refused_with_both_ways_to_say_it(y, what):
    with pytest.raises(DataError, match=f"my file {'are'} .*{what}") as error:
        meaning_of(y, None, "my file")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("y", "what"), AMBIGUOUS)
def test_anything_of_numbers_is_a_regression_where_it_is_said(y, what):
    meaning = meaning_of(y, "regression", "my file")
    assert (meaning.task, meaning.classes) == ("regression", None)
    encoded = meaning.encoded(y, "")
    assert encoded.dtype == np.float32
    np.testing.assert_array_equal(encoded, y.reshape(encoded.shape).astype(np.float32))


@pytest.mark.parametrize("y", NUMBERS)
def test_numbers_with_a_point_are_a_regression(y):
    assert hidden_classes(y) is None
    assert meaning_of(y, None, "").task == "regression"


@pytest.mark.parametrize("dtype", [int, float, bool, np.float16])
@pytest.mark.parametrize("asked", ["multilabel", "regression"])
def test_one_hot_rows_are_something_else_where_it_is_said(dtype, asked):
    assert meaning_of(HOT.astype(dtype), asked, "").task == asked


@pytest.mark.parametrize("dtype", [int, float, bool, np.uint8])
@pytest.mark.parametrize("asked", [None, "multiclass"])
def test_one_hot_rows_are_classes(dtype, asked):
    meaning = meaning_of(HOT.astype(dtype), asked, "")
    assert meaning.task == "multiclass"
    assert meaning.classes == ("0", "1", "2", "3")
    assert meaning.encoded(HOT.astype(dtype), "").tolist() == LABELS.tolist()


@pytest.mark.parametrize("dtype", [int, float, bool, np.float16])
@pytest.mark.parametrize("asked", [None, "multilabel"])
def test_zeros_and_ones_in_rows_are_labels(dtype, asked):
    meaning = meaning_of(SEVERAL.astype(dtype), asked, "")
    assert (meaning.task, len(meaning.classes)) == ("multilabel", 5)
    encoded = meaning.encoded(SEVERAL.astype(dtype), "")
    assert encoded.dtype == np.float32
    np.testing.assert_array_equal(encoded, SEVERAL)


@pytest.mark.parametrize("y", [LABELS % 2, LABELS % 2 == 1, (LABELS % 2).astype(float)])
def test_two_classes_are_binary_where_it_is_said(y):
    meaning = meaning_of(y, "binary", "")
    assert (meaning.task, meaning.classes) == ("binary", ("0", "1"))
    assert meaning.encoded(y, "").dtype == np.int32
    assert meaning.encoded(y, "").tolist() == (LABELS % 2).tolist()


@pytest.mark.parametrize("kind", [str, bytes, object])
def test_names_are_classes_in_their_order(kind):
    names = np.array(["dog", "cat", "eel", "cat"] * 2).astype(kind)
    meaning = meaning_of(names, None, "")
    assert (meaning.task, meaning.classes) == ("multiclass", ("cat", "dog", "eel"))
    assert meaning.encoded(names, "").tolist() == [1, 0, 2, 0] * 2
    with pytest.raises(DataError, match=r"must use classes of the training part, got .*ant"):
        meaning.encoded(np.array(["cat", "ant"]).astype(kind), "these")
    with pytest.raises(DataError, match=r"got .*zebra"):
        meaning.encoded(np.array(["zebra"]).astype(kind), "these")


@pytest.mark.parametrize("y", [LABELS - 7, LABELS * 3, (LABELS + 2).astype(float)])
def test_whole_numbers_are_classes_by_their_values_where_it_is_said(y):
    meaning = meaning_of(y, "multiclass", "")
    assert meaning.classes == tuple(f"{value:g}" for value in np.unique(y))
    assert meaning.encoded(y, "").tolist() == LABELS.tolist()


def test_many_integers_for_few_examples_are_noted():
    assert meaning_of(np.arange(20) % 10, None, "").notes == ()
    (note,) = meaning_of(np.arange(20) % 11, None, "my file").notes
    assert note.startswith("my file: integers as targets are classes, 11 of them for 20 examples")


@pytest.mark.parametrize(
    ("y", "asked", "message"),
    [
        (LABELS, "binary", "must have two classes for task: binary, got 4; set task: multiclass"),
        (LABELS, "multilabel", r"zeros and ones of shape \(n, k\), .* got int64 \(80,\)"),
        (LABELS + 0.5, "multiclass", "must be whole numbers or names"),
        (SEVERAL, "multiclass", "labels of shape .* or one-hot rows for task: multiclass"),
        (SEVERAL, "binary", "labels 0 and 1 of shape"),
        (SEVERAL + 1, "multilabel", "must be zeros and ones only"),
        (SEVERAL + 1, None, "set task: regression to predict them"),
        (np.array(["a", "b"]), "regression", "must be numbers for task: regression"),
        (np.array(["a", "a"]), None, "two classes or more, got 1"),
        (np.array([["a", "b"]]), None, "one name for each example"),
        (LABELS * 0, None, "two classes or more, got 1"),
        (LABELS - 1, None, "whole numbers, but 0 is none of them|set task: multiclass to take"),
        (LABELS * 2, None, "but 1 is none of them, .* set task: multiclass to .*, or task: reg"),
        (LABELS + 1, None, "but 0 is none of them"),
        (np.array(list("abcdefghijklm")), None, "text of 13 values for 13 examples, such as 'a'"),
        (LABELS + 1j, None, "got complex128"),
        (LABELS.astype("M8[D]"), None, "must be integers"),
        (LABELS.reshape(80, 1, 1), None, r"got int64 \(80, 1, 1\)"),
        (LABELS[:0], None, r"got int64 \(0,\)"),
        (np.array([None, 1]), None, "got object"),
        (np.array([1.5, np.nan]), None, "row 1 has a NaN"),
        (np.array([1.5, np.inf]), "regression", "row 1 has a NaN, an infinity"),
        (np.array([[1.5, 1e300]]), None, "row 0 .* too large for float32"),
    ],
)
def test_targets_that_are_not_those_of_the_task(y, asked, message):
    with pytest.raises(DataError, match=message) as error:
        meaning_of(y, asked, "my file")
    assert str(error.value).startswith("my file")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("first", "then", "message"),
    [
        (LABELS, LABELS + 1, r"labels of the training part, 0\.\.3, got 1\.\.4"),
        (LABELS, LABELS - 1, r"0\.\.3, got -1\.\.2"),
        (LABELS, LABELS + 0.5, "must be integers"),
        (SEVERAL, SEVERAL[:, :4], r"zeros and ones of shape \(n, 5\), got int64 \(80, 4\)"),
        (SEVERAL, SEVERAL + 1, "must be zeros and ones"),
        (LABELS + 0.5, np.full(3, np.nan), "finite"),
    ],
)
def test_another_part_must_be_alike(first, then, message):
    with pytest.raises(DataError, match=f"the others.*{message}"):
        meaning_of(first, None, "").encoded(then, "the others")
