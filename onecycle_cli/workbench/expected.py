"""How many batches an epoch will have, without loading data that are large or far away."""

from __future__ import annotations

import math

from onecycle_cli.config import Config, source_of
from onecycle_cli.data import steps_per_epoch
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.loading import load_data


def expected_steps_per_epoch(config: Config) -> int:
    """Return the batches in one pass over the training part.

    The public data sets have sizes that are known; the others are loaded, and so are those whose
    validation rows are chosen.

    Raises:
        DataError: when a data set that has to be loaded can't be.
    """
    settings = config.dataset
    known = source_of(settings.name).training_examples
    if known is None or settings.validation_rows is not None:
        return steps_per_epoch(load_data(config, Observer()), config.batch_size)
    pool = min(known, settings.limit or known)
    validation = max(1, round(settings.validation_fraction * pool))
    return math.ceil((pool - validation) / config.batch_size)
