"""The tables about long trainings in docs/suggestions.md, from the files beside this one.

python benchmarks/suggestions/long/table.py
"""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))
sys.path.insert(0, str(Path(__file__).parents[1]))
import probes
import record
import regret
from long import searches, trainings
from problems import LONG, Problem

DOCUMENT = Path(__file__).parents[3] / "docs" / "suggestions.md"


@lru_cache
def oracles(file: Path = trainings.ORACLE) -> dict[str, regret.Oracle]:
    return regret.read(file)


def answers() -> str:
    """Return what `find-lr` suggests and what it loses, in Markdown."""
    lines = [
        "training | steps | epochs | suggested | best rate | regret | worst | "
        f"best rate, L2 {trainings.DECAY:g} | regret | worst | cost in runs",
        " | ".join(["---"] + ["---:"] * 10),
    ]
    for problem in LONG:
        rates, plain = searches.suggested(problem), oracles()[problem.name]
        cost = np.mean([search.steps for search in probes.read(problem.name)]) / plain.steps
        cells = [
            problem.name,
            f"{plain.steps:,}",
            str(problem.epochs),
            f"{np.median(rates):.2g} ({min(rates):.2g} to {max(rates):.2g})",
        ]
        for known in (plain, oracles(trainings.DECAYED_ORACLE)[problem.name]):
            lost = [known.regret(lr) for lr in rates]
            cells += [f"{known.best:.2g}", _points(np.mean(lost)), _points(max(lost))]
        lines.append(" | ".join([*cells, f"{cost:.2f}"]))
    return _framed(lines)


def remedies() -> str:
    """Return the points lost with each remedy, in Markdown."""
    decays = [f"L2 {decay:g}" for decay in trainings.DECAYS]
    shares = [f"1/{round(1 / share)} of the steps" for share in trainings.SHARES if share < 1]
    head = [
        "training",
        "as suggested",
        *decays,
        "best of these",
        "find-wd",
        *shares,
        "longer probes",
    ]
    lines = [" | ".join(head), " | ".join(["---"] + ["---:"] * (len(head) - 1))]
    for problem in LONG:
        lost = points_lost(problem)
        lines.append(" | ".join([problem.name, *map(_points, lost.values())]))
    return _framed(lines)


def points_lost(problem: Problem) -> dict[str, float]:
    """Return the mean of what is lost against the best learning rate without any remedy."""
    top, rows = oracles()[problem.name].top, rows_of(problem)

    def lost(name: str, value: float) -> float:
        return top - _mean(rows[name, value], "test")

    found = {"as suggested": lost(trainings.SHORTENED, 1.0)}
    found |= {f"L2 {decay:g}": lost(trainings.DECAYED, decay) for decay in trainings.DECAYS}
    found["best of these"] = top - _best_decay(rows)
    found["find-wd"] = lost(trainings.SEARCHED, 0.0)
    found |= {f"{s:g}": lost(trainings.SHORTENED, s) for s in trainings.SHARES if s < 1}
    return found | {"longer probes": _by_longer_probes(problem, rows)}


def rows_of(problem: Problem) -> dict[tuple[str, float], list[dict[str, str]]]:
    """Return the runs with a remedy, by its name and value."""
    found: dict[tuple[str, float], list[dict[str, str]]] = {}
    for row in trainings.read():
        if row["problem"] == problem.name:
            found.setdefault((row["remedy"], float(row["value"])), []).append(row)
    return found


def _best_decay(rows: dict[tuple[str, float], list[dict[str, str]]]) -> float:
    """Return the test score where the validation part chooses the decay, of each search."""
    tried = [rows[trainings.SHORTENED, 1.0]]
    tried += [rows[trainings.DECAYED, decay] for decay in trainings.DECAYS]
    scores = []
    for search in {row["search"] for row in tried[0]}:
        own = [[row for row in runs if row["search"] == search] for runs in tried]
        scores.append(_mean(max(own, key=lambda runs: _mean(runs, "validation")), "test"))
    return float(np.mean(scores))


def _by_longer_probes(
    problem: Problem, rows: dict[tuple[str, float], list[dict[str, str]]]
) -> float:
    """Return what is lost where the held-out loss of longer probes chooses the rate."""
    probed = [row for share in trainings.LOWER for row in rows[trainings.LENGTHENED, share]]
    lost = []
    for search in {row["search"] for row in probed}:
        own = [row for row in probed if row["search"] == search]
        best = min(own, key=lambda row: float(row["validation_loss"]))
        lost.append(oracles()[problem.name].regret(float(best["lr"])))
    return float(np.mean(lost))


def _mean(rows: list[dict[str, str]], column: str) -> float:
    return float(np.mean([float(row[column]) for row in rows]))


def _points(lost: float) -> str:
    return f"{round(float(lost), 2) + 0.0:.2f}"  # no minus before zero


def _framed(lines: list[str]) -> str:
    return "\n".join(f"| {line} |" for line in lines) + "\n"


if __name__ == "__main__":
    record.insert(DOCUMENT, "long trainings", answers())
    record.insert(DOCUMENT, "remedies", remedies())
    print(answers(), remedies(), sep="\n")
