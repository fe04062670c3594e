import random
from dataclasses import replace

import numpy as np
import pytest

from onecycle_cli.data.batches.augment import Augment
from onecycle_cli.data.batches.batching import _draws, _order, batch, steps_per_epoch
from onecycle_cli.errors import DataError


@pytest.fixture
def numbered(make_dataset):
    """A data set whose targets are the rows of its pool."""
    dataset = make_dataset(train=50, validation=13)
    return replace(dataset, y=np.arange(63, dtype=np.int32))


def epoch_batches(dataset, seed, epoch, batch_size=16):
    steps = steps_per_epoch(dataset, batch_size)
    key = {"seed": seed, "epoch": epoch, "batch_size": batch_size}
    return [batch(dataset, **key, step=step)[1].tolist() for step in range(steps)]


def epoch_rows(dataset, seed, epoch):
    return [row for rows in epoch_batches(dataset, seed, epoch) for row in rows]


def test_an_epoch_shows_each_training_example_once(numbered):
    assert [len(rows) for rows in epoch_batches(numbered, 0, 0)] == [16, 16, 16, 2]
    assert sorted(epoch_rows(numbered, 0, 0)) == numbered.train.tolist()


def test_the_order_differs_between_epochs_and_seeds(numbered):
    orders = [epoch_rows(numbered, s, e) for s, e in [(0, 0), (0, 1), (1, 0), (1, 1)]]
    assert len({tuple(order) for order in orders}) == 4
    assert all(order != sorted(order) for order in orders)


def test_inputs_belong_to_their_targets(numbered):
    x, y = batch(numbered, seed=0, epoch=3, step=2, batch_size=16)
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x, numbered.normalise(numbered.x[y]))


@pytest.mark.parametrize("augment", [None, Augment(flip=True, crop=2, cutout=3)])
def test_any_order_of_calls_gives_the_same_bytes(numbered, augment):
    keys = [(seed, epoch, step) for seed in (0, 7) for epoch in range(6) for step in range(4)]

    def compute(key):
        seed, epoch, step = key
        options = {"batch_size": 16, "augment": augment}
        x, y = batch(numbered, seed=seed, epoch=epoch, step=step, **options)
        return x.tobytes() + y.tobytes()

    first = {key: compute(key) for key in keys}
    random.Random(0).shuffle(keys)
    _order.cache_clear()
    np.random.default_rng().random()
    assert all(compute(key) == first[key] for key in keys)
    assert len(set(first.values())) == len(keys)


def test_the_caller_may_change_a_batch(numbered):
    key = {"seed": 0, "epoch": 0, "step": 0, "batch_size": 16}
    x, y = batch(numbered, **key)
    before = x.tobytes(), y.tobytes()
    x += 1
    y += 1
    again = batch(numbered, **key)
    assert (again[0].tobytes(), again[1].tobytes()) == before


def test_the_augmentation_of_a_step_is_not_the_order_of_its_epoch():
    order = np.random.Generator(np.random.PCG64([5, 2])).random((5, 8))
    assert not (_draws(5, 2, 0, 8) == order).any()


def test_augmentation_differs_between_steps_and_epochs():
    draws = [_draws(0, epoch, step, 4).tobytes() for epoch in range(3) for step in range(3)]
    assert len(set(draws)) == 9


@pytest.mark.parametrize("step", [-1, 4])
def test_a_step_outside_the_epoch_is_refused(numbered, step):
    with pytest.raises(IndexError, match=rf"step must lie in 0\.\.3, got {step}"):
        batch(numbered, seed=0, epoch=0, step=step, batch_size=16)


def test_regression_targets_keep_their_shape(make_dataset):
    dataset = replace(
        make_dataset(shape=(4,)), classes=None, task="regression", y=np.ones((120, 2), np.float32)
    )
    x, y = batch(dataset, seed=0, epoch=0, step=0, batch_size=16)
    assert x.shape == (16, 4)
    assert y.shape == (16, 2)
    assert y.dtype == np.float32


@pytest.mark.parametrize(("batch_size", "steps"), [(1, 50), (16, 4), (25, 2), (50, 1)])
def test_steps_are_rounded_up(numbered, batch_size, steps):
    assert steps_per_epoch(numbered, batch_size) == steps


def test_a_batch_larger_than_the_data_is_refused(numbered):
    with pytest.raises(DataError, match="batch_size must be at most the 50 training examples of"):
        steps_per_epoch(numbered, 51)
