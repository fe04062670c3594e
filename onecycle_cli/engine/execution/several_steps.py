"""Whether and how several training steps are run in one execution."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import keras

from onecycle_cli.engine.execution.in_graph import ExecutionInGraph
from onecycle_cli.engine.execution.in_turn import ExecutionInTurn
from onecycle_cli.engine.steering.live_hyper_parameters import LiveHyperparameters
from onecycle_cli.errors import TrainingError


class Execution(Protocol):
    """Several steps in one execution: what each is run with, and what loss each had."""

    def fits(self, steps: int) -> bool:
        """Tell whether it can run so many steps, without being made anew."""

    def steps_to_come(self, size: int, left: int | None) -> int:
        """Return how many steps the next execution takes at most.

        Args:
            size: of an execution.
            left: steps that the epoch still has; `None` if that is not known.
        """

    def note(self, loss: Any) -> None:
        """Take down the data loss of a step, before its update; may run in graph."""

    def load(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Plan the next execution; what a row does not name stays as it is."""

    def losses(self) -> list[float]:
        """Return the loss of each step that the last execution took."""


def execution_of(model: Any, live: LiveHyperparameters, loss: Any) -> Execution | None:
    """Return what runs the steps of the model's executions; `None` where these are single steps.

    Args:
        model: about to be trained, its training function just made.
        live: the hyper-parameters that change from step to step.
        loss: the variable that the last batch's loss is put into.
    """
    size = int(model.steps_per_execution)
    if size == 1:
        return None
    if keras.backend.backend() == "jax":
        return ExecutionInTurn(model, live, loss)
    return ExecutionInGraph(size, live)


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
    if steps == 1:
        return
    for who, runs_one in {
        "PyTorch runs": keras.backend.backend() == "torch",
        "several devices run": keras.distribution.distribution() is not None,
    }.items():
        if runs_one:
            raise TrainingError(
                f"{who} one step at a time, so steps_per_execution must be 1; got {steps}."
            )
