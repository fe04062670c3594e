"""How `find-momentum` and `find-wd` show what they found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from onecycle_cli.commands.console.ending import number
from onecycle_cli.commands.console.rows import (
    cost_row,
    used_rows,
    value_rows,
    verdict_rows,
    write_table,
)

if TYPE_CHECKING:
    from onecycle_cli.experiments.searches.comparing import ComparisonResult
    from onecycle_cli.experiments.searches.trials import Trial
    from onecycle_cli.suggest import Difference


def show(result: ComparisonResult, key: str, decay: str) -> None:
    """Print the suggestion, every candidate's distance from the best, and the values used."""
    from onecycle_cli.experiments.hyper_parameters.values import in_words

    found = result.suggestion
    rows = []
    if isinstance(found.value, dict):
        rows.append((key, in_words(found.value)))
    elif found.value is not None:
        rows.append((f"{key}, {decay}", number(found.value)))
    rows += verdict_rows(found)
    rows.append(("short trainings", _in_words(result.trials)))
    ranges = {t.candidate.value: t.candidate.momentum for t in result.trials}
    names = {v: in_words(ends) for v, ends in ranges.items()} if key == "momentum" else None
    texts = candidate_texts(result.best, result.differences)
    rows += value_rows(texts, _middle(found.value), found.verdict, names)
    others = [k for k in ("max_lr", "momentum", "weight_decay") if k != key]
    rows += [*used_rows(result.values, decay, *others), cost_row(result.cost)]
    write_table(rows, result.folder)


def candidate_texts(
    best: float | None, differences: Mapping[float, Difference]
) -> dict[float, str]:
    """Return what is said of the best candidate, and every other one's distance from it."""
    texts = {} if best is None else {best: "lowest loss"}
    for candidate, difference in differences.items():
        if math.isfinite(difference.mean):
            low, high = difference.interval
            texts[candidate] = f"loss {difference.mean:+.4f} ({low:+.4f} to {high:+.4f})"
        else:
            texts[candidate] = "diverged"
    return texts


def _middle(value: float | Mapping[str, float] | None) -> float | None:
    """Return what a suggested value is called among the candidates."""
    return (value["max"] + value["min"]) / 2 if isinstance(value, Mapping) else value


def _in_words(trials: Sequence[Trial]) -> str:
    lengths = sorted({trial.steps for trial in trials})
    return f"{len(trials)} of {' and '.join(map(str, lengths))} steps"
