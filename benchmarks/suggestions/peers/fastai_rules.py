"""fastai's own `Learner.lr_find`, with its four rules, on recorded losses."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from importlib.metadata import version

import numpy as np
from fastai.callback.schedule import SuggestionMethod
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.optimizer import SGD
from recorded_losses import Echo, batches, mean

PACKAGE = f"fastai=={version('fastai')}"
RANGE = "fastai"
RULES = ("valley", "slide", "steep", "minimum")


def recorded_at(low: float, high: float, count: int) -> tuple[float, float]:
    """Return the range in which its rates are `count` ones from `low` to `high`.

    Its last step stays one below the end of its range.
    """
    return low, high * (high / low) ** (1 / (count - 1))


def answers(low: float, high: float, losses: np.ndarray) -> Iterator[tuple[str, float, int]]:
    """Yield each rule, the learning rate that it suggests, and how many steps that took."""
    with tempfile.TemporaryDirectory() as folder:
        data = DataLoaders(batches(losses), batches(losses[:1]))
        learner = Learner(data, Echo(), loss_func=mean, opt_func=SGD, path=folder)
        rules = [getattr(SuggestionMethod, rule.capitalize()) for rule in RULES]
        found = learner.lr_find(low, high, len(losses), show_plot=False, suggest_funcs=rules)
    for rule, lr in zip(RULES, found, strict=True):
        yield f"fastai {rule}", lr, len(learner.recorder.losses)
