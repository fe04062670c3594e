import hashlib

import numpy as np

from onecycle_cli.config import DatasetConfig
from onecycle_cli.data.sources import digits

DIGEST = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"
"""Of scikit-learn's table, images and labels as bytes."""


def test_digits_are_bytes_with_a_channel_axis():
    source = digits.read(DatasetConfig(name="digits"), None)
    data = source.x.tobytes() + source.y.astype(np.uint8).tobytes()
    assert hashlib.sha256(data).hexdigest() == DIGEST
    assert source.x.dtype == np.uint8
    assert source.y.dtype == np.int32
    assert source.x.shape == (1797, 8, 8, 1)
    assert source.x.max() == 16
    assert source.classes == tuple("0123456789")
    assert source.test is None
