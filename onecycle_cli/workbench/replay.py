"""Whether a model's state can be kept and brought back whole, found out by trying."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.engine.state.snapshot import Snapshot
from onecycle_cli.errors import ModelError, OnecycleError, cause_of
from onecycle_cli.registry.code.containment import contained
from onecycle_cli.workbench.bench import Workbench

_HOST_GENERATORS = ("numpy", "python")


@dataclass(frozen=True)
class Replay:
    """What came of taking a step twice.

    Attributes:
        exact: whether both times ended in the same bits.
        steps: the training steps that it took.
        seconds: that it took, with what is compiled at the first step of a training.
    """

    exact: bool
    steps: int
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return asdict(self)


def replay(bench: Workbench) -> Replay:
    """Take two steps, then the second one again from a copy of the state, and rewind the model.

    A model that holds a state which no `Snapshot` sees, such as a generator of random numbers in
    a module, ends elsewhere the second time. The bench is told to mention it.

    Raises:
        ModelError: when the model can't take a step.
    """
    started = time.perf_counter()
    try:
        with contained():
            fault = _fault(bench)
    except OnecycleError:
        raise
    except (Exception, SystemExit, GeneratorExit) as error:
        raise ModelError(
            f"{bench.config.model.in_words} failed in its first training steps: {cause_of(error)}"
        ) from error
    if fault is not None:
        bench.caution(
            f"the state of {bench.config.model.in_words} can't be kept whole: {fault}. A run "
            f"that is resumed may go on to other bits, and what is compared may not start alike. "
            f"Draw random numbers with a keras.random.SeedGenerator that is an attribute of a "
            f"layer, and keep other state in the weights of a layer."
        )
    return Replay(fault is None, 3, round(time.perf_counter() - started, 3))


def _fault(bench: Workbench) -> str | None:
    """Say what is wrong with the state of a model, and rewind it."""
    bench.rewind()
    before = Snapshot(bench.model)
    bench.train(1, [])
    middle = Snapshot(bench.model)
    drew = _of_the_host(before) != _of_the_host(middle)
    first = _second_step(bench)
    middle.restore()
    again = _second_step(bench)
    bench.rewind()
    if not all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, again, strict=True)):
        return "a step that was taken again from a copy of it gave other weights"
    if drew and keras.backend.backend() != "torch":
        return (
            "a layer draws from NumPy's or Python's generator, and what it draws is fixed when the "
            "training step is compiled"
        )
    return None


def _of_the_host(state: Snapshot) -> list[Any]:
    """Return the states of generators whose draws are fixed in the graph once it is traced."""
    return [state.generators[name] for name in _HOST_GENERATORS]


def _second_step(bench: Workbench) -> list[NDArray[Any]]:
    bench.train(1, [], start=1)
    return list(Snapshot(bench.model).arrays.values())
