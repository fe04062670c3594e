"""The folders of keras-one-cycle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from onecycle_cli.errors import ResultError
from onecycle_cli.runs.curve import Curve

_BIAS_CORRECTION = 0.98

_LARGEST_EXPONENT = 300


def read_seed_folder(folder: Path) -> Curve:
    """Return the curve of keras-one-cycle's `lrs.npy` and `losses.npy`.

    It saved log10 of the rate after an exponential sweep, and the rate after a linear one, without
    saying which: negative values are exponents, as every sweep from a rate below 1 has them. Its
    losses are multiplied by `1 / (1 - .98^t)`, which is undone here.

    Raises:
        ResultError: when a file is missing or damaged.
    """
    lrs, losses = (_read_npy(folder / f"{name}.npy") for name in ("lrs", "losses"))
    if lrs.ndim != 1 or lrs.shape != losses.shape or not len(lrs):
        raise ResultError(
            f"{folder}: lrs.npy and losses.npy must be lists of the same length; got "
            f"{lrs.shape} and {losses.shape}."
        )
    if lrs.min() < 0 and lrs.max() < _LARGEST_EXPONENT:
        lrs = 10.0**lrs
    if not (np.isfinite(lrs).all() and lrs.min() >= 0):
        raise ResultError(f"{folder / 'lrs.npy'}: holds numbers that are no learning rates.")
    steps = np.arange(1, len(losses) + 1)
    true_losses = losses * (1 - _BIAS_CORRECTION**steps)
    return Curve(lrs.tolist(), true_losses.tolist(), folder.name)


def _read_npy(path: Path) -> np.ndarray[Any, np.dtype[np.float64]]:
    try:
        with path.open("rb") as file:
            return np.asarray(np.lib.format.read_array(file, allow_pickle=False), np.float64)
    except FileNotFoundError:
        raise ResultError(f"{path}: is missing.") from None
    except (OSError, ValueError, TypeError, EOFError, MemoryError) as error:
        raise ResultError(f"{path}: cannot be read as a list of numbers: {error}.") from None
