"""Complete 1cycle runs that can be stopped on the way, and taken up where they stopped."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any

import compiled
import numpy as np
import oracle
import recipe
from problems import Problem

NINTHS = 9
"""Searchers that stop trials halfway count in ninths of a complete run."""


@dataclass
class Trial:
    """A 1cycle run that has been begun.

    Attributes:
        choice: learning rate, momentum and weight decay.
        seed: of the initial weights and of the order of the data.
        steps: how many are done.
        broke: whether the loss was not finite, which ends a run.
        held: what is needed to go on.
    """

    choice: recipe.Choice
    seed: int
    steps: int = 0
    broke: bool = False
    held: Any = field(default=None, repr=False)


class Trainings(ABC):
    """Trainings of one problem.

    Attributes:
        whole: steps of a complete run.
        spent: steps taken by trials so far.
    """

    whole: int
    floor: float

    def __init__(self) -> None:
        self.spent = 0
        self._ended: dict[tuple[float, ...], tuple[Trial, float]] = {}

    def train(self, trial: Trial, ninths: int = NINTHS) -> float:
        """Train until so many ninths of the cycle are done; return the validation score.

        One that broke off stays at the score of chance, and takes no more steps. What another
        search has trained to the end is known, and counts all the same.
        """
        if trial.broke:
            return self.floor
        before, key = trial.steps, (*trial.choice.values(), trial.seed)
        if ninths == NINTHS and key in self._ended:
            known, score = self._ended[key]
            trial.steps, trial.broke = known.steps, known.broke
        else:
            score = self._train(trial, round(self.whole * ninths / NINTHS))
        if ninths == NINTHS:
            self._ended[key] = trial, score
            trial.held = None
        self.spent += trial.steps - before
        return self.floor if trial.broke else score

    @abstractmethod
    def _train(self, trial: Trial, until: int) -> float:
        """Train until a step, which the trial is told, and return the validation score."""

    @abstractmethod
    def run(self, lr: float, seed: int, **values: Any) -> dict[str, float]:
        """Train a complete run, as `oracle.Runs.run` does."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the model."""


class ByKeras(Trainings):
    """By `fit`: the model and the optimizer are as they were when a trial goes on."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self._runs = oracle.Runs(problem)
        self.whole = self._runs.bench.steps_per_epoch * problem.epochs
        self.floor = self._runs.floor

    def _train(self, trial: Trial, until: int) -> float:
        from onecycle_cli.engine.state.snapshot import Snapshot

        bench = self._runs.bench
        if trial.held is None:
            bench.rewind(trial.seed)
            cycle = self._cycle(trial.choice)
        else:
            cycle, snapshot = trial.held
            snapshot.restore()
        bench.train(until - trial.steps, [cycle], replicate=trial.seed, start=trial.steps)
        trial.steps, trial.broke = len(cycle.log), cycle.stop_reason is not None
        trial.held = cycle, Snapshot(bench.model)
        return self._runs.score("validation")

    def _cycle(self, choice: recipe.Choice) -> Any:
        from onecycle_cli.callbacks.recorded_cycle import RecordedCycle

        cycle = RecordedCycle(
            constants={self._runs.bench.decay_name: choice["weight_decay"]},
            max_lr=choice["lr"],
            maximum_momentum=choice["momentum_max"],
            minimum_momentum=choice["momentum_min"],
        )
        cycle.go_on(cycle.tabulated(self.whole), first=0)
        return cycle

    def run(self, lr: float, seed: int, **values: Any) -> dict[str, float]:
        return self._runs.run(lr, seed, **values)

    def close(self) -> None:
        self._runs.close()


class Compiled(Trainings):
    """By the compiled loop: what is done of a trial is done again, but not counted again."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self._runs = compiled.CompiledRuns(problem)
        self.whole, self.floor = self._runs.steps, self._runs.floor

    def _train(self, trial: Trial, until: int) -> float:
        choice = trial.choice
        momentum = choice["momentum_max"], choice["momentum_min"]
        run = compiled.Run(choice["lr"], trial.seed, momentum, choice["weight_decay"])
        trained = self._runs.train([run], until=until)
        finite = np.isfinite(trained.losses[0])
        trial.broke = not finite.all()
        trial.steps = int(finite.argmin()) + 1 if trial.broke else until
        return float(self._runs.score(trained, "validation").points[0])

    def run(self, lr: float, seed: int, **values: Any) -> dict[str, float]:
        return self._runs.outcomes([compiled.Run(lr, seed, **values)])[0]

    def close(self) -> None:
        self._runs.close()
