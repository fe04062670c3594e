"""Probes, and the plan behind them, as plain data for files, and read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onecycle_cli.suggest.bounds import Bounds
from onecycle_cli.suggest.curves import by_trial
from onecycle_cli.suggest.probes.plan import SearchPlan
from onecycle_cli.suggest.probes.probe import Estimate, Measure, Probe

COLUMNS = ("trial", "max_lr", "stage", "replicate", "steps", "score", "looks", "held_out",
           "held_out_error")  # fmt: skip
"""What a table of probes says of each."""


def rows_of(probes: Sequence[Probe], bounds: Bounds) -> list[tuple[Any, ...]]:
    """Return a row of `COLUMNS` for each probe."""
    measure = Measure.of(probes, bounds)
    return [
        (i, p.value, p.stage, 0, p.steps, p.loss, measure.look(p), *(p.held_out or ("", "")))
        for i, p in enumerate(probes)
    ]


def probes_of(trials: Mapping[str, Sequence[Any]], curves: Mapping[str, Any]) -> list[Probe]:
    """Return the probes of a table, and of that of their steps.

    Raises:
        LookupError: when a table lacks something; or a `TypeError` or `ValueError`.
    """
    losses = by_trial(trials["trial"], curves["trial"], curves["loss"])
    columns = ("max_lr", "stage", "steps", "held_out", "held_out_error")
    return [
        Probe(
            float(lr),
            str(stage),
            int(steps),
            taken,
            None if mean == "" else Estimate(float(mean), float(error)),
        )
        for taken, lr, stage, steps, mean, error in zip(
            losses, *(trials[column] for column in columns), strict=True
        )
    ]


def plan_as_data(plan: SearchPlan, shift: float) -> dict[str, Any]:
    """Return a plan, and the shift from short trainings to long ones, as plain data."""
    return {
        "budget": plan.budget,
        "first": plan.first,
        "lowest": plan.lowest,
        "highest": plan.highest,
        "given": list(plan.given),
        "usual": plan.usual,
        "shift": shift,
    }


def plan_of(data: Mapping[str, Any]) -> tuple[SearchPlan, float]:
    """Return the plan and the shift that plain data say.

    Raises:
        LookupError: when something is missing; or a `TypeError` or `ValueError`.
    """
    first, lowest, highest = (float(data[key]) for key in ("first", "lowest", "highest"))
    given = tuple(float(rate) for rate in data["given"])
    usual = None if data.get("usual") is None else int(data["usual"])
    plan = SearchPlan(int(data["budget"]), first, lowest, highest, given, usual)
    return plan, float(data["shift"])


def bounds_of(data: Mapping[str, Any]) -> Bounds:
    """Return the bounds that the result of a search says."""
    known = [data.get(key) for key in ("chance_loss", "floor")]
    guessing, floor = (float(v) if isinstance(v, int | float) else None for v in known)
    return Bounds(floor, guessing)
