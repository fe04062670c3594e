"""Handwritten digits, which come with this package.

`digits.npz` holds the test part of "Optical Recognition of Handwritten Digits" by E. Alpaydin and
C. Kaynak, UCI Machine Learning Repository, https://doi.org/10.24432/C50P49. Its licence is CC BY
4.0, https://creativecommons.org/licenses/by/4.0/. The 1,797 images are kept as bytes, in
scikit-learn's order.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from onecycle_cli.data.files.npz import read_npz
from onecycle_cli.data.sources.source import Progress, Source

if TYPE_CHECKING:
    from onecycle_cli.config import DatasetConfig

FILE = Path(__file__).with_name("digits.npz")


def read(config: DatasetConfig, progress: Progress | None) -> Source:
    """Return all 1,797 images, 8x8x1, whose values 0..16 are kept; there is no test set."""
    arrays = read_npz(FILE, ("x", "y"))
    return Source(arrays["x"], arrays["y"].astype(np.int32), tuple("0123456789"), origin="digits")
