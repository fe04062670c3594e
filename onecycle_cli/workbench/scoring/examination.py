"""How a model does on examples that it is not trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from onecycle_cli.data import EvaluationBatches
from onecycle_cli.data.batches.pipeline import for_fit
from onecycle_cli.data.batches.stream import Stream
from onecycle_cli.data.inputs import arrays_of, count, rows_of
from onecycle_cli.data.target_scale import TargetScale
from onecycle_cli.engine.devices.shares import answers_of
from onecycle_cli.engine.instruments import Instruments
from onecycle_cli.workbench.scoring.answers import answers_to
from onecycle_cli.workbench.scoring.compiled import as_labels
from onecycle_cli.workbench.scoring.objective import Objective
from onecycle_cli.workbench.scoring.scores import scores_of_labels, scores_of_numbers


@dataclass(frozen=True)
class Examination:
    """How a model does on a part of the data.

    Attributes:
        losses: data loss of each example, without penalties, of shape (n,).
        confusion: for each true class (row) and each answer (column) the number of examples,
            int64 of shape (K, K); `None` where there are none.
        scores: further measures of the task, see `scores`.
        answered: the true class of each example and the answer that it got, int64 of shape (n, 2);
            `None` where there are no classes.
        counts: where only the means of batches are known, and are `losses`: the examples of each.
    """

    losses: NDArray[np.float64]
    confusion: NDArray[np.int64] | None = None
    scores: dict[str, Any] = field(default_factory=dict)
    counts: NDArray[np.int64] | None = None
    answered: NDArray[np.int64] | None = None

    @property
    def loss(self) -> float:
        """The mean loss."""
        return float(np.average(self.losses, weights=self.counts))

    @property
    def single_scores(self) -> dict[str, float]:
        """Those of the scores that are one number, accuracy apart."""
        return {
            name: value
            for name, value in self.scores.items()
            if isinstance(value, float) and name != "accuracy"
        }

    @property
    def accuracy(self) -> float | None:
        """The share of right classes, or of right labels; `None` for regression."""
        if self.confusion is None:
            return self.scores.get("accuracy")
        return float(self.confusion.trace() / self.confusion.sum())


def examine(
    model: Any,
    batches: EvaluationBatches,
    objective: Objective,
    *,
    flip: bool = False,
    weights: NDArray[np.float32] | None = None,
) -> Examination:
    """Return how a model does.

    The scores of the metrics that it was compiled with come beside those of its task, unless they
    have their names.

    Args:
        model: gives one output for each class, label or target; for `binary` a single one.
        batches: the examples, of a data set that fits the model.
        objective: the task and its loss.
        flip: average the outputs for each image and for its mirror image.
        weights: what the loss of each example is multiplied by, shape (n,).
    """
    outputs = answers_to(model, batches)
    if flip:
        outputs += answers_to(model, batches.mirror())
        outputs /= 2
    (targets,) = arrays_of(rows_of(batches.y, batches.rows))
    scale = batches.dataset.target_scale
    examined = _judged(objective, targets, outputs, weights, scale=scale)
    return _with_own_metrics(model, examined, targets, outputs, weights)


def examine_stream(
    model: Any, stream: Stream | None, objective: Objective, instruments: Instruments
) -> Examination:
    """Return how a model does on an epoch of a pipeline, with the scores of its task, if it is any.

    Those of the metrics that it was compiled with come beside them, unless they have their names.

    Args:
        model: as for `examine`, and compiled.
        stream: gives the examples, with targets and, if they have any, weights.
        objective: the task and its loss.
        instruments: attached to the model.
    """
    if stream is None:
        raise ValueError("there is nothing to validate on; ask the data set first.")
    if objective.task == "other":
        return examine_by_batches(model, stream.from_batch(0), instruments, stream.steps)
    told: list[tuple[Any, ...]] = []
    answers: list[NDArray[Any]] = []
    for inputs, *others in islice(stream.batches(), stream.steps):
        answers.append(answers_of(model, inputs))
        told.append(tuple(others))
    outputs = np.concatenate(answers).astype(np.float32)
    columns = zip(*told, strict=True)
    targets, *weights = (np.concatenate([*map(_only_array, column)]) for column in columns)
    examined = _judged(objective, targets, outputs, *weights)
    return _with_own_metrics(model, examined, targets, outputs, *weights)


def _with_own_metrics(
    model: Any,
    examined: Examination,
    targets: NDArray[Any],
    outputs: NDArray[np.float32],
    weights: NDArray[Any] | None = None,
) -> Examination:
    if not model.compiled:
        return examined
    model.reset_metrics()
    own = model.compute_metrics(None, targets, outputs, weights)
    return replace(examined, scores=_single(own) | examined.scores)


def _only_array(tree: Any) -> NDArray[Any]:
    (array,) = arrays_of(tree)
    return np.asarray(array)


def _judged(
    objective: Objective,
    targets: NDArray[Any],
    outputs: NDArray[np.float32],
    weights: NDArray[Any] | None = None,
    *,
    scale: TargetScale | None = None,
) -> Examination:
    """Return how good answers are, by the task and its loss.

    Where targets are standardised, losses are too, and scores are in the targets' own units.
    """
    is_multiclass = objective.task == "multiclass"
    shaped = targets = as_labels(targets) if is_multiclass else np.asarray(targets)
    if not is_multiclass:
        shaped = targets.reshape(len(targets), -1)
    each = ops.convert_to_numpy(objective.per_example()(shaped, outputs))
    losses = each.reshape(len(targets), -1).mean(axis=1).astype(np.float64)
    answered, classes, scores = _answered(objective, targets, shaped, outputs, scale)
    return Examination(
        losses if weights is None else losses * weights,
        None if answered is None else confusion_of(answered[:, 0], answered[:, 1], classes),
        scores,
        answered=answered,
    )


def _answered(
    objective: Objective,
    targets: NDArray[Any],
    shaped: NDArray[Any],
    outputs: NDArray[Any],
    scale: TargetScale | None,
) -> tuple[NDArray[np.int64] | None, int, dict[str, Any]]:
    """Return true classes beside answers, how many classes there are, and what else is to be said.

    The first is `None` where there are no classes.
    """
    if objective.task == "multiclass":
        return _side_by_side(targets, outputs.argmax(axis=1)), outputs.shape[1], {}
    outputs = outputs.reshape(len(targets), -1).astype(np.float64)
    if objective.task == "regression" and scale is not None:
        shaped, outputs = scale.in_own_units(shaped), scale.in_own_units(outputs)
    if objective.task == "regression":
        return None, 0, scores_of_numbers(shaped, outputs)
    threshold = 0.0 if objective.from_logits else 0.5
    scores = scores_of_labels(shaped, outputs, threshold)
    if objective.task == "multilabel":
        return None, 0, scores
    return _side_by_side(shaped[:, 0], outputs[:, 0] >= threshold), 2, scores


def _side_by_side(targets: NDArray[Any], answers: NDArray[Any]) -> NDArray[np.int64]:
    return np.stack([targets, answers], axis=1).astype(np.int64)


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


def examine_by_batches(
    model: Any, batches: Any, instruments: Instruments, steps: int | None = None
) -> Examination:
    """Return how a model does by the loss that it computes itself, batch by batch.

    Its scores are the metrics that it was compiled with, one called `accuracy` among them.

    Args:
        model: compiled.
        batches: the examples, with targets and weights in the form that it takes.
        instruments: attached to it.
        steps: how many batches; None: all that there are.
    """
    heard, counted = _TestLosses(instruments), _Counted(batches)
    found = model.evaluate(
        for_fit(counted, whole=True),
        steps=len(batches) if steps is None else steps,
        verbose=0,
        callbacks=[heard],
        return_dict=True,
    )
    sizes = counted.sizes[: len(heard.losses)]  # Keras reads ahead
    return Examination(np.array(heard.losses), None, _single(found), np.array(sizes, np.int64))


def _single(found: Mapping[str, Any]) -> dict[str, float]:
    """Return those of a model's own metrics that are one number, the loss apart."""
    numbers = {name: np.asarray(ops.convert_to_numpy(value)) for name, value in found.items()}
    return {n: float(value) for n, value in numbers.items() if n != "loss" and value.ndim == 0}


class _Counted:
    """Batches that can be gone through again and again.

    Attributes:
        sizes: how many examples each has that was given since they were last begun.
    """

    def __init__(self, batches: Iterable[tuple[Any, ...]]) -> None:
        self._batches = batches
        self.sizes: list[int] = []

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        sizes = self.sizes = []
        for batch in self._batches:
            sizes.append(count(batch[0]))
            yield batch


class _TestLosses(keras.callbacks.Callback):
    """Takes down the loss of each batch that is evaluated."""

    def __init__(self, instruments: Instruments) -> None:
        super().__init__()
        self._instruments = instruments
        self.losses: list[float] = []

    def on_test_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        _ = self.model  # on JAX, brings the variables up to date
        self.losses.append(self._instruments.test_loss)
