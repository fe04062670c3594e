"""What workers of a cluster do for a search: its time against their number, and what a trial costs.

    python benchmarks/cluster.py [--trials 8] [--rounds 3] [--small] [--result FILE]

One round of trials, a small convolutional network at several learning rates, is run without a
cluster, and by one and by two workers of a Ray cluster on this machine: each in a process of its
own, in turns, all with one thread. Of each is taken down how long the trials took, from the first
that began to the last that ended, and of Ray also how long it took until the cluster was there, and
then until a worker was ready.
What a trial takes longer by one worker than without is its overhead; the first one of each worker,
in which a step is compiled, is left out of it. The losses must be the same bits in all ways.

From these, the time of the three searches of a recipe with up to 64 workers is computed on paper:
their plans say how many trials of how many steps are in each round, if losses were parabolas, and a
round takes as long as its longest row of trials. Workers are taken to be as fast side by side as
alone, which those of one machine are not. The result goes to cluster.json beside this file.
"""

import argparse
import json
import math
import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import record
from own_process import answer_of

from onecycle_cli import suggest
from onecycle_cli.suggest import Bounds, ComparisonPlan, Plan, Probe, Round, SearchPlan

BOUNDS = Bounds(0.0, 2.3)
THREADS = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
WAYS = {"this process": 0, "1 worker": 1, "2 workers": 2}
WORKERS_ON_PAPER = (1, 2, 4, 8, 64)
RATES_OF_ONES_OWN = 64
STEPS_ON_PAPER = 20000


def config(trials: int, workers: int, *, small: bool) -> dict[str, Any]:
    rates = [round(0.01 * 1.3**i, 6) for i in range(trials)]
    search = {"engine": "ray", "address": "local", "trials_at_once": workers}
    return {
        "name": "cluster",
        "batch_size": 32 if small else 128,
        "steps_per_execution": 1,
        "dataset": {"name": "digits"},
        "model": {"name": "mlp" if small else "mini_vgg"},
        "find_lr": {"rates": rates, "budget": 1.0},
        "train": {"cycles": [{"epochs": 10}]},
        "search": search if workers else {"engine": "local"},
    }


def measure(trials: int, workers: int, *, small: bool) -> dict[str, Any]:
    """Run the search in this process, and return when what happened."""
    from onecycle_cli import find_lr
    from onecycle_cli.observer import Observer

    began: dict[str, float] = {}
    ended: dict[str, float] = {}

    class Clock(Observer):
        title = ""
        asked = there = 0.0

        def note(self, text: str) -> None:
            now, (title, _, what) = time.perf_counter(), text.partition(": ")
            if text.startswith("trials run on"):
                self.there = now
            elif not self.there:
                self.asked = now
            if what == "begins":
                began[title] = now
            elif title in began:
                ended[title] = now

        def begin(self, title: str, steps: int) -> None:
            self.title = title
            if not workers:
                began[title] = time.perf_counter()
            elif not self.there:
                raise RuntimeError("the cluster was not announced.")

        def end(self, outcome: str = "") -> None:
            if not workers:
                ended[self.title] = time.perf_counter()

    clock = Clock()
    found = find_lr(config(trials, workers, small=small), out=None, observer=clock)
    order = sorted(began, key=lambda title: began[title])
    later = [ended[title] - began[title] for title in order[max(1, workers) :]]
    return {
        "search": max(ended.values()) - min(began.values()),
        "trial": statistics.mean(later),
        "cluster": clock.there - clock.asked,
        "worker": min(began.values()) - clock.there,
        "steps": found.trials[0].steps,
        "losses": [trial.losses for trial in found.trials],
    }


