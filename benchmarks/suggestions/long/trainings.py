"""Complete runs of the long trainings, by the compiled loop: the oracle, and what may help.

    python benchmarks/suggestions/long/trainings.py [NAME ...]

Writes oracle.csv beside this file, with the columns of the other one; decayed_oracle.csv, the same
around the best rates with an L2 of `DECAY`; and, where `searches.py` and `decays.py` have left
suggestions, remedies.csv: trainings at the suggested rates with more weight decay, with that of
`find-wd`, or of fewer steps, and probes four times as long as the last ones of the search. What
exists is not done again.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import compiled
import compiled_oracle
import oracle
import probes
from compiled import CompiledRuns, Run
from long import decays, searches
from problems import LONG, Problem

ORACLE = Path(__file__).with_name("oracle.csv")
REMEDIES = Path(__file__).with_name("remedies.csv")
DECAYED_ORACLE = Path(__file__).with_name("decayed_oracle.csv")
DECAY = 3e-3
GRID, DECAYED_GRID = oracle.GRID[:19], oracle.GRID[6:18]
SEEDS, DECAYED_SEEDS, REMEDY_SEEDS = range(6), range(4), range(3)
DECAYS = (1e-3, 3e-3, 1e-2)
SHARES = (1, 1 / 2, 1 / 4, 1 / 8, 1 / 16)
LONGER = 4
LOWER = (1.0, 0.1, 0.01)

LENGTHENED = "longer probe"
DECAYED, SHORTENED = "weight decay", "share of the steps"
SEARCHED = "find-wd"
COLUMNS = ("problem", "search", "remedy", "value", "lr", "steps", "weight_decay", "seed", "test", "validation", "validation_loss")  # fmt: skip # noqa: E501


@dataclass(frozen=True)
class Remedy:
    """What is done about overfitting.

    Attributes:
        name: which remedy.
        value: the weight decay; the share of the steps; or, of a probe, the share of the suggested
            learning rate.
        steps: of the run.
        share: of the suggested learning rate that is used.
        weight_decay: `None` for that of the problem.
    """

    name: str
    value: float
    steps: int
    share: float = 1.0
    weight_decay: float | None = None


def remedies(steps: int, probe: int) -> Iterator[Remedy]:
    """Yield what is tried on a training of so many steps, whose last probes have so many."""
    yield from (Remedy(DECAYED, decay, steps, weight_decay=decay) for decay in DECAYS)
    yield from (Remedy(SHORTENED, share, round(steps * share)) for share in SHARES)
    yield from (Remedy(LENGTHENED, share, LONGER * probe, share=share) for share in LOWER)


def try_remedies(problem: Problem) -> None:
    found = probes.read(problem.name)
    if not found:
        return
    done = {
        (row["remedy"], float(row["value"])) for row in read() if row["problem"] == problem.name
    }
    runs = CompiledRuns(problem)
    for remedy in remedies(runs.steps, found[0].plan.final_steps):
        if (remedy.name, remedy.value) in done:
            continue
        wanted = [
            (number, Run(lr * remedy.share, seed, weight_decay=remedy.weight_decay))
            for number, lr in enumerate(searches.suggested(problem))
            for seed in ([number] if remedy.name == LENGTHENED else REMEDY_SEEDS)
        ]
        _carry_out(runs, remedy, wanted)
    searched = [row for (name, _), row in decays.read().items() if name == problem.name]
    if searched and (SEARCHED, 0.0) not in done:
        wanted = [
            (
                int(row["search"]),
                Run(float(row["lr"]), seed, weight_decay=float(row["weight_decay"])),
            )
            for row in searched
            for seed in REMEDY_SEEDS
        ]
        _carry_out(runs, Remedy(SEARCHED, 0.0, runs.steps), wanted)
    runs.close()


def _carry_out(runs: CompiledRuns, remedy: Remedy, wanted: list[tuple[int, Run]]) -> None:
    """Train, for each of these searches, as said, and append what came of it."""
    problem = runs.problem
    print(problem.name, remedy, flush=True)
    outcomes = runs.outcomes([run for _, run in wanted], remedy.steps)
    for (number, run), outcome in zip(wanted, outcomes, strict=True):
        decay = problem.weight_decay if run.weight_decay is None else run.weight_decay
        row = {
            "problem": problem.name,
            "search": number,
            "remedy": remedy.name,
            "value": remedy.value,
            "lr": run.lr,
            "weight_decay": decay,
            "seed": run.seed,
        }
        oracle.append(REMEDIES, row | outcome, COLUMNS)


def read() -> list[dict[str, str]]:
    """Return the rows of the remedies."""
    if not REMEDIES.exists():
        return []
    with REMEDIES.open() as lines:
        return list(csv.DictReader(lines))


if __name__ == "__main__":
    compiled.start_jax()
    for problem in LONG:
        if not sys.argv[1:] or {problem.name, problem.task} & {*sys.argv}:
            plain = [Run(lr, seed) for lr in GRID for seed in SEEDS]
            decayed = [Run(lr, s, weight_decay=DECAY) for lr in DECAYED_GRID for s in DECAYED_SEEDS]
            compiled_oracle.fill(problem, ORACLE, plain)
            compiled_oracle.fill(problem, DECAYED_ORACLE, decayed)
            try_remedies(problem)
