"""The weights of a training that are judged and saved."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from onecycle_cli.callbacks.weight_average import WeightAverage
from onecycle_cli.workbench.bench import Workbench


class FinalWeights:
    """The running average of a model's weights with `train.ema`, or else its weights themselves.

    Attributes:
        callbacks: to be given to `fit`.
    """

    def __init__(self, bench: Workbench) -> None:
        decay = bench.config.train.ema
        self._average = None if decay is None else WeightAverage(bench.model, decay)
        self.callbacks = [] if self._average is None else [self._average]
        self._held = [] if self._average is None else self._average.variables

    def in_force(self) -> contextlib.AbstractContextManager[None]:
        """Give the model these weights for a while."""
        return contextlib.nullcontext() if self._average is None else self._average.in_force()

    def as_arrays(self) -> dict[str, NDArray[Any]]:
        """Return all that is needed to go on averaging, by number."""
        return {f"{i:04d}": np.array(ops.convert_to_numpy(v)) for i, v in enumerate(self._held)}

    def restore(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `as_arrays` returned."""
        for name, value in arrays.items():
            if self._held:
                self._held[int(name)].assign(value)
