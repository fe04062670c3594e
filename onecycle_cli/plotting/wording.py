"""What the pictures say in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from onecycle_cli.plotting.canvas import Line
from onecycle_cli.plotting.paper.numbers import number
from onecycle_cli.runs.records import Record

_LONGEST_NAME = 60
_WHY = {
    "too_short": "the test is too short",
    "non_finite": "the loss was not finite",
    "never_descended": "nothing was learned",
    "never_diverged": "the loss never rose again",
}
_DECAYS = {"l2": "L2", "decoupled": "decoupled"}


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
        return f"no {name} suggested: {refusal(suggestion)}"
    doubt = ", undecided" if suggestion.get("verdict") == "undecided" else ""
    return f"suggested {name} {_value(value)}{_interval(value, interval)}{doubt}"


def refusal(suggestion: Mapping[str, Any]) -> str:
    """Return in a few words why nothing is suggested."""
    verdict = str(suggestion.get("verdict") or "")
    return _WHY.get(verdict, verdict or "not judged")


def rate_headline(suggestion: Mapping[str, Any], min_lr: float | None) -> str:
    """Return a suggested learning rate in a few words, and the one that its 1cycle starts at."""
    start = "" if min_lr is None else f"; min_lr {number(min_lr)}"
    return suggested("max_lr", suggestion) + start


def suggestion_lines(headline: str, suggestion: Mapping[str, Any]) -> list[Line]:
    """Return a suggestion, or a refusal, as heading: the headline, and the reason below it."""
    reason = str(suggestion.get("reason") or "")
    return [
        Line(headline, 11, bold=True),
        *([Line(_sentence(reason), faint=True)] if reason else []),
    ]


def hyper_parameters(record: Record) -> str:
    """Return the values that a training used, in words, as far as its result says them."""
    result, train = record.result, record.config.get("train") or {}
    rates, momentum, decay = (result.get(k) for k in ("max_lr", "momentum", "weight_decay"))
    parts = []
    if isinstance(rates, Sequence) and rates:
        parts.append(f"max_lr {', then '.join(number(rate) for rate in rates)}")
    if isinstance(momentum, Mapping):
        parts.append(f"momentum {_value(momentum)}")
    if known(decay):
        kind = _DECAYS.get(str(result.get("decay")))
        parts.append(f"weight decay {number(decay)}{f' ({kind})' if kind else ''}")
    if train.get("shape"):
        parts.append(f"shape {_without_folders(str(train['shape']))}")
    return ", ".join(parts)


def known(value: Any) -> TypeGuard[float]:
    """Whether a result holds a number that can be written down."""
    return isinstance(value, int | float) and math.isfinite(value)


def _value(value: Any) -> str:
    if isinstance(value, Mapping):
        high, low = value["max"], value["min"]
        return number(high) if high == low else f"{number(high)} to {number(low)}"
    return number(value)


def _interval(value: Any, interval: Sequence[float] | None) -> str:
    """Write an interval in brackets, unless it says nothing that the value does not say."""
    is_range = isinstance(value, Mapping)
    said = [value["min"], value["max"]] if is_range else [value, value]
    if not interval or list(interval) == said:
        return ""
    ends = [number(end) for end in interval]
    return f" (may lie from {ends[1]} to {ends[0]})" if is_range else f" ({ends[0]} to {ends[1]})"


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
