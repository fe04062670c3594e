"""Which BatchNormalization trains faster on this machine: the fused kernel, or Keras' own."""

from __future__ import annotations

import math

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.config import Config
from onecycle_cli.experiments.speed.comparison import Way, compare, in_words, most_steps
from onecycle_cli.experiments.speed.steps import seconds_of_a_step
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.bench import Workbench


def settle_fusion(bench: Workbench, observer: Observer) -> None:
    """Let a model be trained by the faster BatchNormalization, and say which it is, and why.

    `auto` takes Keras' own operations where a few real steps show them to be the faster ones; what
    was found is kept. Where that would take too long, see `compare`, the kernel stays, and without
    layers to fuse there is nothing to find out. A `true` of the configuration stays, and is warned
    of where it is slower.

    Args:
        bench: a model at its start, where it is afterwards; its `replay` says what it takes to
            compile a step.
        observer: hears of it.
    """
    steps = most_steps(bench)
    if not (bench.fusion.is_on and bench.fusion.layers and bench.replay and steps):
        return
    ways = (
        _way(bench, "with fused BatchNormalization", steps, fused=True),
        _way(bench, "with Keras' own BatchNormalization", steps, fused=False),
    )
    there_and_back = 2 * float(bench.replay["seconds"])
    found = compare(bench.config, *ways, observer, besides=there_and_back)
    bench.fusion.switch(bench.config.fused_batch_norm is True or not found.second_is_faster)
    bench.rewind()
    if found.second is None or math.isinf(found.second):
        return
    words = in_words("the fused kernel", found.first, "Keras' own operations", found.second)
    if bench.config.fused_batch_norm == "auto":
        observer.note(f"fused_batch_norm {str(bench.fusion.is_on).lower()}: {words}")
    elif found.second_is_faster:
        observer.warn(f"{words}; set fused_batch_norm to auto.")


def with_fusion_of(bench: Workbench, config: Config) -> Config:
    """Return a configuration that does without the fused kernel where a model does, by `auto`.

    A run that is resumed by it trains as it began.
    """
    if config.fused_batch_norm != "auto" or bench.fusion.is_on:
        return config
    return config.model_copy(update={"fused_batch_norm": False})


def name_of(precision: str, *, fused: bool) -> str:
    """Return what the speed of a training is kept under."""
    return precision if fused else f"{precision}, stock BatchNormalization"


def _way(bench: Workbench, words: str, steps: int, *, fused: bool) -> Way:
    def seconds(give_up: float) -> tuple[float, int]:
        bench.fusion.switch(fused)
        return seconds_of_a_step(bench, most=steps, give_up=give_up), bench.steps_per_epoch

    return Way(name_of(bench.config.precision, fused=fused), words, seconds)
