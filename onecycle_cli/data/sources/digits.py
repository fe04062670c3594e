"""The handwritten digits that come with scikit-learn.

Source: UCI Optical Recognition of Handwritten Digits,
https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from onecycle_cli.data.sources.source import Progress, Source

if TYPE_CHECKING:
    from onecycle_cli.config import DatasetConfig


def read(config: DatasetConfig, progress: Progress | None) -> Source:
    """Return all 1,797 images, 8x8x1, whose values 0..16 are kept; there is no test set."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    x = images.astype(np.uint8).reshape(-1, 8, 8, 1)
    return Source(x, labels.astype(np.int32), tuple("0123456789"), origin="scikit-learn")
