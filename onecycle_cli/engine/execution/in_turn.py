"""Several steps that JAX runs in turn: each is handed its row of a plan, and nothing waits for one.

A step that JAX compiles is a pure function. So its hyper-parameters go in with the state, and its
loss comes out beside it; the values are read once all steps of an execution are under way.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.engine.execution.plan import names_of, table_of
from onecycle_cli.engine.steering.live_hyper_parameters import LiveHyperparameters


class ExecutionInTurn:
    """Several steps in one execution: what each is run with, and what loss each had.

    Args:
        model: whose training function it becomes.
        live: the hyper-parameters that the plan sets.
        loss: the variable that a step leaves its loss in; one of the model's metrics'.
    """

    def __init__(self, model: Any, live: LiveHyperparameters, loss: Any) -> None:
        self._live = live
        self._plan: list[NDArray[np.float32]] = []
        self._losses: list[Any] = []
        step = step_with_row(model, live, loss)
        is_compiled = model.jit_compile and not model.run_eagerly
        self._step = sys.modules["jax"].jit(step, donate_argnums=0) if is_compiled else step
        model.train_function = self._run

    def load(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Plan the next execution; what a row does not name stays as it is."""
        self._plan = list(table_of(rows, self._live))

    def losses(self) -> list[float]:
        """Return the loss of each step that the last execution took."""
        return [float(loss) for loss in self._losses]

    def fits(self, steps: int) -> bool:
        """Tell whether it can run so many steps, without being made anew."""
        return steps > 1

    def steps_to_come(self, size: int, left: int | None) -> int:
        """Return those that the epoch still has: data that go on do not cut it short."""
        return size if left is None else min(size, left)

    def note(self, loss: Any) -> None:
        """Do nothing: a step's loss is taken from the state that it returns."""

    def _run(self, state: Any, batches: Iterator[Any]) -> Any:
        """Run the planned steps, or as many as there are batches, and at least one."""
        logs, state, loss = self._step(state, next(batches), self._plan[0])
        self._losses = [loss]
        with contextlib.suppress(StopIteration):
            for row in self._plan[1:]:
                logs, state, loss = self._step(state, next(batches), row)
                self._losses.append(loss)
        return logs, state


def step_with_row(model: Any, live: LiveHyperparameters, loss: Any) -> Callable[..., Any]:
    """Return the model's training step, with a row of a plan set, and the loss beside its results.

    Args:
        model: about to be trained.
        live: the hyper-parameters that the plan sets.
        loss: the variable that a step leaves its loss in; one of the model's metrics'.
    """
    columns = _columns(model.optimizer.variables, live)
    place_of_loss = next(i for i, v in enumerate(model.metrics_variables) if v is loss)

    def step(state: Any, data: Any, row: Any) -> Any:
        weights, others, optimizer, metrics = state
        steered = [
            held if column is None else row[column].astype(held.dtype)
            for held, column in zip(optimizer, columns, strict=True)
        ]
        logs, state = model.train_step((weights, others, steered, metrics), data)
        return logs, state, state[-1][place_of_loss]

    return step


def _columns(variables: Sequence[Any], live: LiveHyperparameters) -> list[int | None]:
    """Return for each of the variables which column of a plan it is set to, if any."""
    columns = {id(v): i for i, name in enumerate(names_of(live)) for v in live.variables(name)}
    return [columns.get(id(v)) for v in variables]
