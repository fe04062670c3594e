"""Which precision trains faster on this machine: float32, or bfloat16 where that pays."""

from __future__ import annotations

import math

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.config import Config
from onecycle_cli.engine.devices.processes import processes
from onecycle_cli.experiments.speed.comparison import (
    Comparison,
    Way,
    compare,
    in_words,
    seconds_as_configured,
)
from onecycle_cli.observer import Observer

FLOAT32, BFLOAT16 = "float32", "mixed_bfloat16"

GAIN = 1.1
"""How many times as fast as float32 bfloat16 must be to be taken, since it costs digits."""


def with_precision(config: Config, observer: Observer) -> Config:
    """Return a configuration whose precision is settled, and say which it is, and why.

    `auto` becomes `mixed_bfloat16` where a few real steps of the model show it to be more than
    `GAIN` times as fast as float32, and else `float32`. What was found is kept for the next time,
    for this model, machine and these versions. Where finding out would take too long, see
    `compare`, and where several processes train together, it is `float32`. A `mixed_bfloat16` of
    the configuration stays, and is warned of where it is known to be slower.

    Args:
        config: of a model that its function builds.
        observer: hears of it.
    """
    if config.precision not in ("auto", BFLOAT16):
        return config
    if processes().are_several:  # each would decide by its own clock
        return _settled(config, FLOAT32) if config.precision == "auto" else config
    ways = _way(config, FLOAT32, "in float32"), _way(config, BFLOAT16, "in bfloat16")
    found = compare(config, *ways, observer)
    if config.precision == BFLOAT16:
        if found.gain is not None and 0 < found.gain < 1:
            observer.warn(f"{_in_words(found)}; set precision to float32, or to auto.")
        return config
    best = BFLOAT16 if found.gain is not None and found.gain > GAIN else FLOAT32
    observer.note(f"precision {best}: {_in_words(found)}")
    return _settled(config, best)


def _way(config: Config, precision: str, words: str) -> Way:
    settled = _settled(config, precision)
    return Way(precision, words, lambda give_up: seconds_as_configured(settled, give_up))


def _in_words(found: Comparison) -> str:
    if found.second is None:
        return "the training is too short to find out whether bfloat16 is faster"
    if math.isinf(found.second):
        return "the model can't be trained in bfloat16 here"
    return in_words("bfloat16", found.second, "float32", found.first)


def _settled(config: Config, precision: str) -> Config:
    settled = config.model_copy(update={"precision": precision})
    return settled.with_origins(config.origins | {"precision": "measured"})
