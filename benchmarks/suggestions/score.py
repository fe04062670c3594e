"""Score every suggestion rule against the oracle, in seconds, from committed data alone.

    python benchmarks/suggestions/score.py

Reads oracle.csv, probes/, sweeps/ and peers/answers.csv, and writes scores.json, scores.png and
scores_new.png beside this file, and the tables in docs/suggestions.md.

Regret: how many points a complete 1cycle run loses at the suggested learning rate against the best
one of the grid, interpolated in the logarithm of the learning rate; the best is chosen with half of
the seeds and scored with the others, then the other way round. Whoever gets no suggestion trains
with the framework's default, so that is what a refusal costs. Catastrophe: more than five points.
Intervals: 95 %, from a bootstrap over tasks, then variants, then seeds, paired between rules.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import floor
import numpy as np
import own_rates
import picture
import probes
import regret
import sweeps
from peers import replay
from problems import CONTROLS, DEFAULTS, NEW, SCORED, TUNING, Problem

sys.path.insert(0, str(Path(__file__).parent.parent))
import groups
import record

from onecycle_cli import suggest
from onecycle_cli.callbacks.range_test.stop_rule import StopRule

HERE = Path(__file__).parent
REPEATS, SUGGESTIONS = 3, 6
CATASTROPHE = 5.0
DRAWS = 4000
GRIDS = {n: f"complete runs at every rate, {n} seed{'s' if n > 1 else ''}" for n in (1, 2, 3)}
DRAWN = {n: f"best of {n} complete runs at random" for n in (2, 4, 8)}
OURS, SWEPT = "onecycle", "onecycle, range tests"

HEAD = (
    "rule",
    "mean regret",
    "90th percentile",
    "worst",
    "catastrophes in 100",
    "sd log10",
    "refused, wrongly",
    "refused, rightly",
    "cost in runs",
    "behind onecycle",
)


@dataclass(frozen=True)
class Answer:
    """One suggestion of one rule.

    Attributes:
        lr: the suggested learning rate, or `None` where the rule refuses.
        interval: what it says the learning rate may be as well.
        steps: training steps that it took.
    """

    lr: float | None
    interval: tuple[float, float] | None = None
    steps: int = 0


def answers(rule: str, problem: Problem) -> list[Answer]:
    """Return a rule's suggestions for a problem, each from other seeds."""
    if rule == OURS:
        return [_of_search(search) for search in probes.read(problem.name)]
    if rule == SWEPT:
        recorded = sweeps.read(problem.name)["onecycle"]
        sets = zip(*[iter(recorded)] * REPEATS, strict=True)
        return [swept(list(three), sweeps.chance(problem.name)) for three in sets][:SUGGESTIONS]
    return [Answer(given.lr, steps=given.steps) for given in replay.read()[rule][problem.name]]


def _of_search(search: probes.Search) -> Answer:
    found = search.suggestion()
    value = found.value if isinstance(found.value, float) else None
    return Answer(value, found.interval, search.steps)


def swept(recorded: list[tuple[np.ndarray, np.ndarray]], chance: float) -> Answer:
    stopped = [as_stopped(*sweep) for sweep in recorded]
    found = suggest.suggest_lr(stopped, chance=chance).suggestion
    value = found.value if isinstance(found.value, float) else None
    return Answer(value, found.interval, sum(len(losses) for _, losses in stopped))


