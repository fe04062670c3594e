"""The conditions of a suggestion: what it was made under, and how that differs from now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from onecycle_cli.config import Config
from onecycle_cli.data import augmentation
from onecycle_cli.experiments.hyper_parameters.values import Values
from onecycle_cli.kinds import FINDERS
from onecycle_cli.observer import Observer
from onecycle_cli.plugin_names import short

_WHERE_NOT_ON_RECORD = {"normalise": True}
"""Conditions of suggestions that were made before there was a choice."""


def conditions_of(config: Config, fingerprint: str | None = None) -> dict[str, Any]:
    """Return what a suggestion depends on, besides the other suggestions.

    Args:
        config: the configuration.
        fingerprint: of the data; `None` while they are not loaded.
    """
    own, drawn = config.dataset.augment, augmentation(config.dataset)
    augment = short(own) if isinstance(own, str) else drawn and asdict(drawn)
    conditions = {
        "dataset": short(config.dataset.name),
        "data": fingerprint,
        "normalise": config.dataset.is_normalised,
        "augment": augment,
        "model": short(config.model.name),
        "options": dict(config.model.options),
        "batch_size": config.batch_size,
        "optimizer": short(config.optimizer.name),
        "nesterov": config.optimizer.nesterov,
        "decay": config.optimizer.decay_kind,
        "precision": config.precision,
        "label_smoothing": config.train.label_smoothing,
        "layer_rates": dict(config.train.layer_rates),
    }
    if fingerprint is None:
        del conditions["data"]
    return conditions


def premises(values: Values, searched: str) -> dict[str, Any]:
    """Return the values that a suggestion is made with; they are part of its conditions."""
    if searched == "max_lr":  # a range test holds momentum constant
        return {"momentum": values.reference_momentum, "weight_decay": values.weight_decay}
    known = {
        "max_lr": values.max_lr,
        "momentum": values.momentum,
        "weight_decay": values.weight_decay,
    }
    return {key: value for key, value in known.items() if key != searched}


def recorded_conditions(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the conditions that a suggestion on file was made under, as far as they are known."""
    conditions = entry.get("conditions")
    return conditions if isinstance(conditions, Mapping) else {}


def warn_of_other_conditions(
    key: str, entry: Mapping[str, Any], conditions: Mapping[str, Any], observer: Observer
) -> None:
    """Say in what a suggestion's conditions differ from those given."""
    made_under = {**_WHERE_NOT_ON_RECORD, **recorded_conditions(entry)}
    other = {name: made_under.get(name, now) for name, now in conditions.items()}
    other = {name: then for name, then in other.items() if then != conditions[name]}
    if "dataset" in other:
        other.pop("data", None)  # goes without saying
    if other:
        differences = ", ".join(_difference(n, then, conditions[n]) for n, then in other.items())
        observer.warn(
            f"the suggested {key} was made under other conditions: {differences}; run "
            f"'onecycle {FINDERS[key].name} CONFIG' again to be sure."
        )


def _difference(name: str, then: Any, now: Any) -> str:
    if name == "data":
        return "other examples, or another split of them"
    return f"{name} {then}, now {now}"
