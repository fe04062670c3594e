"""How `find-momentum` and `find-wd` show what they found."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import typer

from onecycle_cli.commands.console.ending import REFUSED, number
from onecycle_cli.commands.console.rows import cost_row, used_rows, write_table

if TYPE_CHECKING:
    from onecycle_cli.experiments.searches.comparing import ComparisonResult
    from onecycle_cli.experiments.searches.trials import Trial
    from onecycle_cli.suggest import Difference


def show(result: ComparisonResult, key: str, decay: str) -> None:
    """Print the suggestion, every candidate's distance from the best, and the values used.

    Raises:
        typer.Exit: with the code of a refusal, when there is no suggestion.
    """
    from onecycle_cli.experiments.hyper_parameters import in_words

    found = result.suggestion
    rows = []
    if isinstance(found.value, dict):
        rows.append((key, in_words(found.value)))
    elif found.value is not None:
        rows.append((f"{key}, {decay}", number(found.value)))
    rows += [("verdict", found.verdict), ("reason", found.reason)]
    rows.append(("short trainings", _in_words(result.trials)))
    rows += candidate_rows(result.best, result.differences)
    others = [k for k in ("max_lr", "momentum", "weight_decay") if k != key]
    rows += [*used_rows(result.values, decay, *others), cost_row(result.cost)]
    write_table(rows, result.folder)
    if not found.accepted:
        raise typer.Exit(REFUSED)


def candidate_rows(
    best: float | None, differences: Mapping[float, Difference]
) -> list[tuple[str, str]]:
    """Return the best candidate and every other one's distance from it, for a table."""
    rows = [] if best is None else [(f"  {best:g}", "lowest loss")]
    for candidate, difference in differences.items():
        if math.isfinite(difference.mean):
            low, high = difference.interval
            text = f"loss {difference.mean:+.4f} ({low:+.4f} to {high:+.4f})"
        else:
            text = "diverged"
        rows.append((f"  {candidate:g}", text))
    return rows


def _in_words(trials: Sequence[Trial]) -> str:
    lengths = sorted({trial.steps for trial in trials})
    return f"{len(trials)} of {' and '.join(map(str, lengths))} steps"
