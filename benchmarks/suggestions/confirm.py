"""Confirm suggestions by short, complete 1cycles, as `onecycle find-lr --confirm` does.

    python benchmarks/suggestions/confirm.py [NAME ...]

Starts from what the recorded sweeps suggest, and appends to confirm.csv beside this file, a row a
suggestion; what is there is not done again.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

from oracle import append
from problems import SCORED, TUNING, Problem

FILE = Path(__file__).with_name("confirm.csv")
COLUMNS = ("problem", "number", "provisional", "lr", "low", "high", "verdict", "steps")
NUMBER = 3
FIRST_SEED = 2000


def read() -> dict[str, dict[int, dict[str, str]]]:
    """Return the rows by problem and number."""
    found: dict[str, dict[int, dict[str, str]]] = {}
    if FILE.exists():
        with FILE.open() as lines:
            for row in csv.DictReader(lines):
                found.setdefault(row["problem"], {})[int(row["number"])] = row
    return found


def confirmed(problem: Problem, provisional: float, number: int) -> dict[str, object]:
    from onecycle_cli.experiments.race.confirmation import confirm

    from onecycle_cli.suggest import ladder

    config = problem.config(seed=FIRST_SEED + 100 * number)
    found = confirm(config, ladder(provisional))
    low, high = found.suggestion.interval or ("", "")
    return {
        "problem": problem.name,
        "number": number,
        "provisional": provisional,
        "lr": found.suggestion.value or "",
        "low": low,
        "high": high,
        "verdict": found.suggestion.verdict,
        "steps": found.cost.steps,
    }


if __name__ == "__main__":
    from score import OURS, answers

    from onecycle_cli.engine.start import start_keras

    start_keras()
    there = read()
    for problem in [*TUNING, *SCORED]:
        if sys.argv[1:] and problem.name not in sys.argv and problem.task not in sys.argv:
            continue
        for number, answer in enumerate(answers(OURS, problem)[:NUMBER]):
            if number not in there.get(problem.name, {}) and answer.lr is not None:
                row = confirmed(problem, answer.lr, number)
                append(FILE, row, COLUMNS)
                print(row, flush=True)
