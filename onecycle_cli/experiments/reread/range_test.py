"""A learning rate suggested again from the curves of a saved range test."""

from __future__ import annotations

from itertools import starmap
from pathlib import Path

from onecycle_cli import suggest
from onecycle_cli.errors import ResultError
from onecycle_cli.experiments.reread.suggested import SuggestedAgain
from onecycle_cli.plugin_names import names_a_file
from onecycle_cli.registry import rules
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import BANDWIDTH


def by_range_test(
    folder: Path,
    record: Record,
    rule: str | suggest.RuleFunction | None,
    bandwidth: float | None,
    skip: tuple[int | None, int | None],
) -> SuggestedAgain:
    """Suggest again from the curves of range tests.

    Args:
        folder: the run's folder.
        record: what it holds.
        rule: as of `suggest_again`.
        bandwidth: as of `suggest_again`.
        skip: points to leave out at the beginning and at the end of each curve; `None`: as many as
            the run did.

    Raises:
        ResultError: when `result.json` is damaged.
        ConfigError: when `rule` is a path and there is no such file or function.
        PluginError: when a function of your own fails, or gives no learning rate that was tested.
    """
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
