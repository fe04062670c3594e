"""A configuration with the values of a run in place of `auto`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onecycle_cli.config import IN_MEMORY, DatasetConfig
from onecycle_cli.export.plan import TrainingPlan
from onecycle_cli.export.remarks import values_in_words
from onecycle_cli.export.snippets import blocks, comment
from onecycle_cli.runs.files import to_yaml
from onecycle_cli.version import __version__

_COMPILED = "compiled"


def yaml_values(plan: TrainingPlan) -> str:
    """Return a configuration that trains with the values of a run.

    It says what differs from the defaults, and always the values that were searched. What belongs
    to the machine, such as the backend, is left to the machine. A model or data that were handed
    over in Python are named in a comment, for there is nothing to name them by.

    Args:
        plan: what the run trained with, or found.
    """
    sections = {
        "batch_size": plan.batch_size,
        **({} if plan.precision == "float32" else {"precision": plan.precision}),
        **({} if plan.task in ("auto", "other") else {"task": plan.task}),
        **_loss(plan),
        **_data_and_model(plan),
        "optimizer": _optimizer(plan),
        "train": _train(plan),
    }
    lines = [f"{plan.label}, exported by onecycle {__version__}", *values_in_words(plan)]
    if IN_MEMORY in (plan.dataset.get("name"), plan.model.get("name")):
        lines.append("model and data came from Python; add the sections dataset and model.")
    return blocks(["\n".join(map(comment, lines)), to_yaml(sections).rstrip()])


def _loss(plan: TrainingPlan) -> dict[str, Any]:
    if plan.loss.name == _COMPILED:
        return {}
    if plan.loss.from_logits:
        return {"loss": {"name": plan.loss.name, "from_logits": True}}
    return {"loss": plan.loss.name}


def _data_and_model(plan: TrainingPlan) -> dict[str, Any]:
    sections: dict[str, Any] = {}
    if plan.dataset.get("name") != IN_MEMORY:
        sections["dataset"] = _differing(plan.dataset)
    if plan.model.get("name") != IN_MEMORY:
        sections["model"] = {key: value for key, value in plan.model.items() if value}
    return sections


def _differing(dataset: Mapping[str, Any]) -> dict[str, Any]:
    fields = DatasetConfig.model_fields
    return {
        key: value
        for key, value in dataset.items()
        if key not in fields or value != fields[key].get_default(call_default_factory=True)
    }


def _optimizer(plan: TrainingPlan) -> dict[str, Any]:
    section = plan.optimizer.model_dump(exclude_defaults=True)
    section.pop("weight_decay", None)  # of the training, it is under train
    name = section.get("name", "sgd")
    if name == _COMPILED:
        section.pop("name")
        return section | {"decay": plan.decay_kind}
    return {"name": name, **section, "decay": plan.decay_kind}


def _train(plan: TrainingPlan) -> dict[str, Any]:
    section = plan.train.model_dump(exclude_defaults=True)
    cycles = [
        {"epochs": epochs} if len(plan.epochs) == 1 else {"epochs": epochs, "max_lr": rate}
        for epochs, rate in zip(plan.epochs, plan.max_lrs, strict=True)
    ]
    found = {
        "cycles": cycles,
        "max_lr": plan.max_lrs[0],
        "momentum": plan.momentum.model_dump(),
        "weight_decay": plan.weight_decay,
        "shape": plan.train.shape,
    }
    return found | {key: value for key, value in section.items() if key not in found}
