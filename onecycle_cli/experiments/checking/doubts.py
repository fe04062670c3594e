"""What is certainly odd about data, model and first loss, and what to do about it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.inputs import arrays_of, rows_of
from onecycle_cli.engine.layers import every_layer
from onecycle_cli.workbench.bench import Workbench

FAR_ABOVE_CHANCE = 3.0
"""The first loss is far above that of a constant prediction, if so many times as high."""

FAR_FROM_ZERO = 5.0
"""Inputs or targets are far from 0 if their mean is, or their deviation is so large."""

_FEW = 1_000
_NAMED = 5
_BRINGING_CLOSER = ("Normalization", "Rescaling", "Embedding", "Discretization")
"""What the names of layers end with or are that bring inputs of any size near 0 and 1."""


def doubts(bench: Workbench, first_loss: float) -> Iterator[str]:
    """Yield what is odd, a sentence each; nothing of what only may be.

    Args:
        bench: data and model.
        first_loss: of the first batch, before any update.
    """
    if bench.dataset.stream is None and bench.objective.task != "other":
        targets = rows_of(bench.dataset.y, bench.dataset.train)
        yield from _of_targets(bench, targets)
    yield from _of_inputs(bench)
    yield from _of_the_loss(bench, first_loss)


def _of_targets(bench: Workbench, targets: NDArray[Any]) -> Iterator[str]:
    if len(targets) and (targets == targets[:1]).all():
        yield (
            "all training examples have the same target, so there is nothing to learn; check how "
            "the targets are read."
        )
    elif bench.objective.task == "multiclass" and bench.dataset.classes:
        present = set(np.unique(targets).tolist())
        missing = [n for i, n in enumerate(bench.dataset.classes) if i not in present]
        if missing:
            names = ", ".join(map(str, missing[:_NAMED])) + (" ..." if missing[_NAMED:] else "")
            yield (
                f"{len(missing)} of {len(bench.dataset.classes)} classes have no training "
                f"example: {names}; check how the targets are read."
            )
    elif bench.objective.task == "regression":
        mean, deviation = float(np.mean(targets)), float(np.std(targets))
        if abs(mean) > FAR_FROM_ZERO * max(1.0, deviation) or deviation > FAR_FROM_ZERO:
            yield (
                f"the targets have mean {mean:.3g} and deviation {deviation:.3g}, far from 0 and "
                f"1; standardise them."
            )


def _of_inputs(bench: Workbench) -> Iterator[str]:
    """Say so if nothing brings the inputs near 0 and 1."""
    arrays = arrays_of(rows_of(bench.dataset.x, bench.dataset.train[:_FEW]))
    if bench.config.dataset.is_normalised or len(arrays) > 1 or not len(arrays[0]):
        return
    inputs = arrays[0]
    layers = [type(layer).__name__ for layer in every_layer(bench.model)]
    if inputs.dtype.kind not in "iuf" or any(n.endswith(_BRINGING_CLOSER) for n in layers):
        return
    mean, deviation = float(np.mean(inputs)), float(np.std(inputs))
    if abs(mean) > FAR_FROM_ZERO or deviation > FAR_FROM_ZERO:
        yield (
            f"the inputs have mean {mean:.3g} and deviation {deviation:.3g}, and neither "
            f"dataset.normalise nor a layer of the model brings them near 0 and 1; set "
            f"dataset.normalise to true."
        )


def _of_the_loss(bench: Workbench, loss: float) -> Iterator[str]:
    chance = bench.chance
    if not math.isfinite(loss):
        yield (
            "the loss of the first batch is not finite; check the inputs for NaN and the loss for "
            "a logarithm of zero."
        )
    elif chance and loss > FAR_ABOVE_CHANCE * chance:
        yield (
            f"the loss of the first batch, {loss:.4g}, is {loss / chance:.3g} times that of a "
            f"constant prediction, {chance:.4g}: the model starts far off. Check the scale of "
            f"inputs and targets, the initial weights, and what the last layer gives."
        )
