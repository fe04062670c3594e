"""What the pictures say in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from onecycle_cli.plotting.canvas import GREY, VERMILLION, Line, number
from onecycle_cli.runs.records import Record

_LONGEST_NAME = 60


def conditions(record: Record) -> list[str]:
    """Return data set, model, batch size and optimizer of a record, as far as they are known."""
    config, in_hand = record.config, record.result.get("in_hand") or {}
    parts = [
        str(in_hand.get(section) or _without_folders(_name(config, section)))
        for section in ("dataset", "model")
    ]
    if config.get("batch_size") is not None:
        parts.append(f"batch size {config['batch_size']}")
    parts.append(_without_folders(_name(config, "optimizer")))
    return [_shortened(part) for part in parts if part]


def title_of(record: Record, what: str) -> str:
    """Return the title of one record: what it is, which run, and under which conditions."""
    return f"{what}: {_shortened(record.label)}\n{', '.join(conditions(record))}"


def overlay_labels(records: Sequence[Record]) -> list[str]:
    """Return a name for each record, all different, with the conditions that not all share."""
    shared = shared_conditions(records)
    labels: list[str] = []
    for record in records:
        own = [part for part in conditions(record) if part not in shared]
        label = ", ".join([_shortened(record.label), *own])
        again = sum(label == other or other.startswith(f"{label} (") for other in labels)
        labels.append(f"{label} ({again + 1})" if again else label)
    return labels


def shared_conditions(records: Sequence[Record]) -> list[str]:
    """Return the conditions under which all the records were made."""
    first, *others = [conditions(record) for record in records]
    return [part for part in first if all(part in other for other in others)]


def suggested(name: str, suggestion: Mapping[str, Any]) -> str:
    """Return a suggestion in a few words, such as `suggested max_lr 0.12 (0.08 to 0.2)`."""
    value, interval = suggestion.get("value"), suggestion.get("interval")
    if value is None:
        return f"no {name} suggested ({suggestion.get('verdict') or 'not judged'})"
    doubt = ", undecided" if suggestion.get("verdict") == "undecided" else ""
    return f"suggested {name} {_value(value)}{_interval(value, interval)}{doubt}"


def rate_headline(suggestion: Mapping[str, Any], min_lr: float | None) -> str:
    """Return a suggested learning rate in a few words, and the one that its 1cycle starts at."""
    start = "" if min_lr is None else f"; min_lr {number(min_lr)}"
    return suggested("max_lr", suggestion) + start


def suggestion_lines(headline: str, suggestion: Mapping[str, Any]) -> list[Line]:
    """Return a suggestion, or a refusal, as heading: the headline, and the reason below it."""
    accepted = suggestion.get("value") is not None
    reason = str(suggestion.get("reason") or "")
    return [
        Line(headline, 11, bold=True, color=VERMILLION)
        if accepted
        else Line(headline, 11, bold=True),
        *([Line(_sentence(reason), color=GREY)] if reason else []),
    ]


def percent(share: float) -> str:
    """Write an accuracy: `91.23 %`."""
    return f"{100 * share:.2f} %"


def known(value: Any) -> bool:
    """Whether a result holds a number that can be written down."""
    return isinstance(value, int | float) and math.isfinite(value)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{number(value['max'])} to {number(value['min'])}"
    return number(value)


def _interval(value: Any, interval: Sequence[float] | None) -> str:
    """Write an interval in brackets, unless it says nothing that the value does not say."""
    said = [value["min"], value["max"]] if isinstance(value, Mapping) else [value, value]
    if not interval or list(interval) == said:
        return ""
    return f" ({number(interval[0])} to {number(interval[1])})"


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _name(config: Mapping[str, Any], section: str) -> str:
    entry = config.get(section)
    return str(entry.get("name") or "") if isinstance(entry, Mapping) else ""


def _without_folders(name: str) -> str:
    return name.replace("\\", "/").rpartition("/")[2] if ".py:" in name else name


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    half = _LONGEST_NAME // 2
    return text if len(text) <= _LONGEST_NAME else f"{text[:half]}…{text[-half:]}"
