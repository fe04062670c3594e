import numpy as np
import pytest

from onecycle_cli.data import Dataset, statistics
from onecycle_cli.data.statistics import as_they_are, channel_statistics


@pytest.mark.parametrize("chunk", [1, 1000, 1 << 22])
@pytest.mark.parametrize("shape", [(8, 6, 3), (8, 6, 1), (5,)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_the_numbers_are_those_of_the_definition(monkeypatch, chunk, shape, dtype):
    monkeypatch.setattr(statistics, "_CHUNK", chunk)
    rng = np.random.default_rng(0)
    x = (rng.integers(0, 256, (70, *shape)) * rng.random(shape[-1])).astype(dtype)
    rows = rng.permutation(70)[:50]
    mean, std = channel_statistics(x, rows)
    values = x[rows].astype(np.float64).reshape(-1, shape[-1]) / (255 if dtype == np.uint8 else 1)
    assert mean.dtype == std.dtype == np.float32
    np.testing.assert_allclose(mean, values.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(std, values.std(axis=0), rtol=1e-6)


def test_only_the_given_rows_count():
    x = np.zeros((10, 2, 2, 1), np.uint8)
    x[5:] = 255
    assert channel_statistics(x, np.arange(5))[0].tolist() == [0.0]
    assert channel_statistics(x, np.arange(5, 10))[0].tolist() == [1.0]
    assert channel_statistics(x, np.arange(10))[1].tolist() == [0.5]


@pytest.mark.parametrize(("value", "dtype"), [(0, "uint8"), (201, "uint8"), (0.1, "f4"), (0, "f4")])
def test_a_constant_channel_has_deviation_one(value, dtype):
    x = np.random.default_rng(0).integers(0, 9, (1000, 2)).astype(dtype)
    x[:, 0] = value
    std = channel_statistics(x, np.arange(1000))[1]
    assert std[0] == 1
    assert 0 < std[1] != 1


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("shape", [(4, 3, 3), (5,)])
def test_inputs_may_be_left_as_they_are_to_the_bit(dtype, shape):
    x = (np.random.default_rng(0).integers(0, 256, (256, *shape))).astype(dtype)
    x.reshape(256, -1)[:, 0] = np.arange(256)
    mean, std = as_they_are(x, np.arange(3))
    kept = (np.array(each.tolist(), np.float32) for each in (mean, std))  # as `result.json` does
    rows = np.arange(256)
    data = Dataset("a", x, rows, rows, rows, None, *kept, read_test=lambda: None, origin="")
    seen = data.normalise(x)
    assert seen.dtype == np.float32
    np.testing.assert_array_equal(seen, x.astype(np.float32))


def test_a_large_mean_does_not_swallow_the_deviation():
    x = np.float32([[1e6 - 1], [1e6 + 1]] * 50)
    assert channel_statistics(x, np.arange(100))[1].tolist() == [1.0]


def test_many_bright_rows_do_not_overflow():
    x = np.full((70_000, 1, 1, 1), 255, np.uint8)
    mean, std = channel_statistics(x, np.arange(70_000))
    assert mean.tolist() == [1.0]
    assert std.tolist() == [1.0]  # constant
