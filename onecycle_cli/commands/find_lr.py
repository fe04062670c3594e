"""`onecycle find-lr`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from onecycle_cli.commands.console.ending import end, number
from onecycle_cli.commands.console.options import Confirm, Method, SearchMethod
from onecycle_cli.commands.console.rows import (
    cost_row,
    used_rows,
    value_rows,
    verdict_rows,
    write_table,
)
from onecycle_cli.commands.console.training_command import Invocation, training_command
from onecycle_cli.errors import ConfigError
from onecycle_cli.kinds import PROBES

if TYPE_CHECKING:
    from onecycle_cli.experiments.find_lr import FindLRResult

Quick = Annotated[
    bool,
    typer.Option("--quick", help="Take a quarter of the usual steps, for a first look."),
]


@training_command
def find_lr_command(
    asked: Invocation,
    *,
    method: Method = None,
    confirm: Confirm = False,
    quick: Quick = False,
) -> None:
    """Find the maximum learning rate with short, complete trainings.

    Trains briefly at several learning rates: first at a few that are far apart, then for longer
    around the best of them. Says at the start how many steps this may take. Writes the suggestion
    to OUT/NAME/suggestions.yaml, and the losses and a picture to OUT/NAME/find-lr/NNN.

    With --quick it takes a quarter of the steps, and the suggestion is less certain.

    With --method sweep it runs range tests, as other tools do: the learning rate rises step by
    step within one training. Their suggestions are far less reliable.
    """
    request = asked.request(find_lr=_settings(method, confirm=confirm, quick=quick))
    with asked.watched() as observer:
        from onecycle_cli.experiments.find_lr import carry_out
        from onecycle_cli.experiments.session import session

        with session(request, observer) as ready:
            result = carry_out(ready)
    asked.answer(result.folder)
    _show(result, asked.config.optimizer.decay_kind)
    asked.close(result.record, asked.after_finding(result.suggestion))
    end(result.suggestion)


def _settings(method: SearchMethod | None, *, confirm: bool, quick: bool) -> dict[str, str]:
    wanted = {} if method is None else {"method": method.value}
    if quick:
        if method is SearchMethod.SWEEP:
            raise ConfigError("--quick is for --method probes; a range test is short already.")
        wanted = {"method": PROBES, "budget": "quick"}
    return {"method": PROBES, "confirm": "true"} | wanted if confirm else wanted


def _show(result: FindLRResult, decay: str) -> None:
    found = result.suggestion
    rows = []
    if isinstance(found.value, float) and found.interval:
        low, high = found.interval
        rows.append(("max_lr", f"{number(found.value)} ({low:.3g} to {high:.3g})"))
        rows.append(("min_lr", number(result.findings.min_lr)))
    rows += verdict_rows(found)
    rows += _evidence(result)
    write_table([*rows, *_used(result, decay), cost_row(result.cost)], result.folder)


def _evidence(result: FindLRResult) -> list[tuple[str, str]]:
    """Return the loss of each probe, or what each rule says of range tests."""
    if result.curves:
        rules = ", ".join(
            f"{name} {'none' if value is None else format(value, '.3g')}"
            for name, value in result.findings.rules.items()
        )
        return [("each rule", rules)]
    from onecycle_cli.suggest import STAGE_IN_WORDS

    found, rows = result.suggestion, []
    rounds = list(dict.fromkeys((t.candidate.stage, t.steps) for t in result.trials))
    for stage, steps in rounds:
        rows.append(
            (f"{STAGE_IN_WORDS[stage]} tries", f"of {steps} steps, mean loss of the last fifth")
        )
        texts = {
            t.candidate.max_lr: "broke off" if math.isinf(t.loss) else f"{t.loss:.4f}"
            for t in result.trials
            if (t.candidate.stage, t.steps) == (stage, steps)
        }
        is_last = (stage, steps) == rounds[-1]
        suggested = found.value if is_last and isinstance(found.value, float) else None
        rows += value_rows(texts, suggested, found.verdict)
    return rows


def _used(result: FindLRResult, decay: str) -> list[tuple[str, str]]:
    values = result.values
    if result.trials:
        return used_rows(values, decay, "momentum", "weight_decay")
    return [
        ("momentum", f"{values.reference_momentum:g} ({values.sources['momentum']})"),
        *used_rows(values, decay, "weight_decay"),
    ]
