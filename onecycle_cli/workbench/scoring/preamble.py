"""What is about to be trained, in two lines: a wrong task is seen before it costs anything."""

from __future__ import annotations

from typing import Any

import numpy as np

from onecycle_cli.data import Dataset
from onecycle_cli.data.inputs import arrays_of, rows_of
from onecycle_cli.engine.steering.optimizers import core
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.scoring.compiled import compiled_for
from onecycle_cli.workbench.scoring.objective import BINARY_CROSS_ENTROPY, CROSS_ENTROPY, Objective

_LOSSES = {
    CROSS_ENTROPY: "cross-entropy",
    BINARY_CROSS_ENTROPY: "binary cross-entropy",
    "mse": "mean squared error",
    "mae": "mean absolute error",
    "huber": "Huber loss",
}
_SCORES = {
    "multiclass": "accuracy",
    "binary": "accuracy and AUC",
    "multilabel": "accuracy, AUC and F1",
    "regression": "R2 and mean absolute error",
}
_TYPES = {"f": "floats", "u": "bytes", "i": "integers", "b": "truth values"}
_MOST_INPUTS = 3

FAR_FROM_ZERO = 5.0
"""Inputs or targets are far from 0 if their mean is, or their deviation is so large.

Answers to numbers are far off alike, which multiplies a squared error by the square.
"""


def announce(
    observer: Observer, dataset: Dataset, objective: Objective, outputs: int, optimizer: Any = None
) -> str:
    """Tell what the data are, what is predicted, by which loss, and what it is scored by.

    Returns the line that says so.

    Args:
        observer: hears it.
        dataset: the data.
        objective: the task and the loss.
        outputs: how many numbers the model answers with.
        optimizer: of a model that comes compiled, which shows the task; else the data do.
    """
    line = f"{_inputs(dataset)}, {_goal(dataset, objective, outputs)}"
    observer.note(line)
    if optimizer is None:
        observer.note(f"task: {objective.task} ({dataset.why})")
        if (
            dataset.target_scale is None
            and objective.task == "regression"
            and dataset.stream is None
        ):
            _warn_of_far_targets(observer, dataset)
    else:
        observer.note(compiled_for(objective, core(optimizer)))
    if dataset.target_scale is not None:
        own = ", mean absolute errors in the targets' own" if objective.task != "other" else ""
        observer.note(
            f"the targets are standardised, {dataset.target_scale}: losses and the model's answers "
            f"are in these units{own}"
        )
    return line


def _warn_of_far_targets(observer: Observer, dataset: Dataset) -> None:
    """Say so if the targets are far from where networks start: no learning rate may do then."""
    targets = rows_of(dataset.y, dataset.train)
    mean, deviation = float(np.mean(targets)), float(np.std(targets))
    if abs(mean) > FAR_FROM_ZERO * max(1.0, deviation) or deviation > FAR_FROM_ZERO:
        observer.warn(
            f"the targets have mean {mean:.3g} and deviation {deviation:.3g}, far from 0 and 1, "
            f"where networks start; set dataset.standardise_targets to true."
        )


def _inputs(dataset: Dataset) -> str:
    arrays = arrays_of(dataset.x)
    each = " and ".join(_shape(array) for array in arrays[:_MOST_INPUTS])
    if len(arrays) > _MOST_INPUTS:
        each += f" and {len(arrays) - _MOST_INPUTS} more"
    if dataset.stream is not None:
        return f"{dataset.stream.steps:,} batches of {each}"
    return f"{len(dataset.train):,} x {each}"


def _shape(array: object) -> str:
    shape, kind = getattr(array, "shape", (0,))[1:], getattr(array, "dtype", None)
    name = _TYPES.get(getattr(kind, "kind", ""), "values")
    return f"{' x '.join(map(str, shape)) or '1'} {name}"


def _goal(dataset: Dataset, objective: Objective, outputs: int) -> str:
    if objective.task == "other":
        return "a loss of the model's own"
    what = {
        "multiclass": f"{outputs:,} classes",
        "binary": "2 classes",
        "multilabel": f"{outputs:,} labels",
        "regression": "1 number" if outputs == 1 else f"{outputs:,} numbers",
    }[objective.task]
    if dataset.target_scale is not None:
        what = f"{what}, standardised"
    return f"{what}, {_LOSSES[objective.loss]}; scored by {_SCORES[objective.task]}"
