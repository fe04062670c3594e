"""Which precision trains faster on this machine: float32, or bfloat16 where that pays."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.config import Config
from onecycle_cli.engine.state.layer_names import names_as_before
from onecycle_cli.experiments.speed import measured
from onecycle_cli.experiments.speed.measured import Speeds
from onecycle_cli.experiments.speed.steps import seconds_of_a_step
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.bench import Workbench

FLOAT32, BFLOAT16 = "float32", "mixed_bfloat16"

GAIN = 1.1
"""How many times as fast as float32 bfloat16 must be to be taken, since it costs digits."""

LARGEST_SHARE = 0.02
"""Of the time that the searches and the training are going to take, what finding out may."""

_RUNS = 3.5
"""Training runs that the searches and the training take, about."""

_HOPELESS = 2.0


def with_precision(config: Config, observer: Observer) -> Config:
    """Return a configuration whose precision is settled, and say which it is, and why.

    `auto` becomes `mixed_bfloat16` where a few real steps of the model show it to be more than
    `GAIN` times as fast as float32, and else `float32`. What was found is kept for the next time,
    for this model, machine and these versions. Where finding out would take more than
    `LARGEST_SHARE` of what is to come, it is `float32`. A `mixed_bfloat16` of the configuration
    stays, and is warned of where it is slower.

    Args:
        config: of a model that its function builds.
        observer: hears of it.
    """
    if config.precision not in ("auto", BFLOAT16):
        return config
    speeds = _speeds(config, observer)
    gain = None if speeds.bfloat16 is None else speeds.float32 / speeds.bfloat16
    if config.precision == BFLOAT16:
        if gain is not None and 0 < gain < 1:
            observer.warn(f"{_in_words(speeds)}; set precision to float32, or to auto.")
        return config
    best = BFLOAT16 if gain is not None and gain > GAIN else FLOAT32
    observer.note(f"precision {best}: {_in_words(speeds)}")
    return _settled(config, best)


def _speeds(config: Config, observer: Observer) -> Speeds:
    """Return what is known, or can be found out in time."""
    place = measured.place_of(config)
    speeds = known = measured.read(place)
    if speeds is None:
        observer.note("timing a few steps in float32 ...")
        begun = time.perf_counter()
        seconds, epoch = _seconds(config, FLOAT32)
        speeds = Speeds(seconds, epoch, took=time.perf_counter() - begun)
    if speeds.bfloat16 is None and _is_worth_it(speeds, config):
        observer.note("timing a few steps in bfloat16 ...")
        speeds = replace(speeds, bfloat16=_seconds_in_bfloat16(config, speeds.float32))
    if speeds != known:
        measured.write(place, speeds)
    return speeds


def _is_worth_it(speeds: Speeds, config: Config) -> bool:
    """Tell whether timing bfloat16 too, which takes as long again, is little against what comes."""
    steps = speeds.epoch * sum(cycle.epochs for cycle in config.train.cycles)
    return 2 * speeds.took <= LARGEST_SHARE * _RUNS * steps * speeds.float32


def _in_words(speeds: Speeds) -> str:
    if speeds.bfloat16 is None:
        return "the training is too short to find out whether bfloat16 is faster"
    if math.isinf(speeds.bfloat16):
        return "the model can't be trained in bfloat16 here"
    gain = speeds.float32 / speeds.bfloat16
    faster = f"{gain:.3g} times as fast as" if gain >= 1 else f"{1 / gain:.3g} times slower than"
    return (
        f"bfloat16 is {faster} float32 here ({speeds.bfloat16:.3g} against {speeds.float32:.3g} "
        f"seconds a step)"
    )


def _seconds_in_bfloat16(config: Config, float32: float) -> float:
    """Return the seconds of a step; infinite where there is none to be had."""
    try:
        return _seconds(config, BFLOAT16, give_up=_HOPELESS * float32)[0]
    except Exception:  # a backend's own errors, too
        return math.inf


def _seconds(config: Config, precision: str, give_up: float = math.inf) -> tuple[float, int]:
    """Return the seconds of a step, and the steps of an epoch."""
    with names_as_before():
        bench = Workbench(_settled(config, precision), Observer())
        try:
            return seconds_of_a_step(bench, give_up=give_up), bench.steps_per_epoch
        finally:
            bench.close()


def _settled(config: Config, precision: str) -> Config:
    settled = config.model_copy(update={"precision": precision})
    return settled.with_origins(config.origins | {"precision": "measured"})
