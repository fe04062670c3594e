import hashlib

import numpy as np
import pytest

from onecycle_cli.config import DatasetConfig
from onecycle_cli.data.sources import digits

pytestmark = pytest.mark.lowest

DIGEST = "fe61bc84cd6a594d5ed1b937b7d8f8f791d4091d2a9df91fe5d6066156a4db6e"
"""SHA-256 of scikit-learn's `load_digits`: its images as bytes, its labels as 32-bit integers."""


def test_digits_are_bytes_with_a_channel_axis():
    source = digits.read(DatasetConfig(name="digits"), None)
    assert (source.x.dtype, source.x.shape) == (np.uint8, (1797, 8, 8, 1))
    assert (source.y.dtype, source.y.shape) == (np.int32, (1797,))
    assert (source.x.min(), source.x.max()) == (0, 16)
    assert source.test is None


def test_digits_are_those_of_scikit_learn_to_the_bit():
    source = digits.read(DatasetConfig(name="digits"), None)
    assert hashlib.sha256(source.x.tobytes() + source.y.tobytes()).hexdigest() == DIGEST
