"""Whether XLA, where it is asked for, makes the training slower on this machine."""

from __future__ import annotations

import keras

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.engine.repeatable import make_repeatable
from onecycle_cli.experiments.speed.comparison import (
    Way,
    compare,
    in_words,
    most_steps,
    seconds_as_configured,
)
from onecycle_cli.experiments.speed.fusion import name_of, with_fusion_of
from onecycle_cli.experiments.speed.steps import seconds_of_a_step
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.bench import Workbench


def warn_of_slow_xla(bench: Workbench, observer: Observer) -> None:
    """Say so where `jit_compile: true` trains slower than without, by a few real steps.

    On TensorFlow, where `auto` never takes it, since nobody promises the same bits with it. Where
    finding out would take too long, see `compare`, nothing is said.

    Args:
        bench: a model at its start, where it is afterwards.
        observer: hears of it.
    """
    steps = most_steps(bench)
    is_a_choice = bench.config.jit_compile is True and keras.backend.backend() == "tensorflow"
    if not (is_a_choice and bench.replay and steps):
        return
    settled = with_fusion_of(bench, bench.config)
    fused = settled.fused_batch_norm == bench.config.fused_batch_norm
    name = name_of(settled.precision, fused=fused)
    without = settled.model_copy(update={"jit_compile": False})
    ways = (
        Way(name, "with XLA", lambda _: _seconds(bench, steps)),
        Way(f"{name}, no XLA", "without XLA", lambda s: seconds_as_configured(without, s)),
    )
    found = compare(bench.config, *ways, observer, besides=float(bench.replay["seconds"]))
    make_repeatable(bench.config.seed, jit_compile=True)
    bench.rewind()
    if found.second is not None and found.second_is_faster:
        words = in_words("XLA", found.first, "TensorFlow without it", found.second)
        observer.warn(f"{words}; set jit_compile to false, or to auto.")


def _seconds(bench: Workbench, steps: int) -> tuple[float, int]:
    return seconds_of_a_step(bench, most=steps), bench.steps_per_epoch
