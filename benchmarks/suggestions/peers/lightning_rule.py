"""Lightning's own `Tuner.lr_find` on recorded losses. Its rule changed in 2.5.3."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from importlib.metadata import version

import lightning
import numpy as np
import torch
from lightning.pytorch.tuner import Tuner
from recorded_losses import Echo, batches, mean

PACKAGE = f"lightning=={version('lightning')}"
RANGE = "lightning"
AGE = ">=" if tuple(map(int, version("lightning").split(".")[:3])) >= (2, 5, 3) else "<"


class Module(lightning.LightningModule):
    """What Lightning trains."""

    def __init__(self) -> None:
        super().__init__()
        self.echo, self.lr = Echo(), 1.0

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        return mean(self.echo(batch[0]), batch[1])

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), self.lr)


def recorded_at(low: float, high: float, count: int) -> tuple[float, float]:
    """Return the range in which its rates are `count` ones from `low` to `high`.

    It takes the first step at the start of its range and leaves the second rate out, so that the
    first of all, which its rule does not read, remains a step too low.
    """
    return low * (low / high) ** (1 / (count - 1)), high


def answers(low: float, high: float, losses: np.ndarray) -> Iterator[tuple[str, float | None, int]]:
    """Yield the rule, the learning rate that it suggests, and how many steps that took."""
    with tempfile.TemporaryDirectory() as folder:
        trainer = lightning.Trainer(
            accelerator="cpu",
            default_root_dir=folder,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        found = Tuner(trainer).lr_find(Module(), batches(losses), min_lr=low, max_lr=high, num_training=len(losses))  # fmt: skip # noqa: E501
    yield f"Lightning {AGE} 2.5.3", found.suggestion(), len(found.results["loss"])
