"""Two ways to train a model, timed against each other where that costs little."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.config import Config
from onecycle_cli.engine.devices.data_parallel import data_parallel
from onecycle_cli.engine.state.layer_names import names_as_before
from onecycle_cli.experiments.speed import measured
from onecycle_cli.experiments.speed.measured import Speeds
from onecycle_cli.experiments.speed.steps import FEWEST, seconds_of_a_step
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.settings import decide_devices

LARGEST_SHARE = 0.02
"""Of the time that the searches and the training are going to take, what all timing may."""

NOTICEABLE = 1.03
"""How many times as fast the second way must be to be called faster."""

_CLEARLY = 1.4
"""As many times as fast as that, it is no chance: other work on the machine, for example."""

_TIMINGS = 3
"""The most that a comparison takes: each way, and once more the first."""

_RUNS = 3.5
"""Training runs that the searches and the training take, about."""

_HOPELESS = 2.0
"""A step that takes so many times as long as in the first way needs no second one."""


@dataclass(frozen=True)
class Way:
    """One of the ways to train a model.

    Attributes:
        name: what its speed is kept under.
        words: such as `in bfloat16`.
        seconds: times a few steps, and returns the seconds of one; a step that takes longer than
            the seconds that it is given ends that. And the steps of an epoch.
    """

    name: str
    words: str
    seconds: Callable[[float], tuple[float, int]]


@dataclass(frozen=True)
class Comparison:
    """What a step takes in two ways, in seconds.

    Attributes:
        first: in the one.
        second: in the other; infinite where that fails, `None` where it is not known.
    """

    first: float
    second: float | None

    @property
    def gain(self) -> float | None:
        """How many times as fast the second way is; 0 where it fails."""
        return None if self.second is None else self.first / self.second

    @property
    def second_is_faster(self) -> bool:
        """Whether the second way is known to be noticeably faster."""
        return self.gain is not None and self.gain > NOTICEABLE


def compare(
    config: Config, first: Way, second: Way, observer: Observer, *, besides: float = 0.0
) -> Comparison:
    """Return how fast two ways are, from what is kept or from a few real steps, and keep it.

    The second way is timed where all that was timed of this model, and what is still to come of it,
    takes at most `LARGEST_SHARE` of the searches and the training. Where it then seems a little
    faster, the first way is timed once more, and the better one of its two times counts.

    Args:
        config: the configuration.
        first: a way that works.
        second: another one, which may fail.
        observer: hears what is timed.
        besides: seconds that timing the second way takes longer than timing the first.
    """
    place = measured.place_of(config)
    speeds = known = measured.read(place) or Speeds()
    if first.name not in speeds.seconds:
        speeds = _timed(speeds, first, math.inf, observer)
    seconds = speeds.seconds[first.name]
    if second.name not in speeds.seconds and _is_worth_it(speeds, seconds, config, besides):
        try:
            speeds = _timed(speeds, second, _HOPELESS * seconds, observer)
        except Exception:  # a backend's own errors, too
            speeds = speeds.adding(second.name, math.inf)
        if NOTICEABLE < seconds / speeds.seconds[second.name] < _CLEARLY:
            speeds = _timed(speeds, first, math.inf, observer)
            seconds = min(seconds, speeds.seconds[first.name])
            speeds = speeds.adding(first.name, seconds)
    if speeds != known:
        measured.write(place, speeds)
    return Comparison(seconds, speeds.seconds.get(second.name))


def in_words(one: str, seconds: float, other: str, of_other: float) -> str:
    """Return how many times as fast as the other the one is, with what a step takes in each."""
    gain = of_other / seconds
    faster = f"{gain:.3g} times as fast as" if gain >= 1 else f"{1 / gain:.3g} times slower than"
    return f"{one} is {faster} {other} here ({seconds:.3g} against {of_other:.3g} seconds a step)"


def most_steps(bench: Workbench) -> int:
    """Return how many steps a timing may take; 0 where that is too few to tell."""
    most = int(LARGEST_SHARE / _TIMINGS * _steps_to_come(bench.config, bench.steps_per_epoch))
    return most if most >= FEWEST else 0


def seconds_as_configured(config: Config, give_up: float) -> tuple[float, int]:
    """Return the seconds of a step of a model that is built for it, and the steps of an epoch."""
    with names_as_before(), data_parallel(decide_devices(config)):
        bench = Workbench(config, Observer())
        try:
            return seconds_of_a_step(bench, give_up=give_up), bench.steps_per_epoch
        finally:
            bench.close()


def _timed(speeds: Speeds, way: Way, give_up: float, observer: Observer) -> Speeds:
    observer.note(f"timing a few steps {way.words} ...")
    begun = time.perf_counter()
    seconds, epoch = way.seconds(give_up)
    return speeds.adding(way.name, seconds, epoch=epoch, took=time.perf_counter() - begun)


def _is_worth_it(speeds: Speeds, seconds: float, config: Config, besides: float) -> bool:
    """Tell whether timing another way, and this one once more, is little against what comes."""
    more = (_TIMINGS - 1) * speeds.took / len(speeds.seconds) + besides
    to_come = _steps_to_come(config, speeds.epoch) * seconds
    return speeds.took + more <= LARGEST_SHARE * to_come


def _steps_to_come(config: Config, epoch: int) -> float:
    return _RUNS * epoch * sum(cycle.epochs for cycle in config.train.cycles)
