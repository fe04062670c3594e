"""The short trainings of a search as trackers take them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from onecycle_cli.kinds import FIND_LR, Kind
from onecycle_cli.runs.trackers.tracker import TrackedTrial

if TYPE_CHECKING:
    from onecycle_cli.experiments.searches.trials import Trial
    from onecycle_cli.runs.curve import Curve
    from onecycle_cli.suggest import Probe


def probes_as_tracked(
    trials: Sequence[Trial], probes: Sequence[Probe], kind: Kind
) -> list[TrackedTrial]:
    """Return the trials of a search.

    Args:
        trials: in order.
        probes: what the suggestion sees of each.
        kind: of the search.
    """
    pairs = enumerate(zip(trials, probes, strict=True), 1)
    return [_tracked(number, str(kind.finds), trial, probe) for number, (trial, probe) in pairs]


def _tracked(number: int, key: str, trial: Trial, probe: Probe) -> TrackedTrial:
    candidate, scores = trial.candidate, _scores(key, trial, probe)
    return TrackedTrial(
        name=f"{number:02d}-{key}-{candidate.value:.3g}",
        params={
            key: candidate.value,
            "max_lr": candidate.max_lr,
            "momentum_max": candidate.momentum["max"],
            "momentum_min": candidate.momentum["min"],
            "weight_decay": candidate.weight_decay,
            "stage": candidate.stage,
            "replicate": trial.replicate,
            "steps": trial.steps,
        },
        steps={
            "step": range(len(trial.losses)),
            "lr": trial.lrs,
            "momentum": trial.momenta,
            "loss": trial.losses,
        },
        scores=scores,
        has_diverged="score" not in scores,
    )


def _scores(key: str, trial: Trial, probe: Probe) -> dict[str, float]:
    """Return what `trials.csv` has in columns of these names, where it is finite."""
    scores = {"score": trial.score}
    if key == FIND_LR.finds:
        scores = {"score": trial.loss}
        if probe.held_out is not None:
            scores["held_out"] = probe.held_out.mean
    return {name: value for name, value in scores.items() if math.isfinite(value)}


def range_tests_as_tracked(curves: Sequence[Curve]) -> list[TrackedTrial]:
    """Return range tests, which are not judged one by one."""
    return [
        TrackedTrial(
            name=f"{number:02d}-range-test",
            params={"replicate": number - 1, "steps": len(curve.lrs)},
            steps={"step": range(len(curve.lrs)), "lr": curve.lrs, "loss": curve.losses},
        )
        for number, curve in enumerate(curves, 1)
    ]
