"""A value suggested again from the short trainings of a saved search."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from onecycle_cli import suggest
from onecycle_cli.errors import ResultError
from onecycle_cli.experiments.reread.saved_scores import compared_probes
from onecycle_cli.experiments.reread.suggested import SuggestedAgain, saved_suggestion
from onecycle_cli.kinds import KINDS
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import Measure, Probe, Scores, Suggestion


def by_probes(folder: Path, record: Record) -> SuggestedAgain:
    """Suggest a learning rate again from the probes of a search.

    Raises:
        ResultError: when the files are damaged.
    """
    try:
        plan, shift = suggest.plan_of(record.result["plan"])
        probes = suggest.probes_of(record.tables["trials"], record.tables["curves"])
    except (LookupError, TypeError, ValueError) as error:
        raise ResultError(
            f"{folder}: 'plan' in result.json, or its trials.csv or curves.csv, is damaged "
            f"({error}); restore them, or run find-lr again."
        ) from None
    bounds = suggest.bounds_of(record.result)
    suggestion = suggest.suggest_from_probes(probes, plan, bounds=bounds, shift=shift)
    return SuggestedAgain(folder, record, suggestion)


def by_comparison(folder: Path, record: Record) -> SuggestedAgain:
    """Suggest a weight decay or a momentum again from the trials of a comparison.

    Raises:
        ResultError: when the files are damaged.
    """
    key = str(KINDS[record.kind].finds)
    try:
        probes, problem = compared_probes(record, key)
        rounds = suggest.rounds_of(probes)
        answer = None if problem else _ANSWERS[key](record, probes, rounds)
    except (LookupError, TypeError, ValueError) as error:
        raise ResultError(
            f"{folder}: its trials.csv, curves.csv or result.json is damaged ({error}); restore "
            f"them, or run {record.kind} again."
        ) from None
    if answer is None:
        saved = saved_suggestion(record)
        if saved is None:
            raise ResultError(f"{folder}: {problem}, and no suggestion is saved with it.")
        return SuggestedAgain(folder, record, saved, not_recomputed=f"{problem}.")
    return SuggestedAgain(folder, record, answer, rounds=rounds)


def _weight_decay(record: Record, probes: Sequence[Probe], rounds: list[Scores]) -> Suggestion:
    measure = Measure.of(probes, suggest.bounds_of(record.result))
    usual = float(record.result["usual"])
    return suggest.suggest_weight_decay(rounds, measure=measure, usual=usual)


def _momentum(record: Record, probes: Sequence[Probe], rounds: list[Scores]) -> Suggestion:
    width = float(record.config["find_momentum"]["width"])
    reference = float(record.result["reference"])
    return suggest.suggest_momentum(rounds, width=width, reference=reference)


_ANSWERS = {"weight_decay": _weight_decay, "momentum": _momentum}
