"""What is searched: the same values that `recipe.random_search` draws from."""

from __future__ import annotations

import zlib

import recipe
from problems import Problem

RATES = 1e-4, 10**0.5
MOMENTA = 0.8, 0.99
"""The highest momentum; the lowest is 0.1 less."""


Found = tuple[recipe.Choice, int]
"""The best values of a search, and how many trials it began."""


def decays(problem: Problem) -> tuple[float, float]:
    return recipe.DECAYS["decoupled" if problem.optimizer == "adamw" else "l2"]


def seed(problem: Problem, search: int) -> int:
    """Return what a search draws from: something else on each task."""
    return zlib.crc32(f"{problem.name} {search}".encode())


def choice(lr: float, momentum: float, decay: float) -> recipe.Choice:
    lowest = max(0.0, momentum - 0.1)
    return recipe.Choice(lr=lr, momentum_max=momentum, momentum_min=lowest, weight_decay=decay)
