"""Data, task, model and the loss of the first batch: what is known before a training."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.config import Config
from onecycle_cli.engine.backends.choice import with_backend
from onecycle_cli.engine.devices.data_parallel import data_parallel
from onecycle_cli.errors import ModelError, OnecycleError, cause_of
from onecycle_cli.experiments.checking.doubts import doubts
from onecycle_cli.observer import Observer
from onecycle_cli.registry.code.containment import contained
from onecycle_cli.shown import Facts, Shown
from onecycle_cli.training.plan import cycle_of
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.cost import training_steps
from onecycle_cli.workbench.settings import decide_devices

_NO_MOMENTUM = {"max": 0.0, "min": 0.0}
_ANY_RATE = 1e-3  # the loss is that before the update


@dataclass(frozen=True, repr=False)
class Checked(Shown):
    """What a configuration means.

    Attributes:
        preamble: data, task, loss and score in a line.
        train: examples to train on; of a pipeline, `None`.
        validation: examples to validate on; of a pipeline, `None`.
        test: examples that were set aside for the test; `None`: the data have a test set of their
            own, or none.
        task: what the targets set.
        why: what shows the task, in words.
        loss: the name of the loss.
        model: the name of the model.
        weights: numbers in the model.
        trainable_weights: those of them that are trained.
        steps_per_epoch: batches in one pass over the training part.
        training_steps: batches in the configured training.
        first_loss: of the first batch, before any update.
        chance_loss: of the best constant prediction; `None`: no formula gives it.
        warnings: what is wrong or in doubt, in sentences.
    """

    preamble: str
    train: int | None
    validation: int | None
    test: int | None
    task: str
    why: str
    loss: str
    model: str
    weights: int
    trainable_weights: int
    steps_per_epoch: int
    training_steps: int
    first_loss: float
    chance_loss: float | None
    warnings: list[str] = field(default_factory=list)

    def _facts(self) -> Facts:
        yield from vars(self).items()


def check(config: Config, *, observer: Observer | None = None) -> Checked:
    """Load the data, build the model, and take its first step, which is taken back.

    Nothing is written. What an experiment finds out besides, such as whether a step repeats its
    bits and which precision is faster, is left to the experiment.

    Args:
        config: the configuration.
        observer: hears of warnings.

    Raises:
        OnecycleError: when the configuration, the data or the model won't do.
    """
    hearing = _Hearing(observer or Observer())
    config = with_backend(config, hearing)
    if config.precision == "auto":  # it would be measured
        config = config.model_copy(update={"precision": "float32"})
    with data_parallel(decide_devices(config)):
        bench = Workbench(config, hearing)
        try:
            loss = _first_loss(bench)
            for doubt in doubts(bench, loss):
                hearing.warn(doubt)
            return _checked(bench, loss, hearing.warnings)
        finally:
            bench.close()


class _Hearing(Observer):
    """Remembers the warnings, and lets another observer hear of them and of downloads."""

    def __init__(self, observer: Observer) -> None:
        self.warnings: list[str] = []
        self.download, self.decode = observer.download, observer.decode  # type: ignore[method-assign]
        self._observer = observer

    def warn(self, text: str) -> None:
        self.warnings.append(text)
        self._observer.warn(text)


def _first_loss(bench: Workbench) -> float:
    """Return the loss of the first batch as the training will see it.

    Raises:
        ModelError: when the model can't take a step.
    """
    cycle = cycle_of(bench, _ANY_RATE, _NO_MOMENTUM, 0.0)
    try:
        with contained():
            bench.train(1, [cycle])
    except OnecycleError:
        raise
    except (Exception, SystemExit, GeneratorExit) as error:
        raise ModelError(
            f"model {bench.config.model.name} failed in its first training step: {cause_of(error)}"
        ) from error
    bench.rewind()
    return float(cycle.log.losses[0])


def _checked(bench: Workbench, loss: float, warnings: list[str]) -> Checked:
    data = bench.dataset
    is_stream = data.stream is not None
    return Checked(
        preamble=bench.preamble,
        train=None if is_stream else len(data.train),
        validation=None if is_stream else len(data.validation),
        test=None if data.test_rows is None else len(data.test_rows),
        task=bench.objective.task,
        why=data.why,
        loss=bench.loss_name,
        model=bench.config.model.name,
        weights=_size(bench.model.weights),
        trainable_weights=_size(bench.model.trainable_weights),
        steps_per_epoch=bench.steps_per_epoch,
        training_steps=training_steps(bench),
        first_loss=loss,
        chance_loss=bench.chance,
        warnings=warnings,
    )


def _size(variables: list[Any]) -> int:
    return sum(int(np.prod(v.shape)) for v in variables)