def as_stopped(lrs: np.ndarray, losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a sweep as far as the range test would have gone."""
    rule = StopRule(4.0)
    for count in range(1, len(losses) + 1):
        if rule.reason(losses[:count].tolist()) is not None:
            return lrs[:count], losses[:count]
    return lrs, losses


class Table:
    """Regrets of one rule.

    Attributes:
        problems: what it was scored on.
        answers: its suggestions, a list for each problem.
        regrets: points lost, of shape (problems, suggestions).
    """

    def __init__(self, problems: list[Problem], oracles: dict[str, regret.Oracle], suggested: Callable[[Problem], list[Answer]]) -> None:  # fmt: skip # noqa: E501
        self.problems, self.oracles = problems, oracles
        self.answers = [suggested(problem) for problem in problems]
        self.regrets = np.array(
            [
                [oracles[p.name].regret(a.lr or DEFAULTS[p.optimizer]) for a in given]
                for p, given in zip(problems, self.answers, strict=True)
            ]
        )

    def summary(self) -> dict[str, Any]:
        flat = [(p, a) for p, given in zip(self.problems, self.answers, strict=True) for a in given]
        spreads = [
            np.std([np.log10(a.lr) for a in given if a.lr])
            for given in self.answers
            if sum(a.lr is not None for a in given) > 1
        ]
        covered = [self._covers(p, a) for p, a in flat if a.lr and a.interval]
        return {
            "mean": float(self.regrets.mean()),
            "p90": float(np.percentile(self.regrets, 90)),
            "worst": float(self.regrets.max()),
            "catastrophes_per_100": 100 * float((self.regrets > CATASTROPHE).mean()),
            "sd_log10": float(np.mean(spreads)) if spreads else 0.0,
            "coverage": float(np.mean(covered)) if covered else None,
            "cost_in_runs": float(np.mean([a.steps / self.oracles[p.name].steps for p, a in flat])),
            "false_refusals": float(np.mean([a.lr is None for _, a in flat])),
        }

    def _covers(self, problem: Problem, answer: Answer) -> bool:
        low, high = self.oracles[problem.name].plateau
        return answer.interval is not None and answer.interval[0] <= high and answer.interval[1] >= low  # fmt: skip # noqa: E501


def bootstrap(problems: list[Problem], regrets: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval of the mean over tasks, variants and seeds, drawn in that order."""
    weights = _weights(tuple(p.task for p in problems), regrets.shape[1])
    means = np.tensordot(weights, regrets, axes=2)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


@lru_cache
def _weights(tasks: tuple[str, ...], suggestions: int) -> np.ndarray:
    """Return how much each suggestion weighs in each draw, of shape (draws, problems, seeds)."""
    draw = np.random.default_rng(0)
    names = sorted(set(tasks))
    rows = {name: [i for i, task in enumerate(tasks) if task == name] for name in names}
    weights = np.zeros((DRAWS, len(tasks), suggestions))
    for counted in weights:
        for name in draw.choice(names, len(names)):
            for row in draw.choice(rows[name], len(rows[name])):
                seeds = draw.integers(0, suggestions, suggestions)
                share = 1 / (len(names) * len(rows[name]) * suggestions)
                np.add.at(counted[row], seeds, share)
    return weights


def constant(lr: float) -> Callable[[Problem], list[Answer]]:
    return lambda problem: [Answer(lr)] * SUGGESTIONS


def framework(problem: Problem) -> list[Answer]:
    return [Answer(DEFAULTS[problem.optimizer])] * SUGGESTIONS


def random(problem: Problem) -> list[Answer]:
    draw = np.random.default_rng(sum(problem.name.encode()))
    return [Answer(float(10**x)) for x in draw.uniform(-5, 1, SUGGESTIONS)]


def grid(problem: Problem, seeds: int, oracles: dict[str, regret.Oracle]) -> list[Answer]:
    steps = seeds * floor.size(problem.name) * oracles[problem.name].steps
    return [Answer(lr, steps=steps) for lr in floor.of_grid(problem.name, seeds)]


def at_random(problem: Problem, trials: int, oracles: dict[str, regret.Oracle]) -> list[Answer]:
    steps = trials * oracles[problem.name].steps
    return [Answer(lr, steps=steps) for lr in floor.of_random(problem.name, trials)]


def best_constant(problems: list[Problem], oracles: dict[str, regret.Oracle]) -> float:
    """Return the learning rate that, chosen in hindsight, loses least when used everywhere."""
    rates = np.geomspace(1e-4, 3, 200)
    lost = [np.mean([oracles[p.name].regret(lr) for p in problems]) for lr in rates]
    return float(rates[int(np.argmin(lost))])


def score(problems: list[Problem], oracles: dict[str, regret.Oracle]) -> dict[str, Any]:
    """Return what each rule does on these problems, and how far behind ours it is."""
    hindsight = best_constant(problems, oracles)
    makers: dict[str, Callable[[Problem], list[Answer]]] = {
        OURS: lambda p: answers(OURS, p),
        SWEPT: lambda p: answers(SWEPT, p),
        f"constant {hindsight:.2g}, the best": constant(hindsight),
        "framework's default": framework,
        "random, 1e-5 to 10": random,
        **{name: lambda p, name=name: answers(name, p) for name in replay.read()},
        **{name: lambda p, n=n: grid(p, n, oracles) for n, name in GRIDS.items()},
        **{name: lambda p, n=n: at_random(p, n, oracles) for n, name in DRAWN.items()},
    }
    tables = {name: Table(problems, oracles, make) for name, make in makers.items()}
    found = {}
    for name, table in tables.items():
        found[name] = table.summary()
        found[name]["mean_interval"] = bootstrap(problems, table.regrets)
        found[name]["suggestions"] = {
            p.name: [answer.lr for answer in given]
            for p, given in zip(problems, table.answers, strict=True)
        }
        found[name]["by_problem"] = {
            p.name: [float(r.mean()), float(r.max())]
            for p, r in zip(problems, table.regrets, strict=True)
        }
        behind = table.regrets - tables[OURS].regrets
        found[name][f"behind {OURS}"] = [float(behind.mean()), *bootstrap(problems, behind)]
    return found


def refusals() -> dict[str, dict[str, float]]:
    """Return how often each rule refuses where nothing can be learned."""
    return {
        rule: {
            p.variant: float(np.mean([a.lr is None for a in answers(rule, p)])) for p in CONTROLS
        }
        for rule in [OURS, SWEPT, *replay.read()]
    }


def known(problems: list[Problem], oracles: dict[str, regret.Oracle]) -> list[Problem]:
    return [p for p in problems if p.name in oracles]


def as_table(found: dict[str, Any], refused: dict[str, dict[str, float]]) -> str:
    """Return the summary as a table in Markdown."""
    dear = {*GRIDS.values(), *DRAWN.values()}
    lines = [" | ".join(HEAD), " | ".join(["---"] + ["---:"] * (len(HEAD) - 1))]
    for name, row in sorted(found.items(), key=lambda item: item[1]["mean"]):
        low, high = row["mean_interval"]
        cells = [
            f"**{name}**" if name in (OURS, SWEPT) else name,
            f"{row['mean']:.2f} ({low:.2f} to {high:.2f})",
            f"{row['p90']:.1f}",
            f"{row['worst']:.1f}",
            f"{row['catastrophes_per_100']:.0f}",
            f"{row['sd_log10']:.2f}" if name in {*refused, *dear} else "",
            f"{100 * row['false_refusals']:.0f} %" if name in refused else "",
            f"{100 * np.mean(list(refused[name].values())):.0f} %" if name in refused else "",
            f"{row['cost_in_runs']:.2f}" if name in {*refused, *dear} else "0",
            "{:+.2f} ({:+.2f} to {:+.2f})".format(*row[f"behind {OURS}"]) if name != OURS else "",
        ]
        lines.append(" | ".join(cells))
    return "\n".join(f"| {line} |" for line in lines) + "\n"


def grouped(scored: dict[str, Any], new: dict[str, Any], both: dict[str, Any]) -> dict[str, Any]:
    """Return scores under the names of the groups, with the numbers of their problems."""
    count, more = len(SCORED), len(NEW)
    return {f"the {count}": scored, f"the {more} new": new, f"all {count + more}": both}


if __name__ == "__main__":
    oracles = regret.read()
    refused = refusals()
    scored, tuned, new, both = (
        score(known(problems, oracles), oracles)
        for problems in (SCORED, TUNING, NEW, [*SCORED, *NEW])
    )
    for row in both.values():
        del row["suggestions"], row["by_problem"]  # which scored and new have
    best = {p.name: [oracles[p.name].best, *oracles[p.name].plateau] for p in known([*TUNING, *SCORED, *NEW], oracles)}  # fmt: skip # noqa: E501
    lowest = {name: floor.of_training_loss(name) for name in best}
    spaced = own_rates.means(known(SCORED, oracles), oracles)
    side_by_side = grouped(scored, new, both)
    tables = {
        "scores": as_table(scored, refused),
        "own rates": own_rates.table(scored, spaced),
        "groups": groups.figures(side_by_side),
        "regrets": groups.regrets(side_by_side),
        "new problems": groups.problems(new, best),
    }
    for name, table in tables.items():
        record.insert(HERE.parents[1] / "docs" / "suggestions.md", name, table)
    record.write(
        __file__,
        "regret in points of suggested learning rates, on problems that no rule was tuned on",
        {
            "scored": scored,
            "new": new,
            "all": both,
            "tuning": tuned,
            "refusals": refused,
            "best_and_plateau": best,
            "lowest_training_loss": lowest,
            "mean_at_own_rates": spaced,
            "keras_one_cycle_held": own_rates.held(known(SCORED, oracles), oracles),
        },
        str(HERE / "scores.json"),
    )
    for found, problems, name in ((scored, SCORED, "scores.png"), (new, NEW, "scores_new.png")):
        picture.draw(found, [(p, oracles[p.name]) for p in known(problems, oracles)], HERE / name)
    print(tables["scores"])
    print(json.dumps({name: row["mean"] for name, row in tuned.items()}, indent=1))
