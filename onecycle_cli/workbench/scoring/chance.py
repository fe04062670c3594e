"""What guessing costs: the loss of the best single answer to all examples."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data import Dataset
from onecycle_cli.data.inputs import rows_of
from onecycle_cli.workbench.scoring.compiled import as_labels
from onecycle_cli.workbench.scoring.objective import Objective

_HUBER_DELTA = 1.0  # which is Keras' default
_SEARCH = 100
_GOLDEN = (np.sqrt(5) - 1) / 2

Array = NDArray[np.float64]


def chance_of(objective: Objective, dataset: Dataset, classes: int) -> float | None:
    """Return what guessing costs on the training part; `None` where no formula gives it.

    Args:
        objective: the task and its loss.
        dataset: the data.
        classes: the number of classes, where there are.
    """
    if objective.task == "other" or dataset.stream is not None:
        return None
    rows, weights = dataset.train, dataset.weights
    targets = rows_of(dataset.targets, rows)
    if objective.task == "multiclass":
        targets = as_labels(targets)
    return chance(objective, targets, classes, None if weights is None else weights[rows])


def chance(objective: Objective, targets: NDArray, classes: int, weights: NDArray | None) -> float:
    """Return the training loss of a model that answers all examples alike, and as well as it can.

    For classes and labels it is the entropy of their shares, smoothed as the training smooths them;
    for the squared error the variance; for the absolute error the distance from the median; for
    Huber's the least of all constants.

    Args:
        objective: the task and its loss.
        targets: of the training part, as they are trained on.
        classes: the number of classes, where there are.
        weights: of the examples, shape (n,); None: all count alike.
    """
    counted = np.ones(len(targets)) if weights is None else weights.astype(np.float64)
    share, scale = counted / counted.sum(), counted.mean()
    return float(scale * _CHANCES[objective.loss](objective, targets, classes, share))


def _of_classes(objective: Objective, targets: NDArray, classes: int, share: Array) -> float:
    shares = np.bincount(targets, share, minlength=classes).astype(np.float64)
    return _entropy(shares + objective.smoothing * (1 / classes - shares))


def _of_labels(objective: Objective, targets: NDArray, _: int, share: Array) -> float:
    ones = share @ targets.reshape(len(targets), -1)
    ones = ones + objective.smoothing * (0.5 - ones)
    return float(np.mean([_entropy(np.array([p, 1 - p])) for p in ones]))


def _entropy(shares: Array) -> float:
    present = shares[shares > 0]
    return float(-(present * np.log(present)).sum())


def _of_squares(_: Objective, targets: NDArray, __: int, share: Array) -> float:
    columns = targets.reshape(len(targets), -1).astype(np.float64)
    return float((share @ np.square(columns - share @ columns)).mean())


def _of_distances(_: Objective, targets: NDArray, __: int, share: Array) -> float:
    columns = targets.reshape(len(targets), -1).astype(np.float64).T
    return float(np.mean([share @ np.abs(column - _median(column, share)) for column in columns]))


def _median(column: Array, share: Array) -> float:
    order = np.argsort(column)
    return float(column[order][np.searchsorted(np.cumsum(share[order]), 0.5 - 1e-12)])


def _of_huber(_: Objective, targets: NDArray, __: int, share: Array) -> float:
    columns = targets.reshape(len(targets), -1).astype(np.float64).T
    return float(np.mean([_least_huber(column, share) for column in columns]))


def _least_huber(column: Array, share: Array) -> float:
    """Return the least mean of Huber's loss over all constants: it is convex in the constant."""
    low, high = float(column.min()), float(column.max())
    for _ in range(_SEARCH):
        a, b = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if _huber(column - a, share) <= _huber(column - b, share):
            high = b
        else:
            low = a
    return _huber(column - (low + high) / 2, share)


def _huber(errors: Array, share: Array) -> float:
    size = np.abs(errors)
    small = size <= _HUBER_DELTA
    return float(share @ np.where(small, size**2 / 2, _HUBER_DELTA * (size - _HUBER_DELTA / 2)))


_CHANCES = {
    "sparse_categorical_crossentropy": _of_classes,
    "binary_crossentropy": _of_labels,
    "mse": _of_squares,
    "mae": _of_distances,
    "huber": _of_huber,
}
