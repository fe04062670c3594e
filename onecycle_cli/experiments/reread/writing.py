"""A suggestion that was computed again, put into `suggestions.yaml`."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onecycle_cli import suggest
from onecycle_cli.config import load_config
from onecycle_cli.errors import OnecycleError, ResultError
from onecycle_cli.experiments.hyper_parameters.conditions import conditions_of
from onecycle_cli.experiments.reread.suggested import SuggestedAgain
from onecycle_cli.kinds import FIND_LR, KINDS
from onecycle_cli.plugin_names import short
from onecycle_cli.runs import suggestions_file
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import Suggestion


def write_suggestion(again: SuggestedAgain) -> Path:
    """Put the suggestion into `suggestions.yaml` of the experiment; a refusal changes nothing.

    Raises:
        ResultError: when the run is not in an experiment's folder.
    """
    kind_folder = again.folder.absolute().parent
    if kind_folder.name != again.record.kind:
        raise ResultError(
            f"{again.folder}: is not in the folder of an experiment, such as "
            f"runs/NAME/{again.record.kind}/001, so there is no suggestions.yaml to write to."
        )
    experiment = kind_folder.parent
    suggestions_file.write_suggestion(
        experiment,
        again.key,
        _with_origin(again),
        run=again.record.label,
        conditions=_conditions(again.record),
    )
    return experiment / "suggestions.yaml"


def _with_origin(again: SuggestedAgain) -> Suggestion:
    """Return the suggestion with a reason that says how it was computed."""
    found = again.suggestion
    if again.not_recomputed:
        return found
    how = "from the saved trials"
    if again.findings is not None and again.rounds is None:
        rule = short(again.rule or suggest.OURS)
        rule += f" (of a file with the digest {again.rule_file})" if again.rule_file else ""
        how = f"from the saved curves by the rule {rule}, smoothing {again.bandwidth:.3g} in ln lr"
        if again.skip_begin or again.skip_end:
            how += f", without the first {again.skip_begin} and the last {again.skip_end} points"
    reason = f"{found.reason} Computed again {how}."
    return Suggestion(found.value, found.interval, found.verdict, reason)


def _conditions(record: Record) -> Mapping[str, Any]:
    """Return the conditions that the run was made under, as far as they are saved."""
    if isinstance(saved := record.result.get("conditions"), Mapping):
        return saved
    with contextlib.suppress(OnecycleError):  # the data may be elsewhere by now
        config = load_config(record.config)
        values = {
            "max_lr": config.train.max_lr,
            "momentum": (
                config.optimizer.momentum
                if record.kind == FIND_LR.name
                else record.config["train"]["momentum"]
            ),
            "weight_decay": config.train.weight_decay,
        }
        del values[str(KINDS[record.kind].finds)]
        return conditions_of(config) | values
    return {}
