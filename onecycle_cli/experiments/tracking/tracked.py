"""An experiment that trackers follow, until it ends in one way or another."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from onecycle_cli.config.section import dotted, leaves
from onecycle_cli.runs import files
from onecycle_cli.runs.trackers.rows import is_number
from onecycle_cli.runs.trackers.table import trackers_of
from onecycle_cli.runs.trackers.together import Trackers
from onecycle_cli.runs.trackers.tracker import DONE, FAILED, INTERRUPTED, Ending, Subject

if TYPE_CHECKING:
    from onecycle_cli.experiments.session import Session

_KEPT = ("config.yaml", "result.json", "plot.png")


@contextlib.contextmanager
def tracked(ready: Session) -> Iterator[Trackers]:
    """Give the trackers of an experiment, and have them end if it breaks off.

    They are to be started when it begins, and ended when it is done. A run that is not kept has
    none.
    """
    trackers = _trackers_of(ready)
    try:
        yield trackers
    except BaseException as error:
        broken_off = isinstance(error, KeyboardInterrupt | SystemExit)
        trackers.end(Ending(INTERRUPTED if broken_off else FAILED))
        raise


def ending_of(ready: Session, scores: Mapping[str, Any], status: str = DONE) -> Ending:
    """Return how an experiment ended whose result is written.

    Args:
        ready: the experiment.
        scores: by name; those that are no numbers are left out.
        status: how it ended.
    """
    numbers = {name: float(value) for name, value in scores.items() if is_number(value)}
    paths = [ready.run.path / name for name in _KEPT]
    return Ending(status, numbers, [path for path in paths if path.exists()])


def _trackers_of(ready: Session) -> Trackers:
    if ready.is_scratch:
        return Trackers()
    config = files.read_yaml(ready.run.path / "config.yaml")
    subject = Subject(
        experiment=ready.config.name,
        kind=ready.kind.name,
        label=ready.label,
        folder=ready.run.path,
        started=datetime.fromisoformat(ready.run.manifest["start"]).timestamp(),
        params={dotted(key): value for key, value in leaves(config)},
        tags={f"{key} from": source for key, source in ready.values.sources.items()},
    )
    return trackers_of(ready.config, subject, ready.observer)
