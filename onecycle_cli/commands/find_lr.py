"""`onecycle find-lr`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import typer

from onecycle_cli.commands.console.ending import REFUSED, number
from onecycle_cli.commands.console.options import Confirm, Method, SearchMethod
from onecycle_cli.commands.console.rows import cost_row, used_rows, write_table
from onecycle_cli.commands.console.training_command import Invocation, training_command
from onecycle_cli.kinds import PROBES

if TYPE_CHECKING:
    from onecycle_cli.experiments.find_lr import FindLRResult


@training_command
def find_lr_command(
    asked: Invocation,
    *,
    method: Method = None,
    confirm: Confirm = False,
) -> None:
    """Find the maximum learning rate, by short, complete trainings.

    Trains with several learning rates for a small part of the training each: a coarse ladder first,
    then longer around the best of them. Says beforehand what it may cost. Writes the suggestion to
    OUT/NAME/suggestions.yaml and the evidence, with a plot, to OUT/NAME/find-lr/NNN.

    With --method sweep, it runs range tests instead, as other tools do: the learning rate rises
    step by step within one training. Their suggestions are far less reliable.

    Docs: docs/commands.md
    """
    request = asked.request(find_lr=_settings(method, confirm=confirm))
    with asked.watched() as observer:
        from onecycle_cli.experiments.find_lr import carry_out
        from onecycle_cli.experiments.session import session

        with session(request, observer) as ready:
            result = carry_out(ready)
    asked.answer(result.folder)
    _show(result, asked.config.optimizer.decay_kind)


def _settings(method: SearchMethod | None, *, confirm: bool) -> dict[str, str]:
    wanted = {} if method is None else {"method": method.value}
    return {"method": PROBES, "confirm": "true"} | wanted if confirm else wanted


def _show(result: FindLRResult, decay: str) -> None:
    found = result.suggestion
    rows = []
    if isinstance(found.value, float) and found.interval:
        low, high = found.interval
        rows.append(("max_lr", f"{number(found.value)} ({low:.3g} to {high:.3g})"))
        rows.append(("min_lr", number(result.findings.min_lr)))
    rows += [("verdict", found.verdict), ("reason", found.reason)]
    rows += _evidence(result)
    write_table([*rows, *_used(result, decay), cost_row(result.cost)], result.folder)
    if not found.accepted:
        raise typer.Exit(REFUSED)


def _evidence(result: FindLRResult) -> list[tuple[str, str]]:
    """Return the loss of each probe, or what each rule says of range tests."""
    if result.curves:
        rules = ", ".join(
            f"{name} {'none' if value is None else format(value, '.3g')}"
            for name, value in result.findings.rules.items()
        )
        return [("each rule", rules)]
    rows = []
    for stage, steps in dict.fromkeys((t.candidate.stage, t.steps) for t in result.trials):
        rows.append((f"{stage} probes", f"of {steps} steps, mean loss of the last fifth"))
        trials = [t for t in result.trials if (t.candidate.stage, t.steps) == (stage, steps)]
        rows += [
            (f"  {t.candidate.max_lr:.3g}", "broke off" if math.isinf(t.loss) else f"{t.loss:.4f}")
            for t in sorted(trials, key=lambda trial: trial.candidate.max_lr)
        ]
    return rows


def _used(result: FindLRResult, decay: str) -> list[tuple[str, str]]:
    values = result.values
    if result.trials:
        return used_rows(values, decay, "momentum", "weight_decay")
    return [
        ("momentum", f"{values.reference_momentum:g} ({values.sources['momentum']})"),
        *used_rows(values, decay, "weight_decay"),
    ]
