"""A recorded sweep as data and a network, so that a training repeats it."""

from __future__ import annotations

import numpy as np
import torch
from torch.utils.data import DataLoader, TensorDataset


class Echo(torch.nn.Module):
    """A network that gives back what it is given, and whose gradient is zero."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + 0 * self.weight


def batches(losses: np.ndarray) -> DataLoader:
    """Return one batch for each loss: an example that is the loss, and a target without meaning."""
    values = torch.tensor(losses, dtype=torch.float32)[:, None]
    return DataLoader(TensorDataset(values, torch.zeros_like(values)), batch_size=1, shuffle=False)


def mean(outputs: torch.Tensor, _: torch.Tensor) -> torch.Tensor:
    """Return the loss: the recorded one, as Echo gives it back."""
    return outputs.mean()
