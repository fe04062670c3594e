import numpy as np
from sklearn.datasets import load_digits

from onecycle_cli.config import DatasetConfig
from onecycle_cli.data.sources import digits


def test_digits_are_bytes_with_a_channel_axis():
    source = digits.read(DatasetConfig(name="digits"), None)
    expected = load_digits()
    np.testing.assert_array_equal(source.x[..., 0], expected.images)
    np.testing.assert_array_equal(source.y, expected.target)
    assert source.x.dtype == np.uint8
    assert source.x.shape == (1797, 8, 8, 1)
    assert source.test is None
