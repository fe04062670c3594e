"""Let one tool repeat the recorded sweeps in its own loop, and write its answers to stdout as CSV.

    python benchmarks/suggestions/peers/ask.py MODULE [PROBLEM ...]

About all problems but those that are named. Runs where that tool is installed, and needs nothing of
this project but its sweeps.
"""

from __future__ import annotations

import contextlib
import csv
import os
import sys
import warnings
from collections.abc import Iterator
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np

sys.path.append(str(Path(__file__).parents[1]))
import sweeps
from problems import PROBLEMS

COLUMNS = ("problem", "sweep", "losses", "rule", "package", "lr", "lr_at_own_rates", "steps")
SWEEPS = 6


def digest(losses: np.ndarray) -> str:
    """Return what tells these losses from others."""
    return sha256(losses.tobytes()).hexdigest()[:12]


def rows(tool: ModuleType, problem: str) -> Iterator[dict[str, object]]:
    """Yield the answers to each sweep.

    Once the tool goes through the rates at which the losses were recorded; once it is told where
    they begin and end, and spaces them its own way.
    """
    swept = sweeps.RANGES[tool.RANGE]
    for number, (_, losses) in enumerate(sweeps.read(problem)[tool.RANGE][:SWEEPS]):
        asked = tool.recorded_at(swept.low, swept.high, len(losses))
        given = tool.answers(*asked, losses)
        at_own_rates = tool.answers(swept.low, swept.high, losses)
        for (rule, lr, steps), (_, lr_at_own_rates, _) in zip(given, at_own_rates, strict=True):
            yield {
                "problem": problem,
                "sweep": number,
                "losses": digest(losses),
                "rule": rule,
                "package": tool.PACKAGE,
                "lr": lr,
                "lr_at_own_rates": lr_at_own_rates,
                "steps": steps,
            }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    os.environ["TQDM_DISABLE"] = "1"
    table = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\n")
    table.writeheader()
    with contextlib.redirect_stdout(sys.stderr):  # the tools print
        tool = import_module(sys.argv[1])
        for name in [name for name in PROBLEMS if name not in sys.argv[2:]]:
            table.writerows(rows(tool, name))
