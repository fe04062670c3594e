"""What other tools answer by default, with rates of their own, on losses recorded at others.

The ranges of the sweeps are the tools' defaults. But fastai and keras-one-cycle stay a step below
the end, and Lightning leaves out the second rate, so that each recorded loss counts at a rate up to
a fifth off its own.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import regret
import sweeps
from peers import replay
from problems import DEFAULTS, Problem


def means(problems: list[Problem], oracles: dict[str, regret.Oracle]) -> dict[str, float]:
    """Return each rule's mean regret."""
    found = {}
    for rule, answers in replay.read().items():
        lost = [
            oracles[p.name].regret(given.lr_at_own_rates or DEFAULTS[p.optimizer])
            for p in problems
            for given in answers[p.name]
        ]
        found[rule] = float(np.mean(lost))
    return found


def held(problems: list[Problem], oracles: dict[str, regret.Oracle]) -> dict[str, float]:
    """Return how often keras-one-cycle notes the lowest loss below the rate it was recorded at.

    It stays at its rate when it leaves a batch out, while the recorded sweep went on rising. Also
    its mean regret if the rate were that of the recording.
    """
    lower, lost = [], []
    for p in problems:
        answers = replay.read()["keras-one-cycle"][p.name]
        swept = sweeps.read(p.name)["onecycle"][: len(answers)]
        for given, (lrs, losses) in zip(answers, swept, strict=True):
            recorded = lrs[_lowest(losses)] / 10
            lower.append(given.lr < 0.999 * recorded)
            lost.append(oracles[p.name].regret(recorded))
    return {"of": len(lower), "lower": int(sum(lower)), "mean": float(np.mean(lost))}


def table(scored: dict[str, Any], spaced: dict[str, float]) -> str:
    """Return the mean regrets at the recorded rates and at the tools' own, in Markdown."""
    lines = ["rule | at the recorded rates | called by default", "--- | ---: | ---:"]
    for rule, mean in sorted(spaced.items(), key=lambda item: item[1]):
        lines.append(f"{rule} | {scored[rule]['mean']:.2f} | {mean:.2f}")
    return "\n".join(f"| {line} |" for line in lines) + "\n"


def _lowest(losses: np.ndarray) -> int:
    """Return where the lowest loss is, with keras-one-cycle's bias correction."""
    return int(np.nanargmin(losses / (1 - 0.98 ** np.arange(1, len(losses) + 1))))
