"""The learning rate range test, repeated, and the suggestion that it supports."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onecycle_cli.experiments.quiet_start  # noqa: F401
from onecycle_cli import optimizers, plotting, results, suggest
from onecycle_cli.callbacks.lr_finder import LRFinder
from onecycle_cli.config import Config, load_config
from onecycle_cli.experiments.cost import Cost, short_run_steps
from onecycle_cli.experiments.observer import Observer
from onecycle_cli.experiments.recorded_run import label_of, recorded_run, write_config
from onecycle_cli.experiments.reporting import Reporting
from onecycle_cli.experiments.setup import Shared, prepared
from onecycle_cli.experiments.values import Values, premises
from onecycle_cli.experiments.workbench import Workbench
from onecycle_cli.results import Curve, RunFolder
from onecycle_cli.suggest import LRFindings, Suggestion


@dataclass(frozen=True)
class FindLRResult:
    """What `find_lr` found.

    Attributes:
        findings: suggestion, landmarks and every rule's answer.
        curves: the raw curve of each repeat.
        values: the momentum and weight decay that were in force, and where they came from.
        cost: what it took.
        folder: where it is written, or `None`.
    """

    findings: LRFindings
    curves: list[Curve]
    values: Values
    cost: Cost
    folder: Path | None

    @property
    def suggestion(self) -> Suggestion:
        """The suggested maximum learning rate."""
        return self.findings.suggestion


def find_lr(
    config: str | Path | Mapping[str, Any] | Config,
    *,
    out: str | Path | None = "runs",
    observer: Observer | None = None,
    shared: Shared | None = None,
) -> FindLRResult:
    """Run `find_lr.repeats` range tests, each from initial weights of its own, and suggest.

    No validation pass is needed: while each example is seen for the first time, the batch's loss
    before its update estimates the loss on new data.

    Args:
        config: a path, a mapping or a `Config`.
        out: the folder for runs; `None` writes nothing.
        observer: hears of the progress.
        shared: what a recipe gives its stages.

    Raises:
        OnecycleError: when the configuration, the data or the model won't do.
    """
    config, observer = load_config(config), observer or Observer()
    with (
        prepared(config, out, observer, searched="max_lr", shared=shared) as ready,
        recorded_run(config, "find-lr", out, ready.values) as run,
    ):
        search = _Search(ready.bench, ready.values, observer, run)
        return search.carry_out(ready.conditions, out)


class _Search:
    def __init__(
        self, bench: Workbench, values: Values, observer: Observer, run: RunFolder | None
    ) -> None:
        self.bench, self.values, self.observer, self.run = bench, values, observer, run
        self.config = bench.config
        self.settings = bench.config.find_lr
        self.steps = short_run_steps(self.settings.steps, bench.steps_per_epoch)
        self.label = label_of(run, self.config, "find-lr")
        self.curves: list[Curve] = []

    def carry_out(self, conditions: Mapping[str, Any], out: str | Path | None) -> FindLRResult:
        started = time.perf_counter()
        self._announce()
        if self.run is not None:
            write_config(self.run, self.bench, self.values)
        try:
            for repeat in range(self.settings.repeats):
                self._sweep(repeat)
        except BaseException:
            self._keep_what_there_is()
            raise
        taken = sum(len(c.lrs) for c in self.curves)
        cost = Cost.of(self.bench, taken, time.perf_counter() - started)
        findings = suggest.suggest_lr([(c.lrs, c.losses) for c in self.curves])
        if self.run is not None and out is not None:
            self._write(self.run, findings, cost)
            results.write_suggestion(
                Path(out) / self.config.name,
                "max_lr",
                findings.suggestion,
                run=self.label,
                conditions={**conditions, **premises(self.values, "max_lr")},
            )
        folder = self.run.final if self.run else None
        return FindLRResult(findings, self.curves, self.values, cost, folder)

    def _announce(self) -> None:
        repeats, momentum = self.settings.repeats, self.values.reference_momentum
        self.observer.note(
            f"{repeats} range test{'' if repeats == 1 else 's'} from {self.settings.min_lr:g} to "
            f"{self.settings.max_lr:g}: {self.config.optimizer.name}, momentum {momentum:g}, "
            f"{self.config.optimizer.decay_kind} weight decay {self.values.weight_decay:g}"
        )
        self.observer.note(Cost.forecast(self.bench, repeats * self.steps))

    def _sweep(self, repeat: int) -> None:
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
                optimizers.MOMENTUM: self.values.reference_momentum,
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
        self.observer.end(f"{finder.stop_reason} at {finder.lrs[-1]:.3g}")

    def _keep_what_there_is(self) -> None:
        if self.run is not None and any(curve.lrs for curve in self.curves):
            self.run.keep()
            self._write_curve(self.run)

    def _write(self, run: RunFolder, findings: LRFindings, cost: Cost) -> None:
        self._write_curve(run)
        if findings.suggestion.accepted:
            write_config(run, self.bench, self.values, max_lr=findings.suggestion.value)
        results.write_json(
            run.path / "result.json",
            results.find_lr_result(
                findings, label=self.label, scale=self.settings.scale, cost=cost.as_dict()
            ),
        )
        record = results.read_record(run.path)
        results.write_bytes(run.path / "plot.png", plotting.png(plotting.draw(record)))

    def _write_curve(self, run: RunFolder) -> None:
        """Write every step that has a loss; an interrupt may fall between its rate and its loss."""
        results.write_csv(
            run.path / "curve.csv",
            ("repeat", "step", "lr", "loss"),
            (
                (repeat, step, lr, loss)
                for repeat, curve in enumerate(self.curves)
                for step, (lr, loss) in enumerate(zip(curve.lrs, curve.losses, strict=False))
            ),
        )
