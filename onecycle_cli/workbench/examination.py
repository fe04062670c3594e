"""How a model does on examples that it is not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from onecycle_cli.data import EvaluationBatches


@dataclass(frozen=True)
class Examination:
    """How a model does on a part of the data.

    Attributes:
        losses: data loss of each example, without penalties, of shape (n,).
        confusion: for each true class (row) and each answer (column) the number of examples,
            int64 of shape (K, K); `None` for regression.
    """

    losses: NDArray[np.float64]
    confusion: NDArray[np.int64] | None = None

    @property
    def loss(self) -> float:
        """The mean loss."""
        return float(self.losses.mean())

    @property
    def accuracy(self) -> float | None:
        """The share of right classes, or `None` for regression."""
        if self.confusion is None:
            return None
        return float(self.confusion.trace() / self.confusion.sum())


def examine(
    model: Any, batches: EvaluationBatches, loss: Any, *, flip: bool = False
) -> Examination:
    """Return how a model does.

    Args:
        model: gives one output for each class, or for each target.
        batches: the examples, of a data set that fits the model.
        loss: gives one number for each example and target.
        flip: average the outputs for each image and for its mirror image.
    """
    outputs = np.asarray(model.predict(batches, verbose=0), np.float32)
    if flip:
        outputs += np.asarray(model.predict(batches.mirror(), verbose=0), np.float32)
        outputs /= 2
    targets = np.asarray(batches.y[batches.rows])
    classes = batches.dataset.num_outputs if batches.dataset.is_classification else None
    shaped = targets.reshape(len(targets), -1) if classes is None else targets
    losses = ops.convert_to_numpy(loss(shaped, outputs)).reshape(len(targets), -1)
    return Examination(
        losses.mean(axis=1).astype(np.float64),
        None if classes is None else confusion_of(targets, outputs.argmax(axis=1), classes),
    )


def confusion_of(
    targets: NDArray[np.integer[Any]], answers: NDArray[np.integer[Any]], classes: int
) -> NDArray[np.int64]:
    """Count how often each true class got each answer.

    Args:
        targets: the true classes, of shape (n,).
        answers: the model's, of shape (n,).
        classes: their number, K.

    Returns:
        Counts of shape (K, K): a row for each true class, a column for each answer.
    """
    pairs = targets.astype(np.int64) * classes + answers
    return np.bincount(pairs, minlength=classes**2).reshape(classes, classes).astype(np.int64)


def by_class(examined: Examination, names: tuple[str, ...] | None) -> dict[str, Any]:
    """Return the classes' shares of right answers and the confusion matrix, as plain data.

    Empty for regression. `accuracy` is `None` for a class without examples.
    """
    if examined.confusion is None or names is None:
        return {}
    rows = zip(names, examined.confusion.tolist(), strict=True)
    per_class = [
        {
            "class": name,
            "examples": sum(row),
            "accuracy": row[i] / sum(row) if sum(row) else None,
        }
        for i, (name, row) in enumerate(rows)
    ]
    return {"per_class": per_class, "confusion": examined.confusion.tolist()}
