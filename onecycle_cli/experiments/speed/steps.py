"""What a training step takes, measured."""

from __future__ import annotations

import math
import time
from typing import Any

import keras

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.observer import Observer
from onecycle_cli.training.plan import cycle_of
from onecycle_cli.training.reporting import Reporting
from onecycle_cli.workbench.bench import Workbench

WARM_UP = 4
"""Steps that are taken before any is timed: they compile, and fill what is read ahead."""

_FEWEST_STEPS, _MOST_STEPS = 6, 200

FEWEST = WARM_UP + 1 + _FEWEST_STEPS
"""Steps that it takes to tell how long one is."""

_LONG_ENOUGH = 2.0
_HARMLESS_LR = 1e-6


def seconds_of_a_step(
    bench: Workbench, *, most: float = math.inf, give_up: float = math.inf, together: int = 1
) -> float:
    """Return the mean over some steps: what a step takes includes the hiccups.

    Args:
        bench: what to train; it is rewound before, and not afterwards.
        most: executions that may be taken.
        give_up: an execution that takes longer than so many seconds is the last one.
        together: steps in one execution.
    """
    executions = int(min(most, max(FEWEST, _MOST_STEPS // together)))
    times = train_a_little(bench, executions * together, give_up=give_up, together=together)
    if len(times) <= WARM_UP + 1:
        return (times[-1] - times[-2]) / together
    return (times[-1] - times[WARM_UP]) / (len(times) - 1 - WARM_UP) / together


def train_a_little(
    bench: Workbench, steps: int, *, give_up: float = math.inf, together: int = 1
) -> list[float]:
    """Take at most so many steps, and return the times at which executions ended, in seconds.

    The first is the last of an epoch, which may be smaller: JAX compiles it by itself.
    """
    bench.rewind()
    cycle = cycle_of(bench, _HARMLESS_LR, {"max": 0.9, "min": 0.9}, 0.0)
    clock = _Clock(give_up)
    callbacks = [cycle, Reporting(Observer(), cycle.log), clock]
    start = 0 if bench.dataset.stream else bench.steps_per_epoch - 1
    bench.train(steps, callbacks, start=start, together=together)
    return clock.times


class _Clock(keras.callbacks.Callback):
    """Take the time after each step, and end `fit` when enough of them are known."""

    def __init__(self, give_up: float) -> None:
        super().__init__()
        self._give_up = give_up
        self.times: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.times.append(time.perf_counter())
        if self._is_long_enough or self._is_too_slow:
            self.model.stop_training = True

    @property
    def _is_long_enough(self) -> bool:
        times = self.times
        return len(times) > WARM_UP + _FEWEST_STEPS and times[-1] - times[WARM_UP] > _LONG_ENOUGH

    @property
    def _is_too_slow(self) -> bool:
        """Whether the last step, beyond the first two, took too long."""
        return len(self.times) > 2 and self.times[-1] - self.times[-2] > self._give_up
