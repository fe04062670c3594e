"""The report of one run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onecycle_cli.kinds import FIND_LR, PROBES, TRAIN
from onecycle_cli.plotting.candidates import candidates_of
from onecycle_cli.plotting.paper.numbers import number
from onecycle_cli.plotting.probes import probes_in
from onecycle_cli.plotting.range_test import findings_of
from onecycle_cli.report import facts, sentences
from onecycle_cli.report.charts import comparison, confusion, probes, range_test, training
from onecycle_cli.report.document import Document, Grid, Part, Section, Text
from onecycle_cli.report.mistakes import gallery
from onecycle_cli.report.snippets import snippets
from onecycle_cli.runs.records import Record

_MOST_ROWS = 400


def document_of(record: Record, manifest: Mapping[str, Any]) -> Document:
    """Return the report of a run.

    Args:
        record: what its files say.
        manifest: of the run; empty for a folder that has none.
    """
    found = [
        Section("answer", "The answer", [*sentences.question(record), *sentences.answer(record)]),
        Section("evidence", "The evidence", evidence(record, "")),
    ]
    if code := snippets(record, manifest):
        found.append(Section("use", "Use it", code))
    background = background_of(record, manifest)
    if background:
        found.append(Section("background", "Where it comes from", background))
    return Document(record.label, _what(record), found)


def evidence(record: Record, prefix: str) -> list[Part]:
    """Return the charts and tables that support a run's answer.

    Args:
        record: the run.
        prefix: of the names of its charts, where a page has several runs.
    """
    return _EVIDENCE[_method(record)](record, prefix)


def background_of(record: Record, manifest: Mapping[str, Any]) -> list[Part]:
    """Return where values came from, what the run took, and its configuration."""
    return [
        *facts.values_grid(record, manifest),
        *facts.cost_grid(record, manifest),
        *facts.settings_grid(record, manifest),
    ]


def _method(record: Record) -> str:
    if record.kind == FIND_LR.name:
        return PROBES if record.result.get("method") == PROBES else "range_test"
    return TRAIN.name if record.kind == TRAIN.name else "comparison"


def _what(record: Record) -> str:
    return {
        PROBES: "Search for the learning rate, by short trainings",
        "range_test": "Search for the learning rate, by range tests",
        "comparison": "Comparison of "
        + ("weight decays" if record.kind == "find-wd" else "momentum values"),
        TRAIN.name: "Training by the 1cycle policy",
    }[_method(record)]


def _probes(record: Record, prefix: str) -> list[Part]:
    found = probes_in(record)
    rows = [
        [
            number(p.value),
            probes.stage_name(p.stage, p.steps),
            float(p.loss) if p.loss < float("inf") else "broke off",
        ]
        for p in found
    ]
    columns = ("learning rate", "part of", "loss at the end")
    return [
        probes.probes_chart(record, f"{prefix}probes"),
        probes.curves_chart(record, f"{prefix}curves"),
        Grid("Every short training", columns, rows, is_sortable=True, is_folded=True),
    ]


def _range_test(record: Record, prefix: str) -> list[Part]:
    parts: list[Part] = [range_test.range_test_chart(record, f"{prefix}range-test")]
    rules = findings_of(record, record.curves()).rules
    if rules:
        rows = [[name, number(lr) if lr is not None else "none"] for name, lr in rules.items()]
        parts.append(
            Grid("The answer of each rule", ("rule", "learning rate"), rows, is_folded=True)
        )
    return parts


def _comparison(record: Record, prefix: str) -> list[Part]:
    columns = ("value", "loss", "above the best (95 % interval)", "chosen")
    parts: list[Part] = [
        comparison.race_chart(record, f"{prefix}race"),
        *_between(record),
        Grid("Every value that was tried", columns, comparison.summary_rows(record)),
    ]
    if any(len(candidate.losses) for candidate in candidates_of(record)):
        parts.append(comparison.losses_chart(record, f"{prefix}losses"))
    return parts


def _between(record: Record) -> list[Part]:
    """Say so if the suggested value is none of those that were tried."""
    value = (record.result.get("suggestion") or {}).get("value")
    if value is None or comparison.chosen_names(record, candidates_of(record)):
        return []
    suggested = sentences.value_in_words(value)
    text = f"The suggested {suggested} was not tried itself; the answer says why."
    return [Text(text, "muted")]


def _training(record: Record, prefix: str) -> list[Part]:
    parts: list[Part] = [training.training_chart(record, f"{prefix}training")]
    if matrix := confusion.matrix_of(record):
        names, counts = matrix
        if len(names) <= confusion.MOST_CLASSES:
            parts.append(confusion.confusion_chart(names, counts, f"{prefix}confusion"))
        columns = ("true class", "taken for", "examples", "share of the class")
        pairs = confusion.worst_pairs(names, counts)
        parts.append(
            Grid("Confused most often", columns, pairs)
            if pairs
            else Text("No test example was taken for another class.")
        )
        parts += gallery(record.mistakes, names, counts)
    history = record.tables["history"]
    epochs = list(zip(*history.values(), strict=True))
    parts.append(Grid(_epochs(epochs), tuple(history), epochs[-_MOST_ROWS:], is_folded=True))
    return parts


def _epochs(rows: list[Any]) -> str:
    return "Every epoch" if len(rows) <= _MOST_ROWS else f"The last {_MOST_ROWS} epochs"


_EVIDENCE = {
    PROBES: _probes,
    "range_test": _range_test,
    "comparison": _comparison,
    TRAIN.name: _training,
}
