"""What every tracker can do, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from onecycle_cli.runs.files import Table
from onecycle_cli.runs.log import Logbook

DONE, INTERRUPTED, FAILED = "done", "interrupted", "failed"
"""How a run ends."""


@dataclass(frozen=True)
class Subject:
    """The run whose numbers are tracked.

    Attributes:
        experiment: the `name` of its configuration.
        kind: `train`, `find-lr` and so on.
        label: its own name, such as `digits/train/001`.
        folder: where it is written.
        started: when, in seconds since 1970.
        params: every value of its configuration, by dotted key.
        tags: what else is known of it, in words, such as where a value came from.
    """

    experiment: str
    kind: str
    label: str
    folder: Path
    started: float
    params: Mapping[str, Any]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class TrackedTrial:
    """A short training of a search.

    Attributes:
        name: `03-max_lr-0.316`, counted from 1.
        params: the values that were tried, and what else distinguishes it.
        steps: its columns of `curves.csv`.
        scores: the losses that it is judged by, by name; none if it is not judged, or broke off.
        has_diverged: whether it broke off.
    """

    name: str
    params: Mapping[str, Any]
    steps: Table
    scores: Mapping[str, float] = field(default_factory=dict)
    has_diverged: bool = False


@dataclass(frozen=True)
class Ending:
    """How a run ended, and with what.

    Attributes:
        status: `DONE`, `INTERRUPTED` or `FAILED`.
        scores: numbers by name, such as `test/accuracy`.
        files: what is worth keeping beside them.
    """

    status: str
    scores: Mapping[str, float] = field(default_factory=dict)
    files: Sequence[Path] = ()


class Tracker(Protocol):
    """Takes the numbers of a run to where runs are compared.

    What fails may raise anything, and may be called again.
    """

    def start(self) -> str:
        """Begin a run there, or find the one that this run began before; say where it is."""
        ...

    def write(self, log: Logbook) -> None:
        """Take over what a training's log holds and the tracker does not yet."""

    def write_trials(self, trials: Sequence[TrackedTrial]) -> None:
        """Take over those finished trials of a search that the tracker does not hold yet."""

    def end(self, ending: Ending) -> None:
        """Take over how the run ended, and let go of it."""
