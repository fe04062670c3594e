"""The learning rate range test, repeated, and the suggestion that it supports."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli import suggest
from onecycle_cli.callbacks.lr_finder import LRFinder
from onecycle_cli.engine.steering import names
from onecycle_cli.experiments.asked.in_hand import WHERE_USUAL, FitArguments, given
from onecycle_cli.experiments.asked.request import Request, Source
from onecycle_cli.experiments.drawn import Drawn
from onecycle_cli.experiments.hyper_parameters import Values
from onecycle_cli.experiments.race.confirmation import Confirmation, Confirming
from onecycle_cli.experiments.session import Session, session
from onecycle_cli.kinds import FIND_LR
from onecycle_cli.observer import Observer
from onecycle_cli.plugin_names import short
from onecycle_cli.runs import files, records
from onecycle_cli.runs.curve import Curve, curve_table
from onecycle_cli.runs.records import Record
from onecycle_cli.shown import Facts
from onecycle_cli.suggest import LRFindings, Suggestion
from onecycle_cli.training.reporting import Reporting
from onecycle_cli.workbench.cost import Cost, resolved_steps

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, repr=False)
class FindLRResult(Drawn):
    """What `find_lr` found.

    Attributes:
        findings: suggestion, landmarks and every rule's answer.
        curves: the raw curve of each repeat.
        values: the momentum and weight decay that were in force, and where they came from.
        cost: what it took.
        folder: where it is written, or `None`.
        confirmation: what complete short 1cycles said, with `find_lr.confirm`; the suggestion is
            theirs then.
        record: what its files say.
    """

    findings: LRFindings
    curves: list[Curve]
    values: Values
    cost: Cost
    folder: Path | None
    confirmation: Confirmation | None = None
    record: Record | None = None

    @property
    def suggestion(self) -> Suggestion:
        """The suggested maximum learning rate."""
        return self.findings.suggestion

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
    resume: str | Path | None = None,
    **fit: Unpack[FitArguments],
) -> FindLRResult:
    """Run `find_lr.repeats` range tests, each from initial weights of its own, and suggest.

    No validation pass is needed: while each example is seen for the first time, the batch's loss
    before its update estimates the loss on new data. With `find_lr.confirm`, learning rates
    around the suggestion are then compared by short, complete 1cycles.

    Args:
        config: a path, a mapping or a `Config`; or a compiled model that is in hand. May be left
            out with `resume`.
        x: with a model, its inputs: an array, or several in a dictionary or a list.
        y: with a model, its targets, as it was compiled for them.
        out: the folder for runs; `None` writes nothing. If it is not given, `runs` for a
            configuration, and nothing is written for a model.
        observer: hears of the progress.
        resume: the folder of a run that broke off, to be resumed; `out` is where it is.
        **fit: with a model, `batch_size`, `epochs`, `validation_split` and so on, see
            `FitArguments`.

    Raises:
        OnecycleError: when the configuration, the data or the model won't do.
    """
    asked = given(config, x, y, out, **fit)
    request = Request.of_call(FIND_LR, asked, resume=resume)
    with session(request, observer or Observer()) as ready:
        return carry_out(ready)


def carry_out(ready: Session) -> FindLRResult:
    """Carry out the search of a session."""
    return _Search(ready).carry_out()


class _Search:
    def __init__(self, session: Session) -> None:
        self.session, self.run, self.observer = session, session.run, session.observer
        self.bench, self.values, self.config = session.bench, session.values, session.config
        self.settings = self.config.find_lr
        self.steps = resolved_steps(self.bench, FIND_LR.section)
        self.curves: list[Curve] = []
        self.endings: list[str | None] = []
        self.confirming = None if not self.settings.confirm else self._confirming()

    def _confirming(self) -> Confirming:
        session = self.session
        return Confirming(
            session.bench,
            session.training_values,
            session.observer,
            session.journal,
            session.run.keep,
        )

    def carry_out(self) -> FindLRResult:
        started = time.perf_counter()
        self._announce()
        try:
            for repeat in range(self.settings.repeats):
                self._sweep(repeat)
            findings = suggest.suggest_lr(
                [(c.lrs, c.losses) for c in self.curves],
                chance=self.bench.bounds.guessing,
                floor=self.bench.bounds.floor,
                planned=(self.steps, self.settings.max_lr),
                stopped=self._stopped(),
                skip_begin=self.settings.skip_begin,
                skip_end=self.settings.skip_end,
            )
            findings, confirmation = self._confirm(findings)
        except BaseException:
            self._keep_what_there_is()
            raise
        taken = sum(len(c.lrs) for c in self.curves)
        taken += confirmation.cost.steps if confirmation else 0
        cost = Cost.of(self.bench, taken, time.perf_counter() - started)
        record = self._write(findings, cost, confirmation)
        self.session.suggest(findings.suggestion)
        return FindLRResult(
            findings, self.curves, self.values, cost, self.session.folder, confirmation, record
        )

    def _confirm(self, findings: LRFindings) -> tuple[LRFindings, Confirmation | None]:
        """Replace the suggestion by what short 1cycles say; a refusal to suggest stays one."""
        if self.confirming is None:
            return findings, None
        provisional = findings.suggestion.value
        if not isinstance(provisional, float):
            self.observer.note(f"nothing to confirm: {findings.suggestion.verdict}")
            return findings, None
        confirmation = self.confirming.carry_out(suggest.ladder(provisional))
        found = confirmation.suggestion
        min_lr = suggest.base_lr(found.value) if isinstance(found.value, float) else None
        confirmed = replace(findings, suggestion=found, min_lr=min_lr)
        return confirmed, replace(confirmation, provisional=findings.suggestion)

    def _announce(self) -> None:
        repeats, momentum = self.settings.repeats, self.values.reference_momentum
        optimizer = short(self.config.optimizer.name)
        self.observer.note(
            f"{repeats} range test{'' if repeats == 1 else 's'} from {self.settings.min_lr:g} to "
            f"{self.settings.max_lr:g}: {optimizer}, momentum {momentum:g}, "
            f"{self.config.optimizer.decay_kind} weight decay {self.values.weight_decay:g}"
        )
        swept = repeats * self.steps
        if self.confirming is None:
            self.observer.note(Cost.forecast(self.bench, swept))
            return
        count = len(suggest.ladder(1.0))
        trials, cost = self.confirming.forecast(count)
        self.observer.note(f"then a confirmation by complete 1cycles: {trials}")
        self.observer.note(
            f"range tests {Cost.forecast(self.bench, swept)}; confirmation {cost}; together "
            f"{Cost.forecast(self.bench, swept + self.confirming.steps(count))}"
        )

    def _sweep(self, repeat: int) -> None:
        piece = f"range test {repeat}"
        gave = self.session.journal.recall(piece)
        if gave is not None:
            self.curves.append(Curve(gave["lrs"], gave["losses"], f"repeat {repeat}"))
            self.endings.append(gave.get("stopped"))
            return
        finder = LRFinder(
            minimum_lr=self.settings.min_lr,
            maximum_lr=self.settings.max_lr,
            lr_scale=self.settings.scale,
            stopping_criterion_factor=self.settings.stop_factor,
            num_steps=self.steps,
            restore=False,
            verbose=False,
        )
        self.bench.rewind(repeat)
        self.bench.assign(
            {
                names.MOMENTUM: self.values.reference_momentum,
                self.bench.decay_name: self.values.weight_decay,
            }
        )
        self.observer.begin(f"range test {repeat + 1} of {self.settings.repeats}", self.steps)
        self.curves.append(Curve(finder.lrs, finder.losses, f"repeat {repeat}"))
        try:
            self.bench.train(
                self.steps, [finder, Reporting(self.observer, finder)], replicate=repeat
            )
        finally:
            self.curves[-1] = Curve(finder.lrs, finder.losses, f"repeat {repeat}")
        self.endings.append(finder.stop_reason)
        self.run.keep()
        self.session.journal.enter(
            piece,
            {"lrs": finder.lrs, "losses": finder.losses, "stopped": finder.stop_reason},
        )
        self.observer.end(f"{finder.stop_reason} at {finder.lrs[-1]:.3g}")

    def _stopped(self) -> str | None:
        """Return how most of the range tests ended."""
        return Counter(self.endings).most_common(1)[0][0]

    def _keep_what_there_is(self) -> None:
        if any(curve.lrs for curve in self.curves):
            self.run.keep()
            records.write_tables(self.run.path, self._tables())

    def _write(self, findings: LRFindings, cost: Cost, confirmation: Confirmation | None) -> Record:
        return self.session.write(
            records.find_lr_result(
                findings,
                scale=self.settings.scale,
                chance_loss=self.bench.bounds.guessing,
                floor=self.bench.bounds.floor,
                planned=[self.steps, self.settings.max_lr],
                stopped=self._stopped(),
                skip_begin=self.settings.skip_begin,
                skip_end=self.settings.skip_end,
                cost=cost.as_dict(),
                conditions=self.session.conditions_of_suggestion,
                caveats=self.bench.caveats_of(self.settings.repeats + bool(confirmation)),
                confirmation=confirmation.as_dict() if confirmation else None,
            ),
            self._tables(),
            findings.suggestion,
        )

    def _tables(self) -> dict[str, files.Table]:
        tables: dict[str, files.Table] = {"curve": curve_table(self.curves)}
        if self.confirming is not None and self.confirming.trials:
            tables |= self.confirming.tables()
        return tables
