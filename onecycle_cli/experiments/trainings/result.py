"""What a training has achieved."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from onecycle_cli.experiments.drawn import Drawn
from onecycle_cli.experiments.hyper_parameters.values import Values
from onecycle_cli.runs.log import Epoch
from onecycle_cli.runs.records import Record
from onecycle_cli.shown import Facts
from onecycle_cli.workbench.cost import Cost


@dataclass(frozen=True, repr=False)
class TrainResult(Drawn):
    """What `train` achieved.

    Attributes:
        test_loss: mean data loss of the last model on the test set; `None` without one.
        test_accuracy: share of right classes or labels there; `None` for regression.
        history: one entry an epoch.
        best_epoch: the epoch whose model is `best.keras`; `None` where nothing was validated on.
        values: the hyper-parameters used, and where they came from.
        max_lrs: the highest learning rate of each cycle.
        cost: what it took.
        images_per_second: training examples a second, end to end.
        peak_memory: the most main memory that the process has held, in bytes, or `None`.
        by_class: `per_class` and `confusion` of the test set, see `examination.by_class`.
        folder: where it is written, or `None`.
        test_scores: further measures of the task on the test set, such as `auc` or `r2`.
        ended: why it ended before its time, by a cool-down: `"interrupted"`, `"early"` or `None`.
        events: what happened that was not planned.
        checkpoints: how many were written in this sitting, and in how many seconds.
        seen: how many test examples have inputs that were trained or validated on too.
        record: what its files say.
    """

    test_loss: float | None
    test_accuracy: float | None
    history: list[Epoch]
    best_epoch: int | None
    values: Values
    max_lrs: list[float]
    cost: Cost
    images_per_second: float
    peak_memory: int | None
    by_class: dict[str, Any]
    folder: Path | None
    test_scores: dict[str, Any] = field(default_factory=dict)
    ended: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    checkpoints: dict[str, float] = field(default_factory=dict)
    seen: int | None = None
    record: Record | None = None

    @property
    def best(self) -> Epoch | None:
        """The best epoch; `None` where nothing was validated on."""
        return None if self.best_epoch is None else self.history[self.best_epoch - 1]

    def scores(self) -> dict[str, Any]:
        """Return how good the last and the best model are, as plain data."""
        last, best = self.history[-1], self.best
        return {
            "test_accuracy": self.test_accuracy,
            "test_loss": self.test_loss,
            "test_scores": self.test_scores,
            "val_accuracy_last": last.val_accuracy,
            "val_accuracy_best": None if best is None else best.val_accuracy,
            "val_loss_last": last.val_loss,
            "val_loss_best": None if best is None else best.val_loss,
            "best_epoch": self.best_epoch,
        }

    def _sentence(self) -> str:
        epochs = f"{len(self.history)} epoch{'' if len(self.history) == 1 else 's'}"
        trained = f"Trained for {epochs}{f' (ended {self.ended})' if self.ended else ''}"
        last, part = self.history[-1], "test set"
        loss, accuracy = self.test_loss, self.test_accuracy
        if loss is None:
            loss, accuracy, part = last.val_loss, last.val_accuracy, "validation split"
        if loss is None:
            return f"{trained}, without any examples to judge it by."
        right = "" if accuracy is None else f"accuracy {accuracy:.2%}, "
        return f"{trained}; on the {part}: {right}loss {loss:.4g}."

    def _facts(self) -> Facts:
        accuracy = self.test_accuracy
        yield "test accuracy", None if accuracy is None else f"{accuracy:.2%}"
        yield "test loss", None if self.test_loss is None else f"{self.test_loss:.4g}"
        last = self.history[-1]
        if self.test_loss is None and last.val_loss is not None:
            share = "" if last.val_accuracy is None else f", accuracy {last.val_accuracy:.2%}"
            yield "validation", f"loss {last.val_loss:.4g}{share}"
        best = "" if self.best_epoch is None else f", the best is {self.best_epoch}"
        yield "epochs", f"{len(self.history)}{best}"
        yield "ended", self.ended
        yield "values", self.values
        yield "cost", self.cost
        yield "folder", self.folder
