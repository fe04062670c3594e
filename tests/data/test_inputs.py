import numpy as np

from onecycle_cli.data import inputs

A, B = np.arange(6).reshape(3, 2), np.arange(3)
TREE = {"a": A, "b": (B, A + 1)}


def test_a_structure_is_walked_in_order():
    assert list(inputs.named_arrays(TREE)) == ["/a", "/b/0", "/b/1"]
    assert list(inputs.named_arrays(A)) == [""]
    assert inputs.count(TREE) == 3
    assert inputs.shapes(TREE) == {"a": (2,), "b": ((), (2,))}


def test_rows_are_taken_of_each_array():
    taken = inputs.rows_of(TREE, np.array([2, 0]))
    np.testing.assert_array_equal(taken["a"], A[[2, 0]])
    np.testing.assert_array_equal(taken["b"][0], [2, 0])
    assert inputs.rows_of(A, slice(1)).tolist() == [[0, 1]]


def test_examples_are_joined_array_by_array():
    both = inputs.joined(TREE, inputs.mapped(lambda array: array + 10, TREE))
    assert both["b"][0].tolist() == [0, 1, 2, 10, 11, 12]
    assert both["a"].shape == (6, 2)
