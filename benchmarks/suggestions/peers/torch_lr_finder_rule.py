"""torch-lr-finder's own `range_test` and `plot` on recorded losses."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from importlib.metadata import version

import numpy as np
import torch
from matplotlib.figure import Figure
from recorded_losses import Echo, batches, mean
from torch_lr_finder import LRFinder

PACKAGE = f"torch-lr-finder=={version('torch-lr-finder')}"
RANGE = "fastai"


def recorded_at(low: float, high: float, _: int) -> tuple[float, float]:
    """Return the range in which its rates go from `low` to `high`: that one."""
    return low, high


def answers(low: float, high: float, losses: np.ndarray) -> Iterator[tuple[str, float, int]]:
    """Yield the rule, the learning rate that it suggests, and how many steps that took."""
    network = Echo()
    finder = LRFinder(network, torch.optim.SGD(network.parameters(), low), mean)
    with contextlib.redirect_stdout(io.StringIO()):
        finder.range_test(batches(losses), end_lr=high, num_iter=len(losses))
        _, lr = finder.plot(ax=Figure().subplots())
    yield "pytorch-lr-finder", lr, len(finder.history["loss"])
