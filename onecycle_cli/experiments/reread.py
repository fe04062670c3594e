"""A suggestion computed again from the raw numbers of a saved run, without Keras."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import starmap
from pathlib import Path
from typing import Any

from onecycle_cli import suggest
from onecycle_cli.config import load_config
from onecycle_cli.errors import OnecycleError, ResultError
from onecycle_cli.experiments.hyper_parameters import conditions_of
from onecycle_cli.experiments.saved_scores import compared_probes
from onecycle_cli.kinds import FIND_LR, FINDERS, KINDS, PROBES
from onecycle_cli.plugin_names import names_a_file, short
from onecycle_cli.registry import rules
from onecycle_cli.runs import finding, records, suggestions_file
from onecycle_cli.runs.records import Record
from onecycle_cli.runs.stores.finished import fetched
from onecycle_cli.runs.stores.urls import address, is_url
from onecycle_cli.suggest import BANDWIDTH, LRFindings, Measure, Probe, Scores, Suggestion


@dataclass(frozen=True)
class SuggestedAgain:
    """What a saved run says when it is read anew.

    Attributes:
        folder: the run's folder.
        record: what it holds.
        suggestion: the suggestion; the saved one where it can't be computed again.
        rule: by which rule: a name of `suggest.RULES`, or that of a function; `None`: as the finder
            does.
        rule_file: a digest of the file that the rule is in, if it was given by path.
        bandwidth: the smoothing kernel's width in ln lr; of several, the largest.
        skip_begin: points at the beginning of each curve that were left out.
        skip_end: points at its end that were left out.
        findings: landmarks and every rule's answer, of a range test.
        rounds: the judged losses of each value of a comparison, and of those that ran again; `None`
            where the files don't tell them.
        not_recomputed: why the suggestion is the saved one, in a sentence; empty if it is new.
    """

    folder: Path
    record: Record
    suggestion: Suggestion
    rule: str | None = None
    rule_file: str | None = None
    bandwidth: float = BANDWIDTH
    skip_begin: int = 0
    skip_end: int = 0
    findings: LRFindings | None = None
    rounds: list[Scores] | None = None
    not_recomputed: str = ""

    @property
    def key(self) -> str:
        """What is suggested: `max_lr`, `momentum` or `weight_decay`."""
        return str(KINDS[self.record.kind].finds)

    @property
    def saved(self) -> Suggestion | None:
        """The suggestion in `result.json`, if there is one."""
        return _saved(self.record)

    @property
    def min_lr(self) -> float | None:
        """A tenth of a suggested `max_lr`, where the 1cycle starts."""
        value = self.suggestion.value
        return suggest.base_lr(value) if self.key == "max_lr" and isinstance(value, float) else None

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain data."""
        data = {
            "run": self.record.label,
            "folder": address(self.folder),
            "kind": self.record.kind,
            "recomputed": not self.not_recomputed,
            "suggestion": self.suggestion.as_dict(),
            "saved": self.saved.as_dict() if self.saved else None,
        }
        if self.not_recomputed:
            data["why_not"] = self.not_recomputed
        if self.findings is not None:
            data |= {
                "min_lr": self.min_lr,
                "rule": self.rule,
                "smoothing": self.bandwidth,
                "skip_begin": self.skip_begin,
                "skip_end": self.skip_end,
                "rules": self.findings.rules,
                "landmarks": [asdict(marks) for marks in self.findings.landmarks],
            }
        if self.rule_file is not None:
            data["rule_file"] = self.rule_file
        return data


def suggest_again(
    path: str | Path,
    *,
    rule: str | suggest.RuleFunction | None = None,
    bandwidth: float | None = None,
    skip_begin: int | None = None,
    skip_end: int | None = None,
) -> SuggestedAgain:
    """Compute the suggestion of a saved run again, from its raw losses.

    Args:
        path: a run's folder; an experiment's folder, for its newest range test; or a folder of
            keras-one-cycle with `lrs.npy` and `losses.npy`.
        rule: of a range test: a name of `suggest.RULES`, to suggest by that rule; or a function of
            your own from learning rates and losses to a learning rate, or
            `path/to/file.py:function`.
        bandwidth: of a range test: the smoothing kernel's width in ln lr, > 0.
        skip_begin: of a range test: how many points at the beginning of each curve to leave out;
            `None`: as many as the run did.
        skip_end: how many at its end.

    Raises:
        ResultError: when there is no such run, when it suggests nothing, or when `rule`,
            `bandwidth` or points to skip are given for another kind of run.
        ConfigError: when `rule` is a path and there is no such file or function.
        PluginError: when a function of your own fails, or gives no learning rate that was tested.
    """
    folder = _find(path)
    record = records.read_record(folder)
    if KINDS[record.kind].finds is None:
        raise ResultError(
            f"{address(folder)}: is a run of '{record.kind}', which suggests nothing; give a run "
            f"of {', '.join(kind.name for kind in FINDERS.values())}."
        )
    as_found = all(asked is None for asked in (rule, bandwidth, skip_begin, skip_end))
    is_sweep = record.kind == FIND_LR.name and record.result.get("method") != PROBES
    if is_sweep:
        return _range_test(folder, record, rule, bandwidth, (skip_begin, skip_end))
    if not as_found:
        raise ResultError(
            f"{address(folder)}: is a run of '{record.kind}' by trials; a rule, smoothing and "
            f"points to skip are for the curves of range tests only, leave them out."
        )
    if record.kind == FIND_LR.name:
        return _probed(folder, record)
    return _comparison(folder, record)


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


