"""`onecycle find-lr`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import typer

from onecycle_cli.commands.console.ending import REFUSED, number
from onecycle_cli.commands.console.options import Confirm
from onecycle_cli.commands.console.rows import cost_row, used_rows, write_table
from onecycle_cli.commands.console.training_command import Invocation, training_command

if TYPE_CHECKING:
    from onecycle_cli.experiments.find_lr import FindLRResult
    from onecycle_cli.experiments.race.confirmation import Confirmation


@training_command
def find_lr_command(
    asked: Invocation,
    *,
    confirm: Confirm = False,
) -> None:
    """Find the maximum learning rate by short range tests.

    Raises the learning rate step by step while recording each batch's loss, several times over,
    and suggests the middle of the curve's basin, before the loss rebounds. Writes the suggestion to
    OUT/NAME/suggestions.yaml and the evidence, with a plot, to OUT/NAME/find-lr/NNN.

    With --confirm, learning rates around the suggestion are compared afterwards, as training will
    use them; what that costs is said before anything starts.

    Docs: docs/commands.md
    """
    request = asked.request(confirm=confirm)
    with asked.watched() as observer:
        from onecycle_cli.experiments.find_lr import carry_out
        from onecycle_cli.experiments.session import session

        with session(request, observer) as ready:
            result = carry_out(ready)
    _show(result, asked.config.optimizer.decay_kind)


def _show(result: FindLRResult, decay: str) -> None:
    found = result.suggestion
    rows = []
    if isinstance(found.value, float) and found.interval:
        low, high = found.interval
        rows.append(("max_lr", f"{number(found.value)} ({low:.3g} to {high:.3g})"))
        rows.append(("min_lr", number(result.findings.min_lr)))
    rows += [("verdict", found.verdict), ("reason", found.reason)]
    rules = ", ".join(
        f"{name} {'none' if value is None else format(value, '.3g')}"
        for name, value in result.findings.rules.items()
    )
    rows += _confirmation_rows(result.confirmation)
    values = result.values
    rows += [
        ("by rule", rules),
        ("momentum", f"{values.reference_momentum:g} ({values.sources['momentum']})"),
        *used_rows(values, decay, "weight_decay"),
        cost_row(result.cost),
    ]
    write_table(rows, result.folder)
    if not found.accepted:
        raise typer.Exit(REFUSED)


def _confirmation_rows(confirmation: Confirmation | None) -> list[tuple[str, str]]:
    """Return what the range test alone said, and each candidate's mean loss, for a table."""
    if confirmation is None:
        return []
    rows = []
    if (before := confirmation.provisional) is not None and isinstance(before.value, float):
        rows.append(("range test", f"{number(before.value)}, {before.verdict}"))
    for rung in confirmation.rungs:
        losses = confirmation.mean_losses(rung)
        rows.append(
            (f"{rung.name} 1cycles", f"mean loss on the {confirmation.scored_on[rung.name]}")
        )
        rows += [
            (f"  {rate:.3g}", f"{loss:.4f}" if math.isfinite(loss) else "diverged")
            for rate, loss in losses.items()
        ]
    return rows
