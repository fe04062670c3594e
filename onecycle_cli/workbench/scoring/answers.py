"""What a model answers to examples, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data import EvaluationBatches
from onecycle_cli.engine.devices.shares import answers_of


def answers_to(model: Any, batches: EvaluationBatches) -> NDArray[np.float32]:
    """Return a model's outputs as `predict` does, without the input pipeline that it sets up.

    It does so anew at each call, which takes longer than all batches of a small network.

    Args:
        model: with one output.
        batches: the examples, at least one.

    Returns:
        Outputs of shape (n, ...), in the order of the examples.
    """
    answers = [answers_of(model, inputs) for inputs in _read_ahead(batches)]
    return np.concatenate(answers).astype(np.float32)


def _read_ahead(batches: EvaluationBatches) -> Iterator[Any]:
    """Yield the inputs of each batch, while a thread prepares those of the next."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(batches.__getitem__, 0)
        for index in range(len(batches)):
            inputs, *_ = coming.result()
            if index + 1 < len(batches):
                coming = thread.submit(batches.__getitem__, index + 1)
            yield inputs
