"""A learning rate searched, by probes or by range tests, and what supports it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.experiments.asked.fit_arguments import FitArguments
from onecycle_cli.experiments.asked.in_hand import WHERE_USUAL, given
from onecycle_cli.experiments.asked.request import Request, Source
from onecycle_cli.experiments.asked.watching import Progress, watching
from onecycle_cli.experiments.drawn import Drawn
from onecycle_cli.experiments.hyper_parameters.values import Values
from onecycle_cli.experiments.searches.rates import Probing
from onecycle_cli.experiments.searches.search import carried_out
from onecycle_cli.experiments.searches.sweeping import Sweeping
from onecycle_cli.experiments.searches.trials import Trial
from onecycle_cli.experiments.session import Session, session
from onecycle_cli.kinds import FIND_LR, PROBES
from onecycle_cli.observer import Observer
from onecycle_cli.runs.curve import Curve
from onecycle_cli.runs.records import Record
from onecycle_cli.shown import Facts
from onecycle_cli.suggest import LRFindings, Suggestion
from onecycle_cli.workbench.cost import Cost

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, repr=False)
class FindLRResult(Drawn):
    """What `find_lr` found.

    Attributes:
        findings: the suggestion; of range tests, landmarks and every rule's answer, too.
        trials: every probe, in order; none of range tests.
        curves: the raw curve of each range test; none of probes.
        values: the momentum and weight decay that were used, and where they came from.
        cost: what it took.
        folder: where it is written, or `None`.
        record: what its files say.
    """

    findings: LRFindings
    trials: list[Trial]
    curves: list[Curve]
    values: Values
    cost: Cost
    folder: Path | None
    record: Record | None = None

    @property
    def suggestion(self) -> Suggestion:
        """The suggested maximum learning rate."""
        return self.findings.suggestion

    def _sentence(self) -> str:
        return self.suggestion.sentence("max_lr")

    def _facts(self) -> Facts:
        yield "max_lr", self.suggestion
        yield "values", self.values
        yield "cost", self.cost
        yield "folder", self.folder


def find_lr(
    config: Source | keras.Model | None = None,
    x: Any = None,
    y: Any = None,
    *,
    out: str | Path | None = WHERE_USUAL,
    observer: Observer | None = None,
    progress: Progress = "auto",
    resume: str | Path | None = None,
    **fit: Unpack[FitArguments],
) -> FindLRResult:
    """Search the highest learning rate of a 1cycle, and suggest it.

    By probes: short, complete 1cycles at several learning rates, first coarse and very short ones,
    then longer ones around the best. With `find_lr.method: sweep`, by range tests, which raise the
    learning rate step by step.

    Args:
        config: a path, a mapping or a `Config`; or a compiled model. Not needed with
            `resume`.
        x: with a model, its inputs: an array, or several in a dictionary or a list.
        y: with a model, its targets, as it was compiled for them.
        out: the folder for runs, or the URL of an object store as text; `None` writes nothing. If
            it is not given, `runs` for a configuration, and nothing is written for a model.
        observer: is told of the progress, which is then not shown.
        progress: show it; `"auto"`: in a notebook and on a terminal.
        resume: the folder of an interrupted run, to continue it; `out` is where it is.
        **fit: with a model, `batch_size`, `epochs`, `validation_split` and so on, see
            `FitArguments`.

    Raises:
        OnecycleError: when the configuration, the data or the model can't be used.
    """
    asked = given(config, x, y, out, **fit)
    request = Request.of_call(FIND_LR, asked, resume=resume)
    with session(request, watching(observer, progress)) as ready:
        return carry_out(ready)


def carry_out(ready: Session) -> FindLRResult:
    """Carry out the search of a session."""
    probes = ready.config.find_lr.method == PROBES
    search = Probing(ready) if probes else Sweeping(ready)
    findings, cost, record = carried_out(ready, search)
    trials, curves = search.trials, search.curves
    return FindLRResult(findings, trials, curves, search.values, cost, ready.folder, record)
