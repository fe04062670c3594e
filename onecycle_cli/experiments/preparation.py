"""What every experiment needs before it starts: a model, the conditions, the values in use."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onecycle_cli.config import Config
from onecycle_cli.experiments.hyper_parameters import Suggestions, Values, conditions_of, gather
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.bench import Workbench
from onecycle_cli.workbench.replay import replay


@dataclass(frozen=True)
class Shared:
    """What the stages of a recipe share, where a single experiment sets it up or looks it up.

    Attributes:
        bench: the model, compiled once.
        suggestions: what the recipe knows so far; those on file are not read.
        recipe: what it is called, such as `digits/run/001`; `None` if it is not written.
    """

    bench: Workbench
    suggestions: Suggestions
    recipe: str | None = None


@dataclass(frozen=True)
class Setup:
    """An experiment that is ready to start.

    Attributes:
        bench: the model, at its start.
        conditions: what a suggestion will depend on, besides the other suggestions.
        values: the hyper-parameters in use, and where they came from.
    """

    bench: Workbench
    conditions: dict[str, Any]
    values: Values


@contextlib.contextmanager
def prepared(
    config: Config,
    out: str | Path | None,
    observer: Observer,
    *,
    searched: str = "",
    shared: Shared | None = None,
) -> Iterator[Setup]:
    """Set an experiment up, on a model of its own or on a shared one, which is rewound.

    Args:
        config: the configuration.
        out: the folder of runs.
        observer: hears of the progress.
        searched: the key that the experiment is about to find.
        shared: what a recipe gives.

    Raises:
        OnecycleError: when the configuration, the data or the model won't do.
    """
    with workbench(config, observer, shared) as bench:
        conditions = conditions_of(config, bench.dataset.fingerprint)
        known = None if shared is None else shared.suggestions
        values = gather(
            config, out, observer, conditions=conditions, searched=searched, suggestions=known
        )
        yield Setup(bench, conditions, values)


@contextlib.contextmanager
def workbench(
    config: Config, observer: Observer, shared: Shared | None = None
) -> Iterator[Workbench]:
    """Give a model at its start: the shared one, or one that is closed at the end.

    Of a new one it is found out whether its state can be kept.
    """
    if shared is not None:
        shared.bench.rewind()
        yield shared.bench
        return
    bench = Workbench(config, observer)
    try:
        bench.replay = replay(bench).as_dict()
        yield bench
    finally:
        bench.close()
