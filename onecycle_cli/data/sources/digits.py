"""The handwritten digits that the package brings along, in `digits.npz`.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
Repository, 1998, https://doi.org/10.24432/C50P49, CC BY 4.0: the table that scikit-learn's
`load_digits` gives. `digits.LICENSE.txt` says so beside the file.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from onecycle_cli.data.files import npz
from onecycle_cli.data.sources.source import Progress, Source

if TYPE_CHECKING:
    from onecycle_cli.config import DatasetConfig

_FILE = Path(__file__).with_name("digits.npz")


def read(config: DatasetConfig, progress: Progress | None) -> Source:
    """Return all 1,797 images, 8x8x1, whose values 0..16 are kept; there is no test set."""
    table = npz.read(_FILE, ("images", "labels"))
    images, labels = table["images"][..., np.newaxis], table["labels"].astype(np.int32)
    return Source(images, labels, tuple("0123456789"), origin="digits")
