"""What a run used and what it took: values and where they came from, settings, machine, cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from onecycle_cli.kinds import FINDERS, KINDS, TRAIN
from onecycle_cli.plotting.paper.numbers import number
from onecycle_cli.plotting.wording import known
from onecycle_cli.report.document import Grid, Part
from onecycle_cli.report.sentences import value_in_words
from onecycle_cli.runs.reading.times import duration
from onecycle_cli.runs.records import Record

_NAMES = {
    "max_lr": "maximum learning rate",
    "min_lr": "minimum learning rate, where the cycle starts",
    "momentum": "momentum",
    "weight_decay": "weight decay",
}


def values_grid(record: Record, manifest: Mapping[str, Any]) -> list[Part]:
    """Return the values that a run used or found, each with where it came from."""
    rows = list(_values(record, manifest))
    if not rows:
        return []
    return [Grid("Values, and where each came from", ("value", "is", "came from"), rows)]


def _values(record: Record, manifest: Mapping[str, Any]) -> Iterator[list[Any]]:
    train, found = record.config.get("train") or {}, KINDS[record.kind].finds
    origins = manifest.get("origins") or {}
    sources = record.result.get("sources") or {}
    for key in FINDERS:
        value = record.result.get(key) if record.kind == TRAIN.name else train.get(key)
        suggested = (record.result.get("suggestion") or {}).get("value")
        if key == found:
            if suggested is not None:
                yield [_NAMES[key], value_in_words(suggested), "found by this run"]
            continue
        if value in (None, "auto", []):
            continue
        source = sources.get(key) or origins.get(f"train.{key}") or "the configuration"
        yield [_NAMES[key], value_in_words(value), _source_in_words(source)]
    if known(record.result.get("min_lr")):
        yield [_NAMES["min_lr"], number(record.result["min_lr"]), "a tenth of the maximum"]


def _source_in_words(source: Any) -> str:
    if isinstance(source, list):
        return ", ".join(dict.fromkeys(map(str, source)))
    return str(source)


def cost_grid(record: Record, manifest: Mapping[str, Any]) -> list[Part]:
    """Return what the run took, when it started, and on which machine with which versions."""
    rows = [*_cost(record), *_times(manifest), *_machine(manifest)]
    if not rows:
        return []
    return [Grid("Cost, machine and versions", ("what", "is"), rows)]


def _cost(record: Record) -> Iterator[list[Any]]:
    cost = record.result.get("cost") or {}
    if known(cost.get("steps")):
        yield ["steps of training", f"{int(cost['steps']):,}"]
    if known(cost.get("epochs")):
        yield ["passes over the data (epochs)", number(cost["epochs"])]
    if known(cost.get("training_runs")) and record.kind != TRAIN.name:
        yield ["compared with one whole training", f"{100 * cost['training_runs']:.3g} %"]
    if known(cost.get("seconds")):
        yield ["time", duration(cost["seconds"], decimals=1)]
    if known(record.result.get("images_per_second")):
        yield ["examples per second", f"{record.result['images_per_second']:,.0f}"]
    if known(cost.get("peak_memory_bytes")):
        yield ["most main memory", f"{cost['peak_memory_bytes'] / 2**20:,.0f} MiB"]


def _times(manifest: Mapping[str, Any]) -> Iterator[list[Any]]:
    if manifest.get("start"):
        yield ["started", str(manifest["start"])]
    for again in manifest.get("resumed") or []:
        if isinstance(again, Mapping):
            yield ["resumed", str(again.get("when"))]
    if command := manifest.get("command"):
        yield ["command", " ".join(map(str, command)) if isinstance(command, list) else command]


def _machine(manifest: Mapping[str, Any]) -> Iterator[list[Any]]:
    for key, name in (
        ("backend", "backend"),
        ("precision", "precision"),
        ("devices", "devices that train together"),
        ("threads", "processor threads"),
        ("seed", "seed"),
        ("git_commit", "git commit of the current folder"),
    ):
        if manifest.get(key) is not None:
            yield [name, plain(manifest[key])]
    versions = manifest.get("versions")
    if isinstance(versions, Mapping):
        yield ["versions", ", ".join(f"{name} {text}" for name, text in versions.items())]


def settings_grid(record: Record, manifest: Mapping[str, Any]) -> list[Part]:
    """Return every key of the configuration, with its value and where that came from."""
    origins = manifest.get("origins") or {}
    rows = [[key, plain(value), str(origins.get(key, ""))] for key, value in leaves(record.config)]
    if not rows:
        return []
    columns = ("key", "value", "came from")
    return [Grid("The whole configuration", columns, rows, is_sortable=True, is_folded=True)]


def leaves(config: Mapping[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of a configuration with its dotted key; lists are values."""
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from leaves(value, f"{within}{key}.")
        else:
            yield f"{within}{key}", value


def plain(value: Any) -> str:
    """Return a value of a configuration as YAML would have it, on one line."""
    if isinstance(value, Mapping):
        inner = ", ".join(f"{key}: {plain(part)}" for key, part in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(plain, value))}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number(value, 6)
    return "null" if value is None else str(value)
