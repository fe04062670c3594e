from dataclasses import replace

import numpy as np
import pytest


@pytest.mark.parametrize("shape", [(8, 6, 3), (8, 6, 1), (5,)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_training_part_has_mean_zero_and_deviation_one(make_dataset, shape, dtype):
    dataset = make_dataset(shape=shape, dtype=dtype)
    x = dataset.normalise(dataset.x[dataset.train])
    assert x.dtype == np.float32
    values = x.astype(np.float64).reshape(-1, shape[-1])
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=2e-6)
    np.testing.assert_allclose(values.std(axis=0), 1, atol=2e-6)


def test_normalising_bytes_is_the_formula(make_dataset):
    dataset = make_dataset()
    expected = (dataset.x / 255.0 - dataset.mean) / dataset.std
    np.testing.assert_allclose(dataset.normalise(dataset.x), expected, atol=1e-6)


def test_normalising_leaves_its_input_alone(make_dataset):
    for dtype in (np.uint8, np.float32):
        dataset = make_dataset(dtype=dtype)
        before = dataset.x.copy()
        dataset.normalise(dataset.x)
        np.testing.assert_array_equal(dataset.x, before)


def test_properties_of_classification_and_regression(make_dataset):
    images = make_dataset()
    assert images.input_shape == (8, 6, 3)
    assert images.is_image
    assert images.num_outputs == 5
    features = replace(
        make_dataset(shape=(4,)), classes=None, task="regression", y=np.zeros(120, np.float32)
    )
    assert features.input_shape == (4,)
    assert not features.is_image
    assert features.num_outputs == 1
    assert replace(features, y=np.zeros((120, 3), np.float32)).num_outputs == 3


def test_the_test_set_is_read_when_asked(make_dataset):
    asked = []
    dataset = replace(make_dataset(), read_test=lambda: asked.append(1) or ("x", "y"))
    _ = dataset.fingerprint, repr(dataset), dataset.num_outputs
    assert not asked
    assert dataset.test() == ("x", "y")


def test_the_fingerprint_tells_data_and_splits_apart(make_dataset):
    dataset = make_dataset()
    assert dataset.fingerprint == make_dataset().fingerprint
    assert len(dataset.fingerprint) == 16
    others = [
        make_dataset(seed=1),
        replace(dataset, y=dataset.y[::-1]),
        replace(dataset, y=dataset.y.astype(np.float32)),
        replace(dataset, x=dataset.x.reshape(120, 6, 8, 3)),
        replace(dataset, train=dataset.train[:-1]),
        replace(dataset, validation=dataset.validation[:-1]),
        replace(dataset, train=dataset.validation, validation=dataset.train),
        replace(dataset, test_rows=dataset.validation[:3]),
        replace(dataset, classes=tuple("abcde")),
    ]
    assert len({dataset.fingerprint, *(other.fingerprint for other in others)}) == 10


@pytest.mark.parametrize("count", [120, 1500])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_fingerprint_changes_with_every_row(make_dataset, dtype, count):
    """In the middle of many too, and if a single bit of it does."""
    dataset = make_dataset(train=count - 20, shape=(3,), dtype=dtype)
    prints = {dataset.fingerprint}
    for row in range(0, count, count // 30 + 1):
        for values in ("x", "y"):
            changed = getattr(dataset, values).copy()
            changed[row : row + 1].view(np.uint8).reshape(-1)[-1] ^= 1
            prints.add(replace(dataset, **{values: changed}).fingerprint)
        order = np.arange(count)
        order[[row, row - 1]] = row - 1, row
        prints.add(replace(dataset, x=dataset.x[order]).fingerprint)
    assert len(prints) == 1 + 3 * len(range(0, count, count // 30 + 1))


def test_repr_is_short(make_dataset):
    assert len(repr(make_dataset())) < 400
