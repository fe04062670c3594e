"""Training by one or more 1cycle passes, with the values that the finders suggest."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import onecycle_cli.experiments.quiet_start  # noqa: F401
from onecycle_cli import data, plotting, results
from onecycle_cli.callbacks.recorded_cycle import RecordedCycle
from onecycle_cli.callbacks.weight_average import WeightAverage
from onecycle_cli.config import Config, load_config
from onecycle_cli.errors import TrainingError
from onecycle_cli.experiments.cost import Cost, training_steps
from onecycle_cli.experiments.epoch_end import EpochEnd
from onecycle_cli.experiments.observer import Observer
from onecycle_cli.experiments.recorded_run import label_of, recorded_run, write_config
from onecycle_cli.experiments.reporting import Reporting
from onecycle_cli.experiments.setup import Shared, prepared
from onecycle_cli.experiments.values import Values
from onecycle_cli.experiments.workbench import Examination, Workbench
from onecycle_cli.results import RunFolder


@dataclass(frozen=True)
class Epoch:
    """One epoch, as `history.csv` has it.

    Attributes:
        epoch: counted from 1 through all cycles.
        cycle: counted from 1.
        loss: mean of the epoch's recorded data losses.
        val_loss: mean data loss on the validation split.
        val_accuracy: share of right classes there; `None` for regression.
    """

    epoch: int
    cycle: int
    loss: float
    val_loss: float
    val_accuracy: float | None


@dataclass(frozen=True)
class TrainResult:
    """What `train` achieved.

    Attributes:
        test_loss: mean data loss of the last model on the test set.
        test_accuracy: share of right classes there; `None` for regression.
        history: one entry an epoch.
        best_epoch: the epoch whose model is `best.keras`.
        values: the hyper-parameters used, and where they came from.
        max_lrs: the highest learning rate of each cycle.
        cost: what it took.
        images_per_second: training examples a second, end to end.
        folder: where it is written, or `None`.
    """

    test_loss: float
    test_accuracy: float | None
    history: list[Epoch]
    best_epoch: int
    values: Values
    max_lrs: list[float]
    cost: Cost
    images_per_second: float
    folder: Path | None

    def scores(self) -> dict[str, Any]:
        """Return how good the last and the best model are, as plain data."""
        last, best = self.history[-1], self.history[self.best_epoch - 1]
        return {
            "test_accuracy": self.test_accuracy,
            "test_loss": self.test_loss,
            "val_accuracy_last": last.val_accuracy,
            "val_accuracy_best": best.val_accuracy,
            "val_loss_last": last.val_loss,
            "val_loss_best": best.val_loss,
            "best_epoch": self.best_epoch,
        }


def train(
    config: str | Path | Mapping[str, Any] | Config,
    *,
    out: str | Path | None = "runs",
    observer: Observer | None = None,
    shared: Shared | None = None,
) -> TrainResult:
    """Train by the configured 1cycle passes, and evaluate the last model on the test set, once.

    Args:
        config: a path, a mapping or a `Config`.
        out: the folder for runs, where suggestions are looked up too; `None` writes nothing.
        observer: hears of the progress.
        shared: what a recipe gives its stages.

    Raises:
        OnecycleError: when the configuration, the data or the model won't do, the learning rate
            is not known yet, or the loss ceases to be finite.
    """
    config, observer = load_config(config), observer or Observer()
    with prepared(config, out, observer, shared=shared) as ready:
        max_lrs = ready.values.cycle_rates(config)
        with recorded_run(config, "train", out, ready.values) as run:
            return _Training(ready.bench, ready.values, max_lrs, observer, run).carry_out()


@dataclass
class _Logbook:
    """The tables of a training run, as they grow."""

    steps: list[tuple[Any, ...]] = field(default_factory=list)
    epochs: list[Epoch] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        results.write_csv(
            folder / "steps.csv", ("step", "lr", "momentum", "loss", "epoch", "cycle"), self.steps
        )
        results.write_csv(
            folder / "history.csv",
            ("epoch", "cycle", "loss", "val_loss", "val_accuracy"),
            ((e.epoch, e.cycle, e.loss, e.val_loss, e.val_accuracy) for e in self.epochs),
        )


class _Training:
    def __init__(
        self,
        bench: Workbench,
        values: Values,
        max_lrs: list[float],
        observer: Observer,
        run: RunFolder | None,
    ) -> None:
        self.bench, self.values, self.max_lrs = bench, values, max_lrs
        self.observer, self.run = observer, run
        self.config = bench.config
        self.log = _Logbook()
        self.best: Epoch | None = None
        decay = self.config.train.ema
        self.average = None if decay is None else WeightAverage(self.bench.model, decay)
        self._steps_before = 0
        self.label = label_of(run, self.config, "train")

    def carry_out(self) -> TrainResult:
        started = time.perf_counter()
        self._announce()
        if self.run is not None:
            write_config(self.run, self.bench, self.values)
        for number, cycle in enumerate(self.config.train.cycles, start=1):
            self._run_cycle(number, cycle.epochs, self.max_lrs[number - 1])
        seconds = time.perf_counter() - started
        if self.run is not None:
            self._save(self.run, "model.keras")
        with self._final_weights():
            test = self.bench.examine("test")
        result = self._result(test, seconds)
        if self.run is not None:
            self._write(self.run, result)
        return result

    def _announce(self) -> None:
        values, note = self.values, self.observer.note
        rates = zip(self.max_lrs, values.cycle_rate_sources(self.config), strict=True)
        note("max_lr " + ", ".join(f"{lr:g} ({source})" for lr, source in rates))
        note(
            f"momentum {values.momentum['max']:g} to {values.momentum['min']:g} "
            f"({values.sources['momentum']})"
        )
        note(
            f"{self.config.optimizer.decay_kind} weight decay {values.weight_decay:g} "
            f"({values.sources['weight_decay']})"
        )
        note(
            f"{len(self.max_lrs)} cycle{'' if len(self.max_lrs) == 1 else 's'}, "
            f"{training_steps(self.bench)} steps of batch size {self.config.batch_size} over "
            f"{len(self.bench.dataset.train)} examples"
        )

    def _run_cycle(self, number: int, epochs: int, max_lr: float) -> None:
        settings = self.config.train
        cycle = RecordedCycle(
            constants={self.bench.decay_name: self.values.weight_decay},
            max_lr=max_lr,
            maximum_momentum=self.values.momentum["max"],
            minimum_momentum=self.values.momentum["min"],
            shape=settings.shape,
            end_percentage=settings.end_percentage,
            scale_percentage=settings.scale_percentage,
        )
        steps = self.bench.steps_per_epoch
        self._steps_before = len(self.log.steps)
        of = f" of {len(self.max_lrs)}" if len(self.max_lrs) > 1 else ""
        self.observer.begin(f"cycle {number}{of}", epochs * steps)
        averaging = [] if self.average is None else [self.average]
        close_epoch = EpochEnd(lambda: self._close_epoch(number, cycle))
        try:
            self.bench.train(
                steps,
                [cycle, *averaging, Reporting(self.observer, cycle), close_epoch],
                epochs=epochs,
                start=len(self.log.epochs) * steps,
                resize=data.resizing(settings, training_steps(self.bench)),
            )
            if cycle.stop_reason is not None:
                raise TrainingError(_not_finite(number, cycle))
        except BaseException:
            self._take_down(number, cycle)
            self._keep_what_there_is()
            raise
        self.observer.end()

    def _close_epoch(self, number: int, cycle: RecordedCycle) -> None:
        """Validate, take the epoch down, and keep the model if it is the best so far."""
        if cycle.stop_reason is not None:
            return
        with self._final_weights():
            examined = self.bench.examine("validation")
        losses = self._take_down(number, cycle)
        epoch = Epoch(
            epoch=len(self.log.epochs) + 1,
            cycle=number,
            loss=float(np.mean(losses)),
            val_loss=examined.loss,
            val_accuracy=examined.accuracy,
        )
        self.log.epochs.append(epoch)
        accuracy = "" if epoch.val_accuracy is None else f", accuracy {epoch.val_accuracy:.2%}"
        self.observer.note(
            f"epoch {epoch.epoch}: loss {epoch.loss:.4f}, validation loss {epoch.val_loss:.4f}"
            f"{accuracy}"
        )
        is_best = self.best is None or _merit(epoch) > _merit(self.best)
        self.best = epoch if is_best else self.best
        if self.run is not None:
            self.run.keep()
            self.log.write(self.run.path)
            if is_best:
                self._save(self.run, "best.keras")

    def _take_down(self, number: int, cycle: RecordedCycle) -> list[float]:
        """Enter the steps of a cycle that are not in the books yet, and return their losses."""
        since = len(self.log.steps) - self._steps_before
        epoch = len(self.log.epochs) + 1
        for i in range(since, len(cycle.losses)):
            momentum = cycle.history["momentum"][i]
            row = (len(self.log.steps), cycle.lrs[i], momentum, cycle.losses[i], epoch, number)
            self.log.steps.append(row)
        return cycle.losses[since:]

    def _keep_what_there_is(self) -> None:
        if self.run is not None and self.log.steps:
            self.run.keep()
            self.log.write(self.run.path)
            self._save(self.run, "model.keras")

    def _final_weights(self) -> contextlib.AbstractContextManager[None]:
        """Evaluate and save with the average of the weights, if there is one."""
        return contextlib.nullcontext() if self.average is None else self.average.in_force()

    def _save(self, run: RunFolder, name: str) -> None:
        """Write the model whole or not at all."""
        temporary = run.path / f".{name.removesuffix('.keras')}.tmp.keras"
        try:
            with self._final_weights():
                self.bench.model.save(temporary)
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(run.path / name)
        except OSError as error:
            raise results.unwritable(run.path / name, error) from None
        finally:
            temporary.unlink(missing_ok=True)

    def _result(self, test: Examination, seconds: float) -> TrainResult:
        if self.best is None:
            raise TrainingError("no epoch was completed.")
        steps = len(self.log.steps)
        trained = len(self.bench.dataset.train) * len(self.log.epochs)
        return TrainResult(
            test_loss=test.loss,
            test_accuracy=test.accuracy,
            history=self.log.epochs,
            best_epoch=self.best.epoch,
            values=self.values,
            max_lrs=self.max_lrs,
            cost=Cost.of(self.bench, steps, seconds),
            images_per_second=round(trained / seconds, 1),
            folder=self.run.final if self.run else None,
        )

    def _write(self, run: RunFolder, result: TrainResult) -> None:
        results.write_json(
            run.path / "result.json",
            {
                "kind": "train",
                "label": self.label,
                **result.scores(),
                "max_lr": result.max_lrs,
                "momentum": self.values.momentum,
                "weight_decay": self.values.weight_decay,
                "decay": self.config.optimizer.decay_kind,
                "sources": self.values.sources
                | {"max_lr": self.values.cycle_rate_sources(self.config)},
                "steps_per_epoch": self.bench.steps_per_epoch,
                "images_per_second": result.images_per_second,
                "cost": result.cost.as_dict(),
            },
        )
        picture = plotting.draw(results.read_record(run.path))
        results.write_bytes(run.path / "plot.png", plotting.png(picture))


def _merit(epoch: Epoch) -> float:
    merit = -epoch.val_loss if epoch.val_accuracy is None else epoch.val_accuracy
    return merit if np.isfinite(merit) else -np.inf


def _not_finite(number: int, cycle: RecordedCycle) -> str:
    step = len(cycle.losses)
    if number == step == 1:
        return (
            "the loss was not finite at the first step, before anything was learned; check the "
            "inputs for NaN, and the model for a division by zero or a logarithm of zero."
        )
    return (
        f"the loss was not finite at step {step} of cycle {number}, at the learning rate "
        f"{cycle.lrs[-1]:.3g}; lower train.max_lr, or run 'onecycle find-lr CONFIG' and use what "
        f"it suggests."
    )
