"""How many batches an epoch will have, without loading data that are large or far away."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from onecycle_cli.config import SOURCES
from onecycle_cli.data.loading import load

if TYPE_CHECKING:
    from onecycle_cli.config import DatasetConfig


def expected_steps_per_epoch(config: DatasetConfig, batch_size: int, *, seed: int) -> int:
    """Return the batches in one pass over the training part.

    The public data sets have sizes that are known; the others are loaded.

    Args:
        config: the `dataset` section of the configuration.
        batch_size: examples in a batch.
        seed: as for `load`.

    Raises:
        DataError: when a data set that has to be loaded can't be.
    """
    known = SOURCES[config.name].training_examples
    if known is None:
        return math.ceil(len(load(config, seed=seed).train) / batch_size)
    pool = min(known, config.limit or known)
    validation = max(1, round(config.validation_fraction * pool))
    return math.ceil((pool - validation) / batch_size)
