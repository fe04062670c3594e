"""How fast a workbench is, measured."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli import plotting
from onecycle_cli.observer import Observer
from onecycle_cli.training.plan import cycle_of
from onecycle_cli.training.reporting import Reporting
from onecycle_cli.workbench.bench import Workbench

_WARM_UP = 4
_FEWEST_STEPS, _MOST_STEPS = 6, 200
_LONG_ENOUGH = 2.0
_MOST_TRIES, _SECONDS_OF_TRIES = 3, 0.5
_HARMLESS_LR = 1e-6
_POINTS = 200


@dataclass(frozen=True)
class Pace:
    """What each part of an experiment takes, in seconds.

    Attributes:
        step: a training step, with everything that happens between two steps.
        start: rewinding the model and calling `fit`, for one trial.
        replicate: giving the model other initial weights, beyond that.
        validation: a pass over the validation split.
        saving: writing the model.
        drawing: drawing a picture.
    """

    step: float
    start: float
    replicate: float
    validation: float
    saving: float
    drawing: float

    @classmethod
    def of(cls, bench: Workbench) -> Pace:
        """Time real training steps on a model, and what goes with them, then rewind it.

        Each is done once before it is timed, so that nothing is compiled on the clock; what has
        been compiled serves the experiments too.
        """
        starting = _seconds(lambda: _fit(bench, _WARM_UP))
        step = _seconds_of_a_step(bench)
        rewinding = _seconds(bench.rewind)
        pace = cls(
            step=step,
            start=max(rewinding, starting - _WARM_UP * step),
            replicate=max(0.0, _seconds(lambda: bench.rewind(1)) - rewinding),
            validation=_seconds(lambda: bench.examine("validation"))
            if bench.dataset.validates
            else 0.0,
            saving=_seconds(lambda: _save(bench)),
            drawing=_seconds(_draw),
        )
        bench.rewind()
        return pace


class _Clock(keras.callbacks.Callback):
    """Take the time after each step, and end `fit` when enough of them are known."""

    def __init__(self) -> None:
        super().__init__()
        self.times: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.times.append(time.perf_counter())
        if len(self.times) > _WARM_UP + _FEWEST_STEPS and self.elapsed > _LONG_ENOUGH:
            self.model.stop_training = True

    @property
    def elapsed(self) -> float:
        """Seconds since the warm-up."""
        return self.times[-1] - self.times[_WARM_UP]


def _seconds_of_a_step(bench: Workbench) -> float:
    """Return the mean over some steps: what a step takes includes the hiccups."""
    times = _fit(bench, _MOST_STEPS)
    return (times[-1] - times[_WARM_UP]) / (len(times) - 1 - _WARM_UP)


def _fit(bench: Workbench, steps: int) -> list[float]:
    bench.rewind()
    cycle = cycle_of(bench, _HARMLESS_LR, {"max": 0.9, "min": 0.9}, 0.0)
    clock = _Clock()
    bench.train(steps, [cycle, Reporting(Observer(), cycle.log), clock])
    return clock.times


def _save(bench: Workbench) -> None:
    with tempfile.TemporaryDirectory() as folder:
        bench.model.save(Path(folder) / "model.keras")


def _draw() -> None:
    rates = [float(i) for i in range(1, _POINTS)]
    plotting.png(plotting.draw_schedule(rates, rates, title="", steps_per_epoch=_POINTS))


def _seconds(work: Callable[[], object]) -> float:
    """Return the median of a few tries, after one that does what is done only once."""
    work()
    tries: list[float] = []
    while len(tries) < _MOST_TRIES and sum(tries) < _SECONDS_OF_TRIES:
        started = time.perf_counter()
        work()
        tries.append(time.perf_counter() - started)
    return statistics.median(tries)
