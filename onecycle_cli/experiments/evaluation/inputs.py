"""How a training's inputs and targets were prepared: what its model takes, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from onecycle_cli.data import Dataset
from onecycle_cli.data.inputs import mapped
from onecycle_cli.data.target_scale import TargetScale
from onecycle_cli.errors import DataError


def inputs_of(dataset: Dataset) -> dict[str, Any]:
    """Return the preparation of the inputs as plain data.

    The model sees `(x - mean) / std`, for uint8 `(x / 255 - mean) / std`, a number a channel; where
    there are none, the inputs as they are. Of several inputs, each has its own.
    """
    return {
        "shape": mapped(lambda array: list(array.shape[1:]), dataset.x),
        "dtype": mapped(lambda array: array.dtype.name, dataset.x),
        "mean": mapped(lambda _, mean: _plain(mean), dataset.x, dataset.mean),
        "std": mapped(lambda _, std: _plain(std), dataset.x, dataset.std),
    } | ({} if dataset.columns is None else {"columns": list(dataset.columns)})


def targets_of(dataset: Dataset) -> dict[str, Any] | None:
    """Return how numbers to predict were standardised, as plain data; `None`: they were not.

    The model answers `(y - mean) / std`, a number a target.
    """
    return None if dataset.target_scale is None else dataset.target_scale.as_dict()


def prepared_as(
    dataset: Dataset, inputs: Mapping[str, Any], targets: Mapping[str, Any] | None
) -> Dataset:
    """Return other data that are prepared as those of a training were.

    Args:
        dataset: the data.
        inputs: what `inputs_of` gave for those of the training.
        targets: what `targets_of` gave for them.

    Raises:
        DataError: when the inputs are of another shape or type, or have other columns.
    """
    found = inputs_of(dataset)
    for key in ("shape", "dtype"):
        if found[key] != inputs[key]:
            raise DataError(
                f"{dataset.origin}: the model was trained on inputs of the {key} {inputs[key]}, "
                f"and these have {found[key]}; give data like those."
            )
    if "columns" in inputs and found.get("columns") != inputs["columns"]:
        names = ", ".join(inputs["columns"])
        raise DataError(
            f"{dataset.origin}: the model was trained on the columns {names}, in this order; give "
            f"these, in this order."
        )
    mean, std = (
        mapped(lambda _, numbers: _as_array(numbers), dataset.x, inputs[key])
        for key in ("mean", "std")
    )
    scale = None if targets is None else TargetScale.from_plain(targets)
    return replace(dataset, mean=mean, std=std, target_scale=scale)


def _plain(numbers: Any) -> Any:
    return None if numbers is None else numbers.tolist()


def _as_array(numbers: Any) -> Any:
    return None if numbers is None else np.array(numbers, np.float32)
