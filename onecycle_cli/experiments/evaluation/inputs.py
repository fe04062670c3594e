"""How a training's inputs were prepared: what anybody needs who gives its model new ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from onecycle_cli.data import Dataset
from onecycle_cli.errors import DataError


def inputs_of(dataset: Dataset) -> dict[str, Any]:
    """Return the preparation of the inputs as plain data.

    The model sees `(x - mean) / std`, for uint8 `(x / 255 - mean) / std`, a number a channel.
    """
    return {
        "shape": list(dataset.input_shape),
        "dtype": dataset.x.dtype.name,
        "mean": dataset.mean.tolist(),
        "std": dataset.std.tolist(),
    }


def prepared_as(dataset: Dataset, inputs: Mapping[str, Any]) -> Dataset:
    """Return other data that are prepared as those of a training were.

    Raises:
        DataError: when the inputs are of another shape or type.
    """
    found = inputs_of(dataset)
    for key in ("shape", "dtype"):
        if found[key] != inputs[key]:
            raise DataError(
                f"{dataset.origin}: the model was trained on inputs of the {key} {inputs[key]}, "
                f"and these have {found[key]}; give data like those."
            )
    mean, std = (np.array(inputs[key], np.float32) for key in ("mean", "std"))
    return replace(dataset, mean=mean, std=std)
