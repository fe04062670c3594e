"""What to train with, and the cycles made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from onecycle_cli.callbacks.recorded_cycle import RecordedCycle
from onecycle_cli.engine.steering import optimizers
from onecycle_cli.errors import OptimizerError
from onecycle_cli.workbench.bench import Workbench


@dataclass(frozen=True)
class Plan:
    """The hyper-parameters of a training.

    Attributes:
        max_lrs: the highest learning rate of each cycle.
        sources: where each of them came from, in words.
        momentum: `max` where the rate is low, `min` where it peaks.
        weight_decay: the weight decay, in the configured convention.
    """

    max_lrs: Sequence[float]
    sources: Sequence[str]
    momentum: Mapping[str, float]
    weight_decay: float


def cycle_of(
    bench: Workbench,
    max_lr: float,
    momentum: Mapping[str, float],
    weight_decay: float,
    **recording: Any,
) -> RecordedCycle:
    """Return a cycle of the configured training's shape.

    Args:
        bench: the model to be trained.
        max_lr: its highest learning rate.
        momentum: `max` where the rate is low, `min` where it peaks.
        weight_decay: in the configured convention.
        **recording: `divergence`, `log` and `number` of `RecordedCycle`.

    Raises:
        OptimizerError: when there is to be a momentum, and the optimizer has none.
    """
    train = bench.config.train
    if momentum["max"] and optimizers.holds_zero(bench.model.optimizer):
        raise OptimizerError(
            f"{bench.config.optimizer.name} has no momentum, so it can't be trained with one of "
            f"{momentum['max']:g}."
        )
    return RecordedCycle(
        constants={bench.decay_name: weight_decay},
        also=train.also,
        **recording,
        max_lr=max_lr,
        maximum_momentum=momentum["max"],
        minimum_momentum=momentum["min"],
        shape=train.shape,
        end_percentage=train.end_percentage,
        scale_percentage=train.scale_percentage,
        **train.shape_options,
    )
