"""By which losses the candidates of a saved run were judged."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from onecycle_cli import suggest
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import Scores

_SAME_SCORE = 1e-6


def rungs_of(record: Record, column: str) -> tuple[list[Scores], str]:
    """Return the judged losses of each rung of a race, or why the files don't tell them."""
    trials, rungs = record.tables["trials"], record.result.get("rungs")
    if not rungs:
        every = range(len(trials["score"]))
        scores, problem = scores_of(record, column, record.result.get("scored_on"), every)
        return [scores], problem
    found = []
    for rung in rungs:
        rows = [
            i
            for i, candidate in enumerate(trials[column])
            if candidate in rung["candidates"]
            and trials["steps"][i] == rung["steps"]
            and trials["replicate"][i] < rung["replicates"]
        ]
        scores, problem = scores_of(record, column, rung["scored_on"], rows)
        if problem:
            return [], problem
        found.append({candidate: scores[candidate] for candidate in rung["candidates"]})
    return found, ""


def scores_of(
    record: Record, column: str, scored_on: str | None, rows: Iterable[int]
) -> tuple[Scores, str]:
    """Return the judged losses of each candidate, or why the saved losses don't tell them."""
    if scored_on != suggest.ON_NEW_BATCHES:
        return {}, (
            f"the trials were judged on the {scored_on or 'validation split'}, whose losses are "
            f"not saved"
        )
    trials, losses = record.tables["trials"], _losses_of_trials(record)
    scores: Scores = {}
    lengths = set()
    for row in rows:
        score = trials["score"][row]
        judged = suggest.annealed(losses[row]) if math.isfinite(score) else np.array([np.inf])
        if math.isfinite(score):
            lengths.add(len(losses[row]))
            if not math.isclose(judged.mean(), score, rel_tol=_SAME_SCORE):
                return {}, "the saved scores are not the means of the last fifth of the losses"
        scores.setdefault(trials[column][row], []).append(judged)
    if len(lengths) > 1:
        return {}, "the trials have different lengths, which can't be compared with each other"
    return suggest.aligned(scores), ""


def _losses_of_trials(record: Record) -> list[suggest.Array]:
    trials, curves = record.tables["trials"], record.tables["curves"]
    identity = trials.get("trial") or list(range(len(trials["score"])))
    return suggest.by_trial(identity, curves["trial"], curves["loss"])
