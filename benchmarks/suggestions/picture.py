"""The scores as a picture: how much each rule loses, and where it puts the learning rate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from problems import Problem
from regret import Oracle

OURS = {"onecycle": "#c2410c", "onecycle, range tests": "#1d4ed8"}
OTHERS = "#6b7280"


def draw(scores: dict[str, Any], oracles: list[tuple[Problem, Oracle]], file: Path) -> None:
    """Draw mean regrets with their intervals, and suggestions beside the good plateaus."""
    mpl.use("Agg")
    figure = Figure(figsize=(13, 7.5), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.3))
    _regrets(left, scores)
    _suggestions(right, scores, oracles)
    figure.savefig(file, dpi=110)


def _regrets(axes: Axes, scores: dict[str, Any]) -> None:
    names = sorted(scores, key=lambda name: -scores[name]["mean"])
    for row, name in enumerate(names):
        low, high = scores[name]["mean_interval"]
        color = OURS.get(name, OTHERS)
        axes.plot([max(low, 0.05), high], [row, row], color=color, linewidth=2)
        axes.plot(max(scores[name]["mean"], 0.05), row, "o", color=color, markersize=8)
    axes.set_yticks(range(len(names)), names)
    axes.set_xscale("log")
    axes.set_xticks([0.1, 0.3, 1, 3, 10, 30], ["0.1", "0.3", "1", "3", "10", "30"])
    axes.set_xlabel("mean regret in points, 95 % interval")
    axes.set_title("what a training loses\nat the suggested rate", loc="left", fontsize=10)
    axes.grid(axis="x", alpha=0.3)


def _suggestions(axes: Axes, scores: dict[str, Any], oracles: list[tuple[Problem, Oracle]]) -> None:
    problems = oracles[::-1]
    for row, (problem, found) in enumerate(problems):
        low, high = found.plateau
        axes.plot([low, high], [row, row], color="#86efac", linewidth=9, solid_capstyle="butt")
        axes.plot(found.best, row, "|", color="#166534", markersize=12)
        for offset, (name, color) in zip((0.18, -0.18), OURS.items(), strict=True):
            given = [lr for lr in scores[name]["suggestions"][problem.name] if lr is not None]
            axes.plot(given, np.full(len(given), row + offset), ".", color=color, markersize=5)
    axes.set_yticks(range(len(problems)), [problem.name for problem, _ in problems], fontsize=8)
    axes.set_xscale("log")
    axes.set_xlabel("learning rate")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda rate, _: f"{rate:g}"))
    title = "suggested rates\n(green: within a point of the best, which is the mark |)"
    axes.set_title(title, loc="left", fontsize=10)
    for name, color in OURS.items():
        axes.plot([], [], ".", color=color, label=name)
    axes.legend(fontsize=8)
    axes.grid(axis="x", alpha=0.3)
