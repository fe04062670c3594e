"""The report that compares several runs: a table, what their configurations differ in, curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onecycle_cli.kinds import FINDERS, KINDS, TRAIN
from onecycle_cli.plotting.wording import overlay_labels
from onecycle_cli.report.charts.overlay import overlay_chart
from onecycle_cli.report.document import Document, Grid, Marked, Part, Section, Text
from onecycle_cli.report.facts import leaves, plain
from onecycle_cli.report.sentences import interval_in_words, value_in_words
from onecycle_cli.report.snippets import training_values
from onecycle_cli.runs.records import Record

Row = dict[str, Any]

_SCORES = {
    "test accuracy": "test_accuracy",
    "test loss": "test_loss",
    "validation accuracy": "val_accuracy_last",
    "best validation accuracy": "val_accuracy_best",
    "validation loss": "val_loss_last",
}


def document_of_several(records: Sequence[Record]) -> Document:
    """Return the comparison of several runs."""
    labels = _all_different([record.label for record in records])
    title = f"{len(records)} runs compared"
    sections = [
        Section("runs", "The runs", [_table(records, labels)]),
        Section("curves", "The curves", _curves(records)),
        Section("settings", "What differs in the configurations", _differences(records, labels)),
    ]
    return Document(title, ", ".join(labels), sections)


def _table(records: Sequence[Record], labels: Sequence[str]) -> Grid:
    rows = [_row(record) for record in records]
    columns = list(dict.fromkeys(k for row in rows for k in row))
    columns = [name for name in columns if any(row.get(name) not in (None, "") for row in rows)]
    first = rows[0]
    cells = [
        [label, *(_cell(row.get(c), first.get(c), is_asked=c in _ASKED) for c in columns)]
        for label, row in zip(labels, rows, strict=True)
    ]
    caption = "Values and scores; settings that differ from the first run are marked"
    return Grid(caption, ("run", *columns), cells, is_sortable=True)


def _cell(value: Any, first: Any, *, is_asked: bool = True) -> Any:
    is_other = value is not None and first is not None and value != first
    return Marked(value) if is_asked and is_other else value


_ASKED = ("data", "model", "optimizer", "batch size", "max_lr", "momentum", "weight_decay")
"""Columns whose differences are marked: what was asked for, not what came of it."""


def _row(record: Record) -> Row:
    result, config = record.result, record.config
    found = result.get("suggestion") or {}
    values = training_values(result) if record.kind == TRAIN.name else config.get("train") or {}
    key = KINDS[record.kind].finds
    cost = result.get("cost") or {}
    return {
        "command": record.kind,
        "suggested": "" if key is None else f"{key} {value_in_words(found.get('value'))}".strip(),
        "interval": interval_in_words(found.get("interval")),
        "verdict": found.get("verdict"),
        **{title: result.get(score) for title, score in _SCORES.items()},
        **{name: _value(values.get(name)) for name in FINDERS if name != key},
        "data": _name(config, "dataset"),
        "model": _name(config, "model"),
        "optimizer": _name(config, "optimizer"),
        "batch size": config.get("batch_size"),
        "steps": cost.get("steps"),
        "seconds": cost.get("seconds"),
    }


def _name(config: Mapping[str, Any], section: str) -> str:
    entry = config.get(section)
    return str(entry.get("name") or "") if isinstance(entry, Mapping) else ""


def _value(value: Any) -> Any:
    if value in (None, "auto"):
        return None
    return float(value) if isinstance(value, int | float) else value_in_words(value)


def _curves(records: Sequence[Record]) -> list[Part]:
    """Return a chart for each kind of run that there are several of."""
    groups: dict[tuple[str, str], list[Record]] = {}
    for record in records:
        key = (record.kind, KINDS[record.kind].picture_by(record.result.get("method")))
        groups.setdefault(key, []).append(record)
    charts: list[Part] = [
        overlay_chart(group, overlay_labels(group), f"overlay-{kind}-{picture}")
        for (kind, picture), group in groups.items()
    ]
    return charts or [Text("There is nothing to draw.")]


def _differences(records: Sequence[Record], labels: Sequence[str]) -> list[Part]:
    """Return the keys that differ somewhere; what differs from the first run is marked."""
    configs = [dict(leaves(record.config)) for record in records]
    keys = dict.fromkeys(key for config in configs for key in config)
    texts = {key: [plain(c[key]) if key in c else "" for c in configs] for key in keys}
    rows = [
        [key, first, *(_cell(other, first) for other in others)]
        for key, (first, *others) in texts.items()
        if any(other != first for other in others)
    ]
    if not rows:
        return [Text("The configurations are the same.")]
    caption = "Keys that differ; values that differ from the first run are marked"
    return [Grid(caption, ("key", *labels), rows, is_sortable=True)]


def _all_different(labels: Sequence[str]) -> list[str]:
    counts: dict[str, int] = {}
    found = []
    for label in labels:
        counts[label] = counts.get(label, 0) + 1
        found.append(label if counts[label] == 1 else f"{label} ({counts[label]})")
    return found
