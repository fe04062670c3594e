"""`suggestions.yaml`: what the finders of an experiment have found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onecycle_cli.errors import ResultError
from onecycle_cli.kinds import FINDERS
from onecycle_cli.runs.files import now, read_yaml, write_yaml
from onecycle_cli.runs.stores import shared
from onecycle_cli.suggest import Suggestion

SUGGESTED = tuple(sorted(FINDERS))

RULES = {
    "max_lr": "a number above 0",
    "momentum": "{max, min} with 0 <= min <= max < 1",
    "weight_decay": "a number of at least 0",
}


def read_suggestions(folder: Path) -> dict[str, dict[str, Any]]:
    """Return `suggestions.yaml` of an experiment's folder; empty if there is none.

    Raises:
        ResultError: when the file is damaged, or the object store that it is kept in is out of
            reach.
    """
    path = folder / "suggestions.yaml"
    shared.refresh(path)
    if not path.exists():
        return {}
    data = read_yaml(path)
    for key, entry in data.items():
        if key not in SUGGESTED:
            raise ResultError(
                f"{path}: unknown key '{key}'; the known ones are {', '.join(SUGGESTED)}. Delete "
                f"the entry."
            )
        value = entry.get("value") if isinstance(entry, dict) else None
        if not is_usable(key, value):
            raise ResultError(
                f"{path}: {key}.value must be {RULES[key]}; got {value}. Correct it, or delete "
                f"the entry and run the finder again."
            )
    return data


def write_suggestion(
    folder: Path,
    key: str,
    suggestion: Suggestion,
    *,
    run: str,
    conditions: Mapping[str, Any],
) -> None:
    """Put one suggestion into `suggestions.yaml`, beside the others; refusals change nothing.

    Raises:
        StoreError: when the object store that it is kept in is out of reach; what is written is
            uploaded the next time.
    """
    if not suggestion.accepted:
        return
    entry = suggestion.as_dict() | {"run": run, "when": now(), "conditions": dict(conditions)}
    known = read_suggestions(folder) | {key: entry}
    path = folder / "suggestions.yaml"
    write_yaml(path, {k: known[k] for k in SUGGESTED if k in known})
    shared.upload(path)


def is_usable(key: str, value: Any) -> bool:
    """Tell whether a value obeys the rule for its key, see `RULES`."""
    if key == "momentum":
        if not isinstance(value, dict) or set(value) != {"max", "min"}:
            return False
        low, high = value["min"], value["max"]
        return _is_number(low) and _is_number(high) and 0 <= low <= high < 1
    return _is_number(value) and (value > 0 if key == "max_lr" else value >= 0)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
