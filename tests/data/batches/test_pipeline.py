import itertools

import numpy as np
import pytest

from onecycle_cli.data.batches.resize import Resize
from onecycle_cli.errors import DataError

keras = pytest.importorskip("keras")

from onecycle_cli.data.batches.feed import Batches  # noqa: E402
from onecycle_cli.data.batches.pipeline import for_fit  # noqa: E402


@pytest.fixture
def seen(seen_by_fit):
    """Return the batches that `fit` takes of those that it is to be fed, in order."""

    def train(batches, epochs, steps, **options):
        fed = for_fit(batches, **options)
        return seen_by_fit(fed, epochs=epochs, steps=steps, shuffle=False)

    return train


def assert_same(found, expected):
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        keras.tree.assert_same_structure(a, b)
        keras.tree.map_structure(np.testing.assert_array_equal, a, b)
        assert [x.dtype for x in keras.tree.flatten(a)] == [x.dtype for x in keras.tree.flatten(b)]


@pytest.fixture
def batches(make_dataset):
    dataset = make_dataset(train=50, validation=13)

    def make(**options):
        return Batches(dataset, seed=4, batch_size=16, **{"num_steps": 8, **options})

    return make


def made(shapes, weights=False):
    """Yield batches of two inputs by name, of the given shapes, without an end."""
    random = np.random.default_rng(0)
    for rows, *rest in itertools.cycle(shapes):
        x = {
            "a": random.normal(size=(rows, *rest)).astype("float32"),
            "b": np.arange(rows)[:, None],
        }
        y = random.integers(0, 5, rows)
        yield (x, y, np.ones(rows, "float32")) if weights else (x, y)


def test_fit_sees_exactly_these_batches_in_order(batches, seen):
    assert_same(seen(batches(), 2, 4), list(batches()))


def test_fit_goes_on_in_the_next_epoch_where_it_was(batches, seen):
    assert_same(seen(batches(start=3), 3, 2), list(batches(start=3))[:6])


def test_fit_sees_batches_of_every_size(batches, seen):
    resized = batches(resize=Resize((3,), (2,)))
    found = seen(resized, 2, 4, any_size=True)
    assert_same(found, list(resized))
    assert [x.shape[1] for x, _ in found] == [2] * 3 + [8] * 5


@pytest.mark.parametrize("weights", [False, True])
def test_structures_types_and_weights_stay(weights, seen):
    endless = made([(4, 3)], weights)
    expected = list(itertools.islice(made([(4, 3)], weights), 6))
    assert_same(seen(endless, 2, 3), expected)


def test_text_stays_text():
    text = np.array([["yes"], ["no"]], object)
    x, y = next(iter(for_fit(itertools.repeat((text, np.zeros(2, "int64"))))))
    assert x.numpy().tolist() == [[b"yes"], [b"no"]]
    assert y.dtype == "int64"


def test_axes_that_differ_between_the_first_two_batches_may_differ_later(seen):
    shapes = [(4, 7, 3), (2, 6, 3), (4, 9, 3)]
    found = seen(made(shapes), 1, 3)
    assert [x["a"].shape for x, _ in found] == shapes


def test_a_number_of_axes_that_differs_is_refused():
    with pytest.raises(DataError, match=r"got shapes \(4, 3\) and \(4, 3, 3\) in the first two"):
        for_fit(made([(4, 3), (4, 3, 3)]))


def test_each_batch_is_made_once_and_few_ahead(seen):
    made_so_far = []

    def counting():
        for i in itertools.count():
            made_so_far.append(i)
            yield np.full((2, 3), i, "float32"), np.zeros(2, "int64")

    found = seen(counting(), 1, 5)
    assert [x[0, 0] for x, _ in found] == [0, 1, 2, 3, 4]
    assert made_so_far == list(range(len(made_so_far)))
    assert len(made_so_far) <= 5 + 4


def test_nothing_tunes_itself_that_fit_would_wait_for(batches):
    assert for_fit(batches()).options().autotune.enabled is False
