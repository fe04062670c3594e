"""The table of other searchers in docs/suggestions.md, from searches.csv and recipe.csv alone.

python benchmarks/suggestions/searchers/table.py
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2]))
import recipe
import record
import score
from problems import Problem
from searchers import searches, tuning_free

DOCUMENT = Path(__file__).parents[3] / "docs" / "suggestions.md"
OURS, DRAWN = "onecycle", "random search"
CLOSE = 0.5
"""Points within which two scores are level."""


def tasks() -> list[Problem]:
    return recipe.first_variants()


def names() -> list[str]:
    """Return the searchers in the order of the table, ours first."""
    return [OURS, *searches.SEARCHERS, *tuning_free.NAMES, DRAWN]


def scores(searcher: str, problem: Problem) -> list[float]:
    """Return the test score of each search, the mean over the trainings with what it chose."""
    found = [[float(row["test"]) for row in rows] for rows in _by_search(searcher, problem)]
    return [float(np.mean(own)) for own in found if len(own) == len(recipe.SEEDS)]


def cost(searcher: str) -> float:
    """Return the mean steps of a search, in complete training runs."""
    found = [
        float(rows[0]["search_steps"]) / max(float(row["run_steps"]) for row in rows)
        for problem in tasks()
        for rows in _by_search(searcher, problem)
    ]
    return float(np.mean(found))


def trials(searcher: str) -> float:
    """Return the mean number of trials that a search begins."""
    return float(np.mean([float(row["trials"]) for row in _rows() if row["searcher"] == searcher]))


def ahead(searcher: str) -> np.ndarray:
    """Return the points by which each search is ahead of ours, of shape (tasks, searches)."""
    each = [np.subtract(scores(searcher, p), scores(OURS, p)[0]) for p in tasks()]
    return np.array([found[: min(map(len, each))] for found in each])


def level(searcher: str) -> int:
    """Return on how many tasks it is ahead of ours, or within `CLOSE` points, on average."""
    return int((ahead(searcher).mean(axis=1) >= -CLOSE).sum())


def summary() -> str:
    """Return the searchers side by side, in Markdown."""
    heads = ["searcher", "cost in runs", *(p.task for p in tasks()), "ahead of onecycle", "level"]
    return record.in_markdown(heads, [_row(searcher) for searcher in names()])


def _row(searcher: str) -> list[str]:
    cells = [searcher, f"{cost(searcher):.1f}"]
    cells += [_score(scores(searcher, problem)) for problem in tasks()]
    if searcher == OURS:
        return [*cells, "", ""]
    points = ahead(searcher)
    low, high = score.bootstrap(tasks(), points)
    return [*cells, f"{points.mean():+.1f} ({low:+.1f} to {high:+.1f})", f"{level(searcher)} of 7"]


def _score(found: list[float]) -> str:
    mean = f"{np.mean(found):.1f}"
    return mean if len(found) == 1 else f"{mean} ({min(found):.1f} to {max(found):.1f})"


def _by_search(searcher: str, problem: Problem) -> list[list[dict[str, str]]]:
    """Return the trainings of each search."""
    found: dict[str, list[dict[str, str]]] = {}
    for row in _rows():
        if (row["problem"], row["searcher"]) == (problem.name, searcher):
            found.setdefault(row["search"], []).append(row)
    return list(found.values())


@cache
def _rows() -> list[dict[str, str]]:
    """Return all trainings; recipe.py has one search a task."""
    alone = [row | {"searcher": row["method"], "search": "0"} for row in recipe.read().values()]
    return [*alone, *searches.read().values()]


if __name__ == "__main__":
    record.insert(DOCUMENT, "searchers", summary())
    print(summary())
