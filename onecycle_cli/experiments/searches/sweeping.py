"""A learning rate searched by range tests: the rate rises within one training, several times."""

from __future__ import annotations

from collections import Counter
from typing import Any

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli import suggest
from onecycle_cli.callbacks.lr_finder import LRFinder
from onecycle_cli.engine.steering import names
from onecycle_cli.experiments.searches.trials import Trial
from onecycle_cli.experiments.session import Session
from onecycle_cli.kinds import FIND_LR, SWEEP
from onecycle_cli.plugin_names import short
from onecycle_cli.runs import records
from onecycle_cli.runs.curve import Curve, curve_table
from onecycle_cli.runs.files import Table
from onecycle_cli.suggest import LRFindings
from onecycle_cli.training.reporting import Reporting
from onecycle_cli.workbench.cost import Cost, resolved_steps


class Sweeping:
    """Runs range tests on a model that is set up already, and suggests.

    No validation pass is needed: while each example is seen for the first time, the batch's loss
    before its update estimates the loss on new data.

    Args:
        session: the model, to be rewound before each test, and where to write.

    Attributes:
        curves: the raw curve of each range test so far.
        trials: probes, of which there are none.
    """

    def __init__(self, session: Session) -> None:
        self.session, self.run, self.observer = session, session.run, session.observer
        self.bench, self.values, self.config = session.bench, session.values, session.config
        self.settings = self.config.find_lr
        self.planned = resolved_steps(self.bench, FIND_LR.section)
        self.curves: list[Curve] = []
        self.trials: list[Trial] = []
        self._endings: list[str | None] = []

    @property
    def steps(self) -> int:
        """The steps of all range tests so far."""
        return sum(len(curve.lrs) for curve in self.curves)

    @property
    def replicates(self) -> int:
        """How many initial weights they start from."""
        return self.settings.repeats

    def announce(self) -> None:
        """Say what will be done, and what it will cost."""
        repeats, momentum = self.settings.repeats, self.values.reference_momentum
        optimizer = short(self.config.optimizer.name)
        self.observer.note(
            f"{repeats} range test{'' if repeats == 1 else 's'} from {self.settings.min_lr:g} to "
            f"{self.settings.max_lr:g}: {optimizer}, momentum {momentum:g}, "
            f"{self.config.optimizer.decay_kind} weight decay {self.values.weight_decay:g}"
        )
        self.observer.note(Cost.forecast(self.bench, repeats * self.planned))
        if self.config.search.engine != "local":
            self.observer.note("range tests run in this process, whatever search.engine says")

    def carry_out(self) -> LRFindings:
        """Run the range tests, and choose."""
        for repeat in range(self.settings.repeats):
            self._sweep(repeat)
        return suggest.suggest_lr(
            [(c.lrs, c.losses) for c in self.curves],
            chance=self.bench.bounds.guessing,
            floor=self.bench.bounds.floor,
            planned=(self.planned, self.settings.max_lr),
            stopped=self._stopped(),
            skip_begin=self.settings.skip_begin,
            skip_end=self.settings.skip_end,
            names=suggest.IN_CONFIG,
        )

    def result(self, findings: LRFindings) -> dict[str, Any]:
        """Return what `result.json` says of the range tests."""
        return records.find_lr_result(
            findings,
            scale=self.settings.scale,
            method=SWEEP,
            chance_loss=self.bench.bounds.guessing,
            floor=self.bench.bounds.floor,
            planned=[self.planned, self.settings.max_lr],
            stopped=self._stopped(),
            skip_begin=self.settings.skip_begin,
            skip_end=self.settings.skip_end,
        )

    def tables(self) -> dict[str, Table]:
        """Return `curve.csv`: every step of every range test."""
        return {"curve": curve_table(self.curves)}

    def _sweep(self, repeat: int) -> None:
        piece = f"range test {repeat}"
        gave = self.session.journal.recall(piece)
        if gave is not None:
            self.curves.append(Curve(gave["lrs"], gave["losses"], f"repeat {repeat}"))
            self._endings.append(gave.get("stopped"))
            return
        finder = LRFinder(
            min_lr=self.settings.min_lr,
            max_lr=self.settings.max_lr,
            lr_scale=self.settings.scale,
            stopping_criterion_factor=self.settings.stop_factor,
            num_steps=self.planned,
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
        self.observer.begin(f"range test {repeat + 1} of {self.settings.repeats}", self.planned)
        self.curves.append(Curve(finder.lrs, finder.losses, f"repeat {repeat}"))
        try:
            self.bench.train(
                self.planned, [finder, Reporting(self.observer, finder)], replicate=repeat
            )
        finally:
            self.curves[-1] = Curve(finder.lrs, finder.losses, f"repeat {repeat}")
        self._endings.append(finder.stop_reason)
        self.run.keep()
        self.session.journal.enter(
            piece,
            {"lrs": finder.lrs, "losses": finder.losses, "stopped": finder.stop_reason},
        )
        self.observer.end(f"{finder.stop_reason} at {finder.lrs[-1]:.3g}")

    def _stopped(self) -> str | None:
        """Return how most of the range tests ended."""
        return Counter(self._endings).most_common(1)[0][0]
