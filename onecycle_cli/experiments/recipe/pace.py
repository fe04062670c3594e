"""How fast a workbench is, measured."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli import plotting
from onecycle_cli.engine.devices.processes import refuse_several
from onecycle_cli.experiments.speed.steps import WARM_UP, seconds_of_a_step, train_a_little
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.steps_together import trial_steps_together

_MOST_TRIES, _SECONDS_OF_TRIES = 3, 0.5
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

        Raises:
            ConfigError: when several processes train, each of which would find another pace.
        """
        refuse_several("onecycle run")
        together = trial_steps_together(bench)
        few = WARM_UP * together
        starting = _seconds(lambda: train_a_little(bench, few, together=together))
        step = seconds_of_a_step(bench, together=together)
        rewinding = _seconds(bench.rewind)
        pace = cls(
            step=step,
            start=max(rewinding, starting - few * step),
            replicate=max(0.0, _seconds(lambda: bench.rewind(1)) - rewinding),
            validation=_seconds(lambda: bench.examine("validation"))
            if bench.dataset.validates
            else 0.0,
            saving=_seconds(lambda: _save(bench)),
            drawing=_seconds(_draw),
        )
        bench.rewind()
        return pace


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
