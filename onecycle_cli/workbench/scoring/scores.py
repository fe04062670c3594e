"""How good answers are, in the measures of their task."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def scores_of_labels(targets: NDArray[Any], outputs: Array, threshold: float) -> dict[str, Any]:
    """Return the measures of answers to yes-or-no questions.

    Args:
        targets: zeros and ones, shape (n, k).
        outputs: the model's, shape (n, k).
        threshold: from which on an output is a yes.

    Returns:
        `accuracy`, the share of right answers; the means over the columns of `auc` and `f1`; and,
        where there are several columns, `auc_per_label` and `f1_per_label`. None stands for what a
        column does not tell, such as the AUC of one with zeros only.
    """
    yes = outputs >= threshold
    is_right = yes == (targets > 0.5)
    columns = range(targets.shape[1])
    aucs = [area_under_curve(targets[:, i], outputs[:, i]) for i in columns]
    f1s = [f1(targets[:, i], yes[:, i]) for i in columns]
    found: dict[str, Any] = {
        "accuracy": float(is_right.mean()),
        "auc": _mean(aucs),
        "f1": _mean(f1s),
    }
    if targets.shape[1] > 1:
        found |= {"auc_per_label": aucs, "f1_per_label": f1s}
    return found


def scores_of_numbers(targets: NDArray[Any], outputs: Array) -> dict[str, Any]:
    """Return the measures of predicted numbers.

    Args:
        targets: shape (n, k).
        outputs: alike.

    Returns:
        The means over the columns of `r2`, the share of the variance that is explained, and of
        `mae`, the mean distance; where there are several columns, `r2_per_target` and
        `mae_per_target`. R2 is None for a column that does not vary.
    """
    errors = targets.astype(np.float64) - outputs
    left, whole = (errors**2).mean(axis=0), targets.astype(np.float64).var(axis=0)
    r2s = [None if w == 0 else float(1 - part / w) for part, w in zip(left, whole, strict=True)]
    maes = np.abs(errors).mean(axis=0).tolist()
    found: dict[str, Any] = {"r2": _mean(r2s), "mae": float(np.mean(maes))}
    if targets.shape[1] > 1:
        found |= {"r2_per_target": r2s, "mae_per_target": maes}
    return found


def area_under_curve(targets: NDArray[Any], outputs: Array) -> float | None:
    """Return the area under the ROC curve: how often a one gets a larger output than a zero.

    Ties count half (Mann and Whitney). None where there are no ones, or no zeros.

    Args:
        targets: zeros and ones, shape (n,).
        outputs: shape (n,).
    """
    is_one = targets > 0.5
    ones, zeros = int(is_one.sum()), int((~is_one).sum())
    if not ones or not zeros:
        return None
    _, place, counts = np.unique(outputs, return_inverse=True, return_counts=True)
    rank = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return float((rank[is_one].sum() - ones * (ones + 1) / 2) / (ones * zeros))


def f1(targets: NDArray[Any], answers: NDArray[np.bool_]) -> float | None:
    """Return the harmonic mean of precision and recall; None without ones among both.

    Args:
        targets: zeros and ones, shape (n,).
        answers: whether the model says one, shape (n,).
    """
    is_one = targets > 0.5
    either = int(is_one.sum()) + int(answers.sum())
    return 2 * int((is_one & answers).sum()) / either if either else None


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None
