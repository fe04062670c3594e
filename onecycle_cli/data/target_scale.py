"""Numbers to predict, brought to mean 0 and deviation 1, and back to the units they came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.statistics import channel_statistics


@dataclass(frozen=True, eq=False)
class TargetScale:
    """Takes the mean from targets and divides them by their deviation.

    Attributes:
        mean: one number a column of the targets, in their units, float32 of shape (k,).
        std: the deviation, alike; 1 for a column that does not vary.
    """

    mean: NDArray[np.float32]
    std: NDArray[np.float32]

    @classmethod
    def of(cls, y: NDArray[np.float32], rows: NDArray[np.int64]) -> TargetScale:
        """Measure some rows of the targets, of shape (n,) or (n, k)."""
        return cls(*channel_statistics(y.reshape(len(y), -1), rows))

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> TargetScale:
        """Return what `as_dict` gave."""
        return cls(np.array(data["mean"], np.float32), np.array(data["std"], np.float32))

    def as_dict(self) -> dict[str, list[float]]:
        """Return it as plain data."""
        return {"mean": self.mean.tolist(), "std": self.std.tolist()}

    def standardised(self, y: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (y - mean) / std, in the shape of y."""
        columns = (y.reshape(len(y), -1) - self.mean) / self.std
        return columns.reshape(y.shape).astype(np.float32)

    def in_own_units(self, answers: NDArray[Any]) -> NDArray[np.float64]:
        """Return answers * std + mean: what a model that learned by this scale answers.

        Args:
            answers: shape (n, k).
        """
        return answers.astype(np.float64) * self.std + self.mean

    def __str__(self) -> str:
        means, stds = (_in_words(numbers) for numbers in (self.mean, self.std))
        return f"(y - {means}) / {stds}"


def _in_words(numbers: NDArray[np.float32]) -> str:
    each = ", ".join(f"{number:.6g}" for number in numbers.tolist())
    return each if len(numbers) == 1 else f"[{each}]"
