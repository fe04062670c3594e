import subprocess
import sys

import pytest

from onecycle_cli import data

SCRIPT = """
import sys
import onecycle_cli.data as data
assert "numpy" not in sys.modules
from onecycle_cli.config import DatasetConfig
dataset = data.load(DatasetConfig(name="digits"), seed=0)
data.batch(dataset, seed=0, epoch=0, step=0, batch_size=8)
assert not {"keras", "tensorflow"} & set(sys.modules)
data.Batches
assert "keras" in sys.modules
"""


@pytest.mark.harness
def test_only_the_feed_imports_keras():
    subprocess.run([sys.executable, "-W", "ignore", "-c", SCRIPT], check=True, capture_output=True)


def test_every_public_name_is_there():
    assert sorted(data.__all__) == data.__all__ == dir(data)
    assert all(getattr(data, name).__name__ == name for name in data.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = data.nonsense
