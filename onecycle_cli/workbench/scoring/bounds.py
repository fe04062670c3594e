"""Between which losses a range test has to come down: what guessing costs, and the least of all."""

from __future__ import annotations

from types import MethodType
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from onecycle_cli.data import Dataset
from onecycle_cli.data.inputs import arrays_of, rows_of
from onecycle_cli.engine.data_loss import LossParts
from onecycle_cli.suggest import Bounds
from onecycle_cli.workbench.scoring.compiled import floor_of_compiled, has_own_loss

_MOST = 4096
_SURE = 30.0  # as a logit
_SUM_TOLERANCE = 0.02

Array = NDArray[np.float32]


UNKNOWN = Bounds()


def bounds_of_compiled(model: Any, dataset: Dataset, outputs: Any) -> Bounds:
    """Return the bounds of a compiled loss that is none of the known tasks'.

    Args:
        model: compiled.
        dataset: the training data.
        outputs: what the model answers to a few of them.
    """
    floor = floor_of_compiled(model)
    if floor is not None or has_own_loss(model) or model.loss is None:
        return Bounds(floor, None)
    return measured_bounds(model, dataset, outputs)


def measured_bounds(model: Any, dataset: Dataset, outputs: Any) -> Bounds:
    """Return what a compiled loss of any kind gives for right answers, and for the best guesses.

    A constant in the loss, of which nothing else tells, is in both. They are measured where one
    array of targets is compared with one array of outputs, whose form says how the targets are
    answered: by numbers like them, or by a number for each class. Of single answers those are
    tried that are the best for the usual losses: means, medians, shares, and logits of these.

    Args:
        model: compiled, with Keras' own `compute_loss`.
        dataset: the training data, arrays in memory.
        outputs: what the model answers to a few of them.
    """
    targets = arrays_of(dataset.y)
    if dataset.stream is not None or len(targets) != 1 or not hasattr(outputs, "ndim"):
        return UNKNOWN
    spread = np.linspace(0, len(dataset.train) - 1, min(len(dataset.train), _MOST))
    rows = dataset.train[spread.astype(np.int64)]
    weights = () if dataset.weights is None else (dataset.weights[rows],)
    right = _as_outputs(np.asarray(rows_of(targets[0], rows)), outputs)
    if right is None:
        return UNKNOWN
    forms = [_logits] if _are_no_probabilities(outputs) else []
    floor, guessing = (
        min(
            (_loss(model, rows_of(dataset.y, rows), answer, *weights) for answer in answers),
            default=np.inf,
        )
        for answers in (_each_form(right, forms), _constants(right, forms, outputs))
    )
    return Bounds(floor, guessing) if floor < guessing < np.inf else UNKNOWN


def _as_outputs(targets: NDArray[Any], outputs: NDArray[Any]) -> Array | None:
    """Return targets as a model would answer them rightly; None where that can't be told."""
    if targets.dtype.kind not in "buif":
        return None
    wanted = (len(targets), *outputs.shape[1:])
    if targets.size == np.prod(wanted):
        return targets.reshape(wanted).astype(np.float32)
    labels = targets.reshape(-1)
    if len(labels) != len(targets) or outputs.ndim != 2 or labels.dtype.kind == "f":
        return None
    if labels.min() < 0 or labels.max() >= outputs.shape[1]:
        return None
    return np.eye(outputs.shape[1], dtype=np.float32)[labels.astype(np.int64)]


def _each_form(answers: Array, forms: list[Any]) -> list[Array]:
    return [answers, *(form(answers) for form in forms if _are_shares(answers))]


def _constants(right: Array, forms: list[Any], outputs: NDArray[Any]) -> list[Array]:
    """Return single answers to all examples, each repeated for all of them."""
    mean, median = right.mean(axis=0), np.median(right, axis=0).astype(np.float32)
    found = _each_form(mean, forms)
    if not _add_up(outputs) or _add_up(median[None]):
        found += [median]
    return [np.broadcast_to(answer, right.shape) for answer in found]


def _logits(shares: Array) -> Array:
    """Return logits of shares, for a sigmoid of each or, of shares of classes, for a softmax."""
    least = np.exp(-_SURE)
    shares = np.clip(shares.astype(np.float64), least, 1 - least)
    own = np.log(shares)
    is_of_classes = shares.shape[-1:] > (1,) and _add_up(shares.reshape(-1, shares.shape[-1]))
    return (own if is_of_classes else own - np.log1p(-shares)).astype(np.float32)


def _are_shares(values: Array) -> bool:
    return bool(values.min() >= 0 and values.max() <= 1)


def _are_no_probabilities(outputs: NDArray[Any]) -> bool:
    return not _are_shares(outputs) or (outputs.shape[-1] > 1 and not _add_up(outputs))


def _add_up(rows: NDArray[Any]) -> bool:
    return bool(np.abs(rows.sum(axis=-1) - 1).max() <= _SUM_TOLERANCE)


def _loss(model: Any, targets: Any, answers: Array, weights: Any = None) -> float:
    """Return the data loss of answers; infinite where it is no number."""
    parts = LossParts(model, MethodType(keras.Model.compute_loss, model))
    _, data = parts(None, targets, ops.convert_to_tensor(answers), weights, training=False)
    loss = np.inf if data is None else float(ops.convert_to_numpy(data))
    return loss if np.isfinite(loss) else np.inf
