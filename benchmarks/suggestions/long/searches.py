"""`find-lr` as it comes on the long trainings, and what it says beforehand.

    python benchmarks/suggestions/long/searches.py [NAME ...]

Writes ../probes/NAME.npz, as probes.py does, and a line to notes.csv beside this file: whether the
search said that it can't see overfitting. What exists is not done again.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
import oracle
import probes
from problems import DEFAULTS, LONG, Problem

from onecycle_cli.observer import Observer

FILE = Path(__file__).with_name("notes.csv")


class Listener(Observer):
    """Keeps what it hears before the search begins."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    @property
    def heard_of_overfitting(self) -> bool:
        return any("overfitting can't be seen" in text for text in self.notes)


def said() -> dict[str, bool]:
    """Return whether the searches on a problem said that overfitting can't be seen."""
    if not FILE.exists():
        return {}
    with FILE.open() as lines:
        return {row["problem"]: row["overfitting"] == "unseen" for row in csv.DictReader(lines)}


def suggested(problem: Problem) -> list[float]:
    """Return the learning rates that the searches lead to."""
    found = [search.suggestion().value for search in probes.read(problem.name)]
    return [lr if isinstance(lr, float) else DEFAULTS[problem.optimizer] for lr in found]


if __name__ == "__main__":
    for problem in LONG:
        asked = not sys.argv[1:] or {problem.name, problem.task} & {*sys.argv}
        if asked and problem.name not in said():
            listener = Listener()
            probes.record(problem, listener)
            row = {
                "problem": problem.name,
                "overfitting": "unseen" if listener.heard_of_overfitting else "not mentioned",
            }
            oracle.append(FILE, row, tuple(row))
