"""The weight decay that `find-wd` suggests for the long trainings, at the rates that `find-lr` did.

    python benchmarks/suggestions/long/decays.py [NAME ...]

Writes decays.csv beside this file, a row a search, after `searches.py` and before `trainings.py`.
What exists is not done again.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import oracle
import probes
from long import searches
from problems import LONG, Problem

FILE = Path(__file__).with_name("decays.csv")
COLUMNS = ("problem", "search", "lr", "weight_decay", "steps", "training_runs")


def record(problem: Problem) -> None:
    from onecycle_cli import find_wd

    for number, lr in enumerate(searches.suggested(problem)):
        if (problem.name, number) in read():
            continue
        train = {"cycles": [{"epochs": problem.epochs}], "max_lr": lr}
        config = problem.config(seed=probes.FIRST_SEED + 100 * number, train=train)
        found = find_wd(config, out=None)
        row = {
            "problem": problem.name,
            "search": number,
            "lr": lr,
            "weight_decay": found.suggestion.value,
            "steps": found.cost.steps,
            "training_runs": found.cost.training_runs,
        }
        oracle.append(FILE, row, COLUMNS)
        print(row, flush=True)


def read() -> dict[tuple[str, int], dict[str, str]]:
    """Return the searches by problem and number."""
    if not FILE.exists():
        return {}
    with FILE.open() as lines:
        return {(row["problem"], int(row["search"])): row for row in csv.DictReader(lines)}


if __name__ == "__main__":
    for problem in LONG:
        if not sys.argv[1:] or {problem.name, problem.task} & {*sys.argv}:
            record(problem)
