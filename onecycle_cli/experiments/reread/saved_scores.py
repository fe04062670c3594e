"""By which losses the candidates of a saved run were judged."""

from __future__ import annotations

import math

import numpy as np

from onecycle_cli import suggest
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import Probe

_SAME_SCORE = 1e-6


def compared_probes(record: Record, column: str) -> tuple[list[Probe], str]:
    """Return the probes of a comparison, or why the files don't tell what they were judged by."""
    trials, scored_on = record.tables["trials"], record.result.get("scored_on")
    is_whole = all(name in trials for name in ("stage", "replicate", "steps", column))
    if not is_whole or "rungs" in record.result:
        return [], "it was made by an earlier version, which compared in another way"
    if scored_on != suggest.ON_NEW_BATCHES:
        return [], (
            f"the trials were judged on the {scored_on or 'validation split'}, whose losses are "
            f"not saved"
        )
    probes = []
    for row, losses in enumerate(_losses_of_trials(record)):
        score = trials["score"][row]
        scored = suggest.annealed(losses) if math.isfinite(score) else np.array([np.inf])
        if math.isfinite(score) and not math.isclose(scored.mean(), score, rel_tol=_SAME_SCORE):
            return [], "the saved scores are not the means of the last fifth of the losses"
        value, steps = float(trials[column][row]), int(trials["steps"][row])
        stage, replicate = str(trials["stage"][row]), int(trials["replicate"][row])
        probes.append(Probe(value, stage, steps, losses, None, replicate, scored))
    return probes, ""


def _losses_of_trials(record: Record) -> list[suggest.Array]:
    trials, curves = record.tables["trials"], record.tables["curves"]
    identity = trials.get("trial") or list(range(len(trials["score"])))
    return suggest.by_trial(identity, curves["trial"], curves["loss"])
