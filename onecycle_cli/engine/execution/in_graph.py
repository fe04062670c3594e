"""Several steps that TensorFlow runs as one: each takes its row of a plan in graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from onecycle_cli.engine.execution.plan import names_of, table_of
from onecycle_cli.engine.steering.live_hyper_parameters import LiveHyperparameters


class ExecutionInGraph:
    """Several steps in one execution: what each is run with, and what loss each had.

    Each step, in graph, takes its row of the plan before it updates, writes its loss, and counts.

    Args:
        size: steps of an execution.
        live: the hyper-parameters that the plan sets.
    """

    def __init__(self, size: int, live: LiveHyperparameters) -> None:
        self._names = names_of(live)
        self._live, self._size = live, size
        shapes = {"plan": (size, len(self._names)), "losses": (size,)}
        self._plan, self._losses = (
            keras.Variable(np.zeros(shape, np.float32), trainable=False, name=name)
            for name, shape in shapes.items()
        )
        self._position = keras.Variable(0, dtype="int32", trainable=False, name="position")

    def fits(self, steps: int) -> bool:
        """Tell whether it can run so many steps, without being made anew."""
        return steps == self._size

    def steps_to_come(self, size: int, left: int | None) -> int:
        """Return all of an execution: only the end of the data cuts it short."""
        return size

    def note(self, loss: Any) -> None:
        """Set the hyper-parameters of the present step and keep its loss; runs in graph."""
        place = ops.minimum(self._position, self._size - 1)
        row = ops.take(self._plan, place, axis=0)
        self._live.assign({name: row[i] for i, name in enumerate(self._names)})
        here = ops.equal(ops.arange(self._size), place)
        self._losses.assign(ops.where(here, ops.cast(loss, "float32"), self._losses))
        self._position.assign(self._position + 1)

    def load(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Plan the next execution; what a row does not name stays as it is."""
        self._plan.assign(table_of(rows, self._live))
        self._position.assign(0)

    def losses(self) -> list[float]:
        """Return the loss of each step that the last execution took."""
        taken = int(ops.convert_to_numpy(self._position))
        return [float(loss) for loss in ops.convert_to_numpy(self._losses)[:taken]]
