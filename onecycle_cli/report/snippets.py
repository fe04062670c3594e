"""What was found, ready to be pasted elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onecycle_cli.errors import ResultError
from onecycle_cli.export import keras_code, plan_of, pytorch_code
from onecycle_cli.kinds import FINDERS, KINDS, TRAIN
from onecycle_cli.report.document import Code, Part, Text
from onecycle_cli.runs import files
from onecycle_cli.runs.records import Record


def snippets(record: Record, manifest: Mapping[str, Any]) -> list[Part]:
    """Return code with the values of a run; nothing for a run that has none."""
    values = values_of(record)
    if not values:
        return []
    text = "Into the configuration of onecycle, in the place of what is there under 'train':"
    yaml = Code("YAML", files.to_yaml({"train": values}).rstrip())
    return [Text(text, "muted"), yaml, *_programs(record, manifest.get("origins") or {})]


def _programs(record: Record, origins: Mapping[str, str]) -> list[Part]:
    """Return programs that train with the values; none where a learning rate is missing."""
    try:
        plan = plan_of(record, origins)
    except ResultError:
        return []
    return [
        Text("Into a program of your own, as 'onecycle export' writes it:", "muted"),
        Code("Keras", keras_code(plan).rstrip()),
        Code("PyTorch", pytorch_code(plan).rstrip()),
    ]


def values_of(record: Record) -> dict[str, Any]:
    """Return what a run found, or used in its training, by the keys of the section `train`."""
    if record.kind == TRAIN.name:
        return training_values(record.result)
    key = KINDS[record.kind].finds
    value = (record.result.get("suggestion") or {}).get("value")
    return {} if key is None or value is None else {key: value}


def training_values(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that a training or a recipe used; cycles of several rates have none."""
    values = {key: result.get(key) for key in FINDERS}
    rates = values["max_lr"]
    if isinstance(rates, list):
        values["max_lr"] = rates[0] if len(set(rates)) == 1 else None
    return {key: value for key, value in values.items() if value is not None}
