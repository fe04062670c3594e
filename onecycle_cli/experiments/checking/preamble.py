"""Data, task and loss in a line, such as "1,000 x 20 floats, 3 classes, cross-entropy"."""

from __future__ import annotations

from typing import Any

import numpy as np

from onecycle_cli.data import Dataset
from onecycle_cli.data.inputs import arrays_of
from onecycle_cli.workbench.scoring.objective import Objective

_LOSSES = {
    "sparse_categorical_crossentropy": "cross-entropy",
    "binary_crossentropy": "binary cross-entropy",
    "mse": "mean squared error",
    "mae": "mean absolute error",
    "huber": "Huber's loss",
    "compiled": "the loss that the model was compiled with",
}
_KINDS = {"u": "integers", "i": "integers", "f": "floats", "b": "truth values"}
_COLOURS = {1: "grey images", 3: "colour images"}


def preamble(dataset: Dataset, objective: Objective, loss: str) -> str:
    """Return what is trained with and for, in a line.

    Args:
        dataset: the data.
        objective: the task.
        loss: the name of the loss.
    """
    said = [_inputs(dataset), _targets(dataset, objective), _LOSSES.get(loss, loss)]
    return ", ".join(part for part in said if part)


def examples(dataset: Dataset) -> int:
    """Return how many examples train, validate, or are set aside for the test."""
    test = 0 if dataset.test_rows is None else len(dataset.test_rows)
    return len(dataset.train) + len(dataset.validation) + test


def _inputs(dataset: Dataset) -> str:
    arrays = arrays_of(dataset.x)
    if dataset.stream is not None:
        return f"a pipeline of {dataset.stream.steps:,} batches of {_form(arrays[0])}"
    count = examples(dataset)
    if len(arrays) > 1:
        return f"{count:,} examples of {len(arrays)} inputs"
    if dataset.is_image:
        return f"{count:,} {_images(*arrays[0].shape[1:])}"
    return f"{count:,} x {_form(arrays[0])}"


def _images(height: int, width: int, channels: int) -> str:
    what = _COLOURS.get(channels, f"images of {channels} channels")
    return f"{what} of {height}x{width} pixels"


def _form(array: Any) -> str:
    kind = _KINDS.get(np.dtype(array.dtype).kind, "texts")
    return " ".join(["x".join(map(str, array.shape[1:])), kind]).strip()


def _targets(dataset: Dataset, objective: Objective) -> str:
    match objective.task:
        case "multiclass":
            return f"{dataset.num_outputs} classes"
        case "binary":
            return "2 classes"
        case "multilabel":
            return f"{dataset.num_outputs} labels"
        case "regression":
            return "1 number" if dataset.num_outputs == 1 else f"{dataset.num_outputs} numbers"
        case _:
            return ""
