"""What a run trained with, or what its search found and used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from onecycle_cli.config import LossConfig, MomentumRange, OptimizerConfig, TrainConfig
from onecycle_cli.errors import ResultError
from onecycle_cli.kinds import FIND_MOMENTUM, KINDS
from onecycle_cli.runs.files import read_json, read_yaml
from onecycle_cli.runs.finding import find_run, is_run
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import rounded


@dataclass(frozen=True)
class TrainingPlan:
    """What a run trained with, or what its search found and used.

    Attributes:
        label: the run's name and number.
        kind: of the run: `train`, or the finder's name.
        max_lrs: the highest learning rate of each cycle.
        momentum: where the rate is low (`max`) and where it peaks (`min`).
        weight_decay: of the kind that `optimizer.decay_kind` says.
        batch_size: examples in a batch.
        precision: `float32`, `mixed_bfloat16` or `mixed_float16`.
        optimizer: the section of the configuration.
        train: the section of the configuration: cycles, shape, and more.
        loss: the section of the configuration.
        task: `multiclass`, `binary`, `multilabel`, `regression` or `auto`.
        dataset: the section of the configuration, as it is in the file.
        model: the section of the configuration, as it is in the file.
        sources: where max_lr, momentum and weight_decay came from, in words.
        inputs: what a training's result says of its inputs: shape, type, mean and deviation.
        targets: alike of its targets, where they were standardised: mean and deviation.
        steps_per_epoch: batches in an epoch of that run; `None`: not on record.
        divergences: how often the training went back, to go on with half the rate.
    """

    label: str
    kind: str
    max_lrs: list[float]
    momentum: MomentumRange
    weight_decay: float
    batch_size: int
    precision: str
    optimizer: OptimizerConfig
    train: TrainConfig
    loss: LossConfig
    task: str = "auto"
    dataset: Mapping[str, Any] = field(default_factory=dict)
    model: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    targets: Mapping[str, Any] = field(default_factory=dict)
    steps_per_epoch: int | None = None
    divergences: int = 0

    @property
    def decay_kind(self) -> Literal["l2", "decoupled"]:
        """What the weight decay means."""
        return self.optimizer.decay_kind

    @property
    def epochs(self) -> list[int]:
        """The epochs of each cycle."""
        return [cycle.epochs for cycle in self.train.cycles]


def read_plan(path: str | Path) -> TrainingPlan:
    """Return the plan of a run.

    Args:
        path: the folder or URL of a training or of a finder's run; that of a recipe, for its
            training; or a folder above, for the newest run inside.

    Raises:
        ResultError: when there is no such run, or it found nothing to train with.
    """
    folder = find_run(path)
    if not is_run(folder):
        raise ResultError(
            f"{folder}: holds a curve only, and says nothing of a training; give the folder of a "
            f"run of onecycle, such as runs/NAME/train/001."
        )
    result, config = read_json(folder / "result.json"), read_yaml(folder / "config.yaml")
    manifest = folder / "manifest.json"
    origins = read_json(manifest).get("origins", {}) if manifest.is_file() else {}
    label = str(result.get("label") or folder.name)
    return plan_of(Record(str(result.get("kind")), label, result, config=config), origins)


def plan_of(record: Record, origins: Mapping[str, str] | None = None) -> TrainingPlan:
    """Return the plan of a run that has been read; its tables are not needed.

    Args:
        record: of a training or of a finder's run.
        origins: where each value came from, by dotted key, as the run's manifest says.

    Raises:
        ResultError: when it found nothing to train with, or its configuration is damaged.
    """
    try:
        return _plan_of(record, origins or {})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        reason = str(error).splitlines()[0]
        raise ResultError(
            f"{record.label}: its config.yaml is damaged ({reason}); restore it, or run the "
            f"command again."
        ) from None


def _plan_of(record: Record, origins: Mapping[str, str]) -> TrainingPlan:
    config, result = record.config, record.result
    train = TrainConfig.model_validate(config["train"] | _found(record))
    optimizer = OptimizerConfig.model_validate(config["optimizer"])
    loss = config.get("loss", "auto")
    momentum, weight_decay = train.momentum, train.weight_decay
    if isinstance(momentum, str):
        raise _nothing_found(record, "momentum")
    if isinstance(weight_decay, str):
        raise _nothing_found(record, "weight_decay")
    sources = _sources(record, origins)
    common = 0.0
    if all(cycle.max_lr for cycle in train.cycles):
        sources["max_lr"] = "of each cycle"
    elif isinstance(train.max_lr, str):
        raise _nothing_found(record, "max_lr")
    else:
        common = _rate(record, train.max_lr, momentum, optimizer, sources)
    return TrainingPlan(
        label=record.label,
        kind=record.kind,
        max_lrs=[cycle.max_lr or common for cycle in train.cycles],
        momentum=momentum,
        weight_decay=weight_decay,
        batch_size=int(config["batch_size"]),
        precision=str(config.get("precision", "float32")),
        optimizer=optimizer,
        train=train,
        loss=LossConfig.model_validate({"name": loss} if isinstance(loss, str) else loss),
        task=str(config.get("task", "auto")),
        dataset=dict(config.get("dataset", {})),
        model=dict(config.get("model", {})),
        sources=sources,
        inputs=dict(result.get("inputs") or {}),
        targets=dict(result.get("targets") or {}),
        steps_per_epoch=_steps_per_epoch(result, train),
        divergences=len(result.get("events") or []),
    )


def _found(record: Record) -> dict[str, Any]:
    """Return what a finder's run found, which goes before a value that its config has fixed."""
    key = KINDS[record.kind].finds
    if key is None:
        return {}
    value = record.result["suggestion"]["value"]
    if value is None:
        raise _nothing_found(record, key)
    return {key: value}


def _nothing_found(record: Record, key: str) -> ResultError:
    reason = record.result.get("suggestion", {}).get("reason", "its search is not over")
    return ResultError(
        f"{record.label}: has found no {key} to export: {reason.rstrip('.')}; give a run that "
        f"found one, or a training."
    )


def _sources(record: Record, origins: Mapping[str, str]) -> dict[str, str]:
    """Return where each value came from, in words."""
    keys = ("max_lr", "momentum", "weight_decay")
    sources = {key: str(origins.get(f"train.{key}", "not on record")) for key in keys}
    found = KINDS[record.kind].finds
    if found is not None:
        sources[found] = f"found by this run, {record.result['suggestion']['verdict']}"
    return sources


def _rate(
    record: Record,
    max_lr: float,
    momentum: MomentumRange,
    optimizer: OptimizerConfig,
    sources: dict[str, str],
) -> float:
    """Return the rate that goes with the momentum, and note it.

    A search for momentum compares at equal lr / (1 - momentum), and a training with what it has
    found does the same; a rate that was fixed stays.
    """
    reference, middle = record.result.get("reference"), round((momentum.max + momentum.min) / 2, 9)
    was_found = record.kind == FIND_MOMENTUM.name and sources["max_lr"].startswith("suggestion")
    if not (was_found and optimizer.step_grows_with_momentum) or reference in (None, middle):
        return max_lr
    sources["max_lr"] += (
        f": {max_lr:.6g} at momentum {reference:g}, and as large steps around {middle:g}"
    )
    return rounded(max_lr * (1 - middle) / (1 - reference))


def _steps_per_epoch(result: Mapping[str, Any], train: TrainConfig) -> int | None:
    if (known := result.get("steps_per_epoch")) is not None:
        return int(known)
    if (steps := result.get("training_steps")) is not None:
        return int(steps) // sum(cycle.epochs for cycle in train.cycles)
    return None
