"""Search a learning rate by probes, as `onecycle find-lr` does, on every problem.

    python benchmarks/suggestions/probes.py [NAME ...]

Writes probes/NAME.npz beside this file: every step's loss of every probe of each search, so that
what is read off them can be computed again. What exists is not done again.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from problems import PROBLEMS, Problem

from onecycle_cli import suggest
from onecycle_cli.observer import Observer
from onecycle_cli.suggest import Bounds, Estimate, Probe, SearchPlan, Suggestion

FOLDER = Path(__file__).with_name("probes")
FIRST_SEED = 2000  # far from those of the oracle and of the sweeps
NUMBER = 6


@dataclass(frozen=True)
class Search:
    """One search, as it was recorded.

    Attributes:
        probes: in their order.
        plan: what they were planned by.
        shift: from short trainings to the whole one, in decades.
        chance: the loss of always giving the same answer.
    """

    probes: list[Probe]
    plan: SearchPlan
    shift: float
    chance: float

    @property
    def steps(self) -> int:
        return sum(len(probe.losses) for probe in self.probes)

    def suggestion(self) -> Suggestion:
        """Return what the tool of today makes of it."""
        return suggest.suggest_from_probes(
            self.probes, self.plan, bounds=Bounds(0.0, self.chance), shift=self.shift
        )


def read(problem: str) -> list[Search]:
    """Return the searches on a problem; none where none was recorded."""
    if not _file(problem).exists():
        return []
    with np.load(_file(problem)) as stored:
        about = {name: stored[name] for name in stored.files}
    ends = np.cumsum(about["taken"])[:-1]
    losses = np.split(about["losses"].astype(float), ends)
    found = []
    for number, (budget, first, lowest, highest, shift) in enumerate(about["plans"]):
        probes = [
            Probe(
                float(about["lr"][i]),
                suggest.FINAL if about["final"][i] else suggest.LADDER,
                int(about["steps"][i]),
                losses[i],
                None if np.isnan(about["held_out"][i, 0]) else Estimate(*about["held_out"][i]),
            )
            for i in np.flatnonzero(about["search"] == number)
        ]
        plan = SearchPlan(int(budget), float(first), float(lowest), float(highest))
        found.append(Search(probes, plan, float(shift), float(about["chance"])))
    return found


def record(problem: Problem, observer: Observer | None = None) -> None:
    from onecycle_cli import find_lr

    rows, losses, plans = [], [], []
    chance = np.nan
    for number in range(NUMBER):
        found = find_lr(problem.config(seed=FIRST_SEED + 100 * number), out=None, observer=observer)
        result = found.record
        plan, shift = suggest.plan_of(result.result["plan"])
        plans.append((plan.budget, plan.first, plan.lowest, plan.highest, shift))
        chance = result.result["chance_loss"]
        for p in suggest.probes_of(result.tables["trials"], result.tables["curves"]):
            held_out = (np.nan, np.nan) if p.held_out is None else p.held_out
            rows.append(
                (number, p.value, p.stage == suggest.FINAL, p.steps, len(p.losses), held_out)
            )
            losses.append(p.losses)
        print(problem.name, number, found.suggestion, found.cost, flush=True)
    search, lr, final, steps, taken, held_out = map(np.array, zip(*rows, strict=True))
    FOLDER.mkdir(exist_ok=True)
    np.savez_compressed(
        _file(problem.name),
        search=search,
        lr=lr,
        final=final,
        steps=steps,
        taken=taken,
        held_out=held_out,
        losses=np.concatenate(losses).astype(np.float32),
        plans=np.array(plans),
        chance=np.array(chance, float),
    )


def _file(name: str) -> Path:
    return FOLDER / f"{name.replace('/', '-').replace(' ', '-')}.npz"


if __name__ == "__main__":
    for problem in PROBLEMS.values():
        asked = not sys.argv[1:] or problem.name in sys.argv or problem.task in sys.argv
        if asked and not _file(problem.name).exists():
            record(problem)
