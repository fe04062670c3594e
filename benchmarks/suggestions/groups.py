"""What the groups of problems say, side by side: those that are scored, the new ones, and all."""

from __future__ import annotations

from typing import Any

import numpy as np
import record

Scores = dict[str, dict[str, Any]]
"""What `score.score` returns."""

OURS = "onecycle"
FIGURES = (
    ("mean regret, points", "0.5", "mean", "{:.2f}", 1),
    ("90th percentile", "1.7", "p90", "{:.1f}", 1),
    ("catastrophes in 100", "0", "catastrophes_per_100", "{:.1f}", 1),
    ("sd of log10 over seeds", "0.09", "sd_log10", "{:.2f}", 1),
    ("wrong refusals", "1 %", "false_refusals", "{:.1f} %", 100),
    ("interval meets the plateau", "90 %", "coverage", "{:.0f} %", 100),
    ("cost in training runs", "1.25", "cost_in_runs", "{:.2f}", 1),
)
"""Of each figure its name, the aim, the key, the form and a factor."""


def figures(groups: dict[str, Scores]) -> str:
    """Return what `find-lr` reaches on each group, and what it was meant to, in Markdown."""
    rows = [
        [name, aim, *(form.format(factor * found[OURS][key]) for found in groups.values())]
        for name, aim, key, form, factor in FIGURES
    ]
    return record.in_markdown(["`find-lr`", "aim", *groups], rows)


def regrets(groups: dict[str, Scores]) -> str:
    """Return every rule's mean regret and its interval on each group, in Markdown."""
    named = {group: {_plain(rule): row for rule, row in found.items()} for group, found in groups.items()}  # fmt: skip # noqa: E501
    *_, last = named.values()
    rows = [
        [f"**{rule}**" if rule == OURS else rule, *(_mean(found[rule]) for found in named.values())]
        for rule in sorted(last, key=lambda rule: last[rule]["mean"])
    ]
    return record.in_markdown(["mean regret", *groups], rows)


def problems(found: Scores, best_and_plateau: dict[str, list[float]]) -> str:
    """Return what `find-lr` suggests for each problem, and what that loses, in Markdown."""
    rows = []
    for name, (mean, worst) in found[OURS]["by_problem"].items():
        best, low, high = best_and_plateau[name]
        given = [lr for lr in found[OURS]["suggestions"][name] if lr is not None]
        refused = len(found[OURS]["suggestions"][name]) - len(given)
        says = f"{np.median(given):.2g} ({min(given):.2g} to {max(given):.2g})" if given else ""
        says += f"; {refused} refused" if refused else ""
        rows.append([name, f"{best:.2g} ({low:.2g} to {high:.2g})", says, f"{mean:.2f}", f"{worst:.1f}"])  # fmt: skip # noqa: E501
    heads = [
        "problem",
        "best rate (within a point)",
        "`find-lr`, median (range)",
        "regret",
        "worst",
    ]
    return record.in_markdown(heads, rows)


def _plain(rule: str) -> str:
    """Return the rule's name without the rate, which is another one for each group."""
    return "the best constant, in hindsight" if rule.startswith("constant ") else rule


def _mean(row: dict[str, Any]) -> str:
    low, high = row["mean_interval"]
    return f"{row['mean']:.2f} ({low:.2f} to {high:.2f})"