def in_a_process(way: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure a way in a process of its own, with the time until its cluster was there."""
    asked = ["--way", way, "--trials", str(arguments.trials), *["--small"] * arguments.small]
    return answer_of(__file__, *asked, **dict.fromkeys(THREADS, "1"))


def rounds_of_a_recipe(steps: int) -> Iterator[tuple[int, int]]:
    """Yield (trials, steps) of each round of all searches for a training of so many steps."""
    length = max(min(200, max(24, steps // 5)), steps // 10)
    plans: dict[float, Plan] = {
        0.07: SearchPlan(suggest.usual_budget(steps), 0.1, 1e-5, 10.0, ()),
        3e-4: ComparisonPlan((1e-4, 1e-3, 1e-2), length, refinements=2),
        0.86: ComparisonPlan((0.8, 0.85, 0.9), length),
    }
    for best, plan in plans.items():
        probes: list[Probe] = []
        while (wave := plan.next_round(probes, BOUNDS)) is not None:
            yield len(wave.values), wave.steps
            probes += [probe_of(wave, value, best) for value in wave.values]


def probe_of(wave: Round, value: float, best: float) -> Probe:
    """Return what a probe might give: its loss rises with the square of the distance to a value."""
    loss = 0.5 + 0.2 * math.log10(value / best) ** 2
    losses = np.full(wave.steps, loss)
    losses[: wave.steps // 2] = np.linspace(BOUNDS.chance, loss, wave.steps // 2)
    scored = loss + 0.01 * np.random.default_rng(0).normal(size=100)
    return Probe(value, wave.stage, wave.steps, losses, None, wave.replicate, scored)


def on_paper(step: float, overhead: float, ready: float) -> dict[str, dict[str, float]]:
    """Return the seconds of searches for a training of `STEPS_ON_PAPER` with so many workers.

    Args:
        step: seconds of a training step.
        overhead: seconds that a trial takes longer on a worker.
        ready: seconds until workers are ready, which is waited for once.
    """
    given = SearchPlan(
        STEPS_ON_PAPER, 0.1, 1e-5, 10.0, tuple(np.geomspace(1e-3, 1, RATES_OF_ONES_OWN))
    )
    courses = {
        "the three searches of a recipe": list(rounds_of_a_recipe(STEPS_ON_PAPER)),
        f"find_lr.rates of {RATES_OF_ONES_OWN} values": [
            (len(wave.values), wave.steps) for wave in given.longest_course()
        ],
    }
    found = {}
    for name, waves in courses.items():
        alone = sum(count * length * step for count, length in waves)
        seconds = {"this process": round(alone, 1)}
        for workers in WORKERS_ON_PAPER:
            rows = (
                math.ceil(count / workers) * (length * step + overhead) for count, length in waves
            )
            seconds[f"{workers} workers"] = round(ready + sum(rows), 1)
        found[name] = seconds | {"most trials in a round": max(count for count, _ in waves)}
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--trials", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", action="store_true", help="a perceptron, to try this script")
    parser.add_argument("--result")
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        found = measure(arguments.trials, WAYS[arguments.way], small=arguments.small)
        print(json.dumps(found))
        return
    taken: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for _ in range(arguments.rounds):
        for way in WAYS:
            taken[way].append(in_a_process(way, arguments))
    every = [one for ones in taken.values() for one in ones]
    if any(one["losses"] != every[0]["losses"] for one in every):
        raise SystemExit("the losses differ, and should be the same bits in all ways.")

    def median(way: str, key: str) -> float:
        return statistics.median(one[key] for one in taken[way])

    def of_ray(key: str) -> dict[str, dict[str, float]]:
        ways = [way for way, workers in WAYS.items() if workers]
        return {way: record.spread([one[key] for one in taken[way]], 3) for way in ways}

    here = median("this process", "trial")
    overhead = median("1 worker", "trial") - here
    step = here / every[0]["steps"]
    ready = median("2 workers", "cluster") + median("2 workers", "worker")
    results = {
        way: {
            "seconds of the search": record.spread([one["search"] for one in ones], 3),
            "seconds of a trial": record.spread([one["trial"] for one in ones], 3),
        }
        for way, ones in taken.items()
    }
    results |= {
        "trials": arguments.trials,
        "steps of a trial": every[0]["steps"],
        "seconds until the cluster is there": of_ray("cluster"),
        "seconds from then until a worker is ready": of_ray("worker"),
        "seconds a trial takes longer by a worker": round(overhead, 3),
        f"on paper, seconds for a training of {STEPS_ON_PAPER} steps": on_paper(
            step, overhead, ready
        ),
    }
    what = "a search by workers of a Ray cluster on this machine, and on paper by more of them"
    record.write(__file__, what, results, arguments.result)


if __name__ == "__main__":
    main()
