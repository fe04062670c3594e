"""A suggestion computed again from the raw numbers of a saved run, without Keras."""

from __future__ import annotations

from pathlib import Path

from onecycle_cli import suggest
from onecycle_cli.errors import ResultError
from onecycle_cli.experiments.reread.range_test import by_range_test
from onecycle_cli.experiments.reread.suggested import SuggestedAgain
from onecycle_cli.experiments.reread.trials import by_comparison, by_probes
from onecycle_cli.kinds import FIND_LR, FINDERS, KINDS, PROBES
from onecycle_cli.runs import finding, records
from onecycle_cli.runs.stores.finished import fetched
from onecycle_cli.runs.stores.urls import address, is_url


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
    if record.kind == FIND_LR.name and record.result.get("method") != PROBES:
        return by_range_test(folder, record, rule, bandwidth, (skip_begin, skip_end))
    if any(asked is not None for asked in (rule, bandwidth, skip_begin, skip_end)):
        raise ResultError(
            f"{address(folder)}: is a run of '{record.kind}' by trials; a rule, smoothing and "
            f"points to skip are for the curves of range tests only, leave them out."
        )
    if record.kind == FIND_LR.name:
        return by_probes(folder, record)
    return by_comparison(folder, record)


def _find(path: str | Path) -> Path:
    if isinstance(path, str) and is_url(path):
        return fetched(path, prefer=FIND_LR.name)
    range_tests = Path(path) / FIND_LR.name
    return finding.find_run(range_tests if range_tests.is_dir() else path)
