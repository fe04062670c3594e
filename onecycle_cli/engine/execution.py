"""Several training steps in one execution, and the loss of each."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from onecycle_cli.engine.steering.live_hyper_parameters import LiveHyperparameters
from onecycle_cli.errors import TrainingError


class LossTracker(keras.metrics.Mean):
    """The epoch's mean loss as Keras keeps it, with the last batch's own data loss beside it.

    `logs["loss"]` is a running mean that includes penalties; `last` is neither.
    """

    def __init__(self, name: str = "loss", dtype: Any = None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.last = self.add_variable(
            (),
            initializer=keras.initializers.Constant(float("nan")),
            dtype="float32",
            aggregation="only_first_replica",  # each replica is told the sum of all
            name="last",
        )


class Execution:
    """Several steps in one execution: what each is run with, and what loss each had.

    Each step, in graph, takes its row of the plan before it updates, writes its loss, and counts.

    Args:
        size: steps of an execution.
        live: the hyper-parameters that the plan sets.
    """

    def __init__(self, size: int, live: LiveHyperparameters) -> None:
        self.names = sorted(live.names)
        self._live, self._size = live, size
        shapes = {"plan": (size, len(self.names)), "losses": (size,)}
        self._plan, self._losses = (
            keras.Variable(np.zeros(shape, np.float32), trainable=False, name=name)
            for name, shape in shapes.items()
        )
        self._position = keras.Variable(0, dtype="int32", trainable=False, name="position")

    def step(self, loss: Any) -> None:
        """Set the hyper-parameters of the present step and keep its loss; runs in graph."""
        place = ops.minimum(self._position, self._size - 1)
        row = ops.take(self._plan, place, axis=0)
        self._live.assign({name: row[i] for i, name in enumerate(self.names)})
        here = ops.equal(ops.arange(self._size), place)
        self._losses.assign(ops.where(here, ops.cast(loss, "float32"), self._losses))
        self._position.assign(self._position + 1)

    def load(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Plan the next execution; what a row does not name stays as it is."""
        present = {name: self._live.read(name) for name in self.names}
        table = [[(present | dict(row))[name] for name in self.names] for row in rows]
        self._plan.assign(np.array(table, np.float32))
        self._position.assign(0)

    def losses(self) -> list[float]:
        """Return the loss of each step that the last execution took."""
        taken = int(ops.convert_to_numpy(self._position))
        return [float(loss) for loss in ops.convert_to_numpy(self._losses)[:taken]]


@contextlib.contextmanager
def one_by_one(model: Any) -> Iterator[None]:
    """Let Keras evaluate batch by batch, also within a training of several steps at a time."""
    steps = model.steps_per_execution
    model.steps_per_execution = 1
    try:
        yield
    finally:
        model.steps_per_execution = steps


def check_execution(steps: int) -> None:
    """Make sure that the backend can run so many steps at a time.

    Raises:
        TrainingError: when it can't.
    """
    if steps != 1 and keras.backend.backend() != "tensorflow":
        raise TrainingError(
            f"a hyper-parameter that changes at each step needs steps_per_execution=1 on the "
            f"backend {keras.backend.backend()}; got {steps}."
        )
