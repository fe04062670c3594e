"""Every search by probes: rounds of trials, each planned after those before."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

import numpy as np

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.experiments.searches.jobs import Candidate, Rules
from onecycle_cli.experiments.searches.trials import Trial, Trials
from onecycle_cli.experiments.session import Session
from onecycle_cli.experiments.tracking.tracked import ending_of, tracked
from onecycle_cli.experiments.tracking.trials import probes_as_tracked
from onecycle_cli.runs import records
from onecycle_cli.runs.files import Table
from onecycle_cli.runs.records import Record
from onecycle_cli.runs.trackers.tracker import TrackedTrial
from onecycle_cli.suggest import (
    STAGE_IN_WORDS,
    Bounds,
    Estimate,
    Plan,
    Probe,
    Round,
    Suggestion,
)
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.cost import Cost


class ByProbes:
    """A search that runs probes, and what of them is done."""

    _probes: Probes

    @property
    def trials(self) -> list[Trial]:
        """Every trial that is finished, in order."""
        return self._probes.trials

    @property
    def tracked(self) -> list[TrackedTrial]:
        """The same as trackers take them."""
        return self._probes.tracked

    @property
    def steps(self) -> int:
        """The steps of all probes so far."""
        return self._probes.steps


class Answer(Protocol):
    """What a search finds out."""

    @property
    def suggestion(self) -> Suggestion:
        """The suggested value."""


Found = TypeVar("Found", bound=Answer)


class Probes:
    """Runs the probes that a plan asks for.

    Args:
        session: the model, what runs the probes, and where to write.
        plan: which probes are run.
        candidate: returns the setting that a value of a round stands for.
        name: what is searched, and how its values are shown.
        bounds: between which losses the model learns.
        rules: how probes end and are judged.
    """

    def __init__(
        self,
        session: Session,
        plan: Plan,
        candidate: Callable[[Round, float], Candidate],
        name: Callable[[Candidate], str],
        *,
        bounds: Bounds | None = None,
        rules: Rules | None = None,
    ) -> None:
        self._bench, self._plan = session.bench, plan
        self._kind = session.kind
        self._candidate, self._name = candidate, name
        self._bounds = bounds or Bounds()
        self._trials = Trials(
            session.engine, session.journal, session.run.keep, session.observer, rules or Rules()
        )

    @property
    def trials(self) -> list[Trial]:
        """Every trial that is finished, in order."""
        return self._trials.done

    @property
    def done(self) -> list[Probe]:
        """The same as the suggestion sees them."""
        return [_probe(self._bench, trial) for trial in self.trials]

    @property
    def steps(self) -> int:
        """The steps of all probes so far."""
        return sum(len(trial.losses) for trial in self.trials)

    @property
    def tracked(self) -> list[TrackedTrial]:
        """The same as trackers take them."""
        return probes_as_tracked(self.trials, self.done, self._kind)

    def carry_out(self, after_round: Callable[[], None]) -> list[Probe]:
        """Run round after round, until the plan asks for no more."""
        while (wave := self._plan.next_round(self.done, self._bounds)) is not None:
            candidates = [self._candidate(wave, value) for value in wave.values]
            self._trials.run(wave, candidates, self._title)
            after_round()
        return self.done

    def _title(self, candidate: Candidate, number: int) -> str:
        return f"{STAGE_IN_WORDS[candidate.stage]} try {number}, {self._name(candidate)}"


class Search(Protocol[Found]):
    """A search that a session can carry out."""

    @property
    def steps(self) -> int:
        """Training steps so far."""

    @property
    def replicates(self) -> int:
        """From how many initial weights it starts."""

    def announce(self) -> None:
        """Say what will be done, and what it will cost."""

    @property
    def tracked(self) -> list[TrackedTrial]:
        """The short trainings so far, as trackers take them."""

    def carry_out(self, after_round: Callable[[], None]) -> Found:
        """Do it, calling a function whenever trials are finished, and say what was found."""

    def result(self, found: Found) -> dict[str, Any]:
        """Return what `result.json` says of what was found."""

    def tables(self) -> dict[str, Table]:
        """Return the tables of what has been done so far."""


def carried_out(ready: Session, search: Search[Found]) -> tuple[Found, Cost, Record]:
    """Carry out a search, write everything down, and return what it found and what it cost.

    What is done is kept on disk if it breaks off.
    """
    started = time.perf_counter()
    search.announce()
    with tracked(ready) as trackers:
        trackers.start()
        with _kept_if_broken_off(ready, search):
            found = search.carry_out(lambda: trackers.write_trials(search.tracked))
        cost = Cost.of(ready.bench, search.steps, time.perf_counter() - started)
        result = search.result(found)
        caveats = [*result.pop("caveats", ()), *ready.bench.caveats_of(search.replicates)]
        result |= {
            "cost": cost.as_dict(),
            "conditions": ready.conditions_of_suggestion,
            "caveats": caveats,
        }
        record = ready.write(result, search.tables(), found.suggestion)
        ready.suggest(found.suggestion)
        trackers.end(ending_of(ready, _values_in(found.suggestion, str(ready.kind.finds))))
    return found, cost, record


def _values_in(suggestion: Suggestion, key: str) -> dict[str, Any]:
    """Return what was found, by name; of momentum, its highest and its lowest."""
    value = suggestion.value if suggestion.accepted else None
    whole = value if isinstance(value, dict) else {"": value}
    return {f"suggested/{'_'.join(filter(None, (key, part)))}": v for part, v in whole.items()}


@contextlib.contextmanager
def _kept_if_broken_off(ready: Session, search: Search[Any]) -> Iterator[None]:
    try:
        yield
    except BaseException:
        if search.steps:
            ready.run.keep()
            records.write_tables(ready.run.path, search.tables())
        raise


def is_held_out(bench: Workbench, steps: int) -> bool:
    """Tell whether a probe of so many steps is examined on examples that it never saw."""
    return steps > bench.steps_per_epoch and bench.dataset.validates


def _probe(bench: Workbench, trial: Trial) -> Probe:
    held_out = None
    if is_held_out(bench, trial.steps) and np.isfinite(trial.scored).all():
        held_out = Estimate.of(trial.scored)
    return Probe(
        trial.candidate.value,
        trial.candidate.stage,
        trial.steps,
        np.asarray(trial.losses, float),
        held_out,
        trial.replicate,
        trial.scored,
    )