def _find(path: str | Path) -> Path:
    if isinstance(path, str) and is_url(path):
        return fetched(path, prefer=FIND_LR.name)
    range_tests = Path(path) / FIND_LR.name
    return finding.find_run(range_tests if range_tests.is_dir() else path)


def _range_test(
    folder: Path,
    record: Record,
    rule: str | suggest.RuleFunction | None,
    bandwidth: float | None,
    skip: tuple[int | None, int | None],
) -> SuggestedAgain:
    sweeps = [(curve.lrs, curve.losses) for curve in record.curves()]
    chance = record.result.get("chance_loss")
    rule = suggest.present_name(rule) if isinstance(rule, str) else rule
    begin, end = (
        _points_left_out(folder, record, key) if asked is None else asked
        for key, asked in zip(("skip_begin", "skip_end"), skip, strict=True)
    )
    width = bandwidth or max(
        (suggest.usual_bandwidth(x) for x, _ in starmap(suggest.finite_part, sweeps)),
        default=BANDWIDTH,
    )
    findings = suggest.suggest_lr(
        sweeps,
        rule=suggest.OURS if rule is None else rules.load(rule),
        bandwidth=bandwidth,
        chance=chance if isinstance(chance, float) else None,
        floor=record.result.get("floor", 0.0),
        planned=_planned(folder, record),
        stopped=_stopped(folder, record),
        skip_begin=begin,
        skip_end=end,
        names=suggest.IN_CONFIG,
    )
    return SuggestedAgain(
        folder,
        record,
        findings.suggestion,
        suggest.OwnRule.of(rule).name if callable(rule) else rule,
        rules.digest(rule) if isinstance(rule, str) and names_a_file(rule) else None,
        bandwidth=width,
        skip_begin=begin,
        skip_end=end,
        findings=findings,
    )


def _points_left_out(folder: Path, record: Record, key: str) -> int:
    points = record.result.get(key, 0)
    if type(points) is not int or points < 0:
        raise _damaged(folder, key, "a whole number of at least 0", points)
    return points


def _planned(folder: Path, record: Record) -> tuple[int, float] | None:
    """Return how many steps were planned, and up to which rate; older runs don't say."""
    match record.result.get("planned"):
        case None:
            return None
        case [int(steps), int(rate) | float(rate)]:
            return steps, float(rate)
        case other:
            raise _damaged(folder, "planned", "a number of steps and a learning rate", other)


def _stopped(folder: Path, record: Record) -> str | None:
    stopped = record.result.get("stopped")
    if stopped not in (None, *suggest.STOPPED):
        raise _damaged(folder, "stopped", f"one of {', '.join(suggest.STOPPED)}", stopped)
    return stopped


def _damaged(folder: Path, key: str, what: str, got: object) -> ResultError:
    return ResultError(
        f"{folder}: '{key}' in result.json must be {what}; got {got}. Restore it, or run find-lr "
        f"again."
    )


def _probed(folder: Path, record: Record) -> SuggestedAgain:
    """Return what the probes of a run say."""
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


def _comparison(folder: Path, record: Record) -> SuggestedAgain:
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
        saved = _saved(record)
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


def _saved(record: Record) -> Suggestion | None:
    entry = record.result.get("suggestion")
    if not entry:
        return None
    interval: Sequence[float] | None = entry.get("interval")
    return Suggestion(
        value=entry.get("value"),
        interval=(interval[0], interval[1]) if interval else None,
        verdict=str(entry.get("verdict", "")),
        reason=str(entry.get("reason", "")),
    )


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
