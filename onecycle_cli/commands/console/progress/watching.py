"""Who shows an experiment while it runs: bars on a terminal, plain lines in a pipe."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

from rich.console import Console

from onecycle_cli.commands.console.progress.bars import Bars
from onecycle_cli.commands.console.progress.lines import Lines, Quiet, Silent
from onecycle_cli.engine.devices.processes import processes
from onecycle_cli.observer import Observer


@contextlib.contextmanager
def watching(*, quiet: bool, progress: bool, advice: str = "") -> Iterator[Observer]:
    """Give an observer that suits where stderr goes; of several processes, one shows something.

    Args:
        quiet: show nothing but warnings.
        progress: show how far the work is.
        advice: what to do where it takes long, as the end of a sentence; "" for nothing.
    """
    if not processes().is_chief:
        yield Silent()
    elif quiet:
        yield Quiet()
    elif progress and sys.stderr.isatty():
        with contextlib.closing(Bars(Console(stderr=True), advice)) as bars:
            yield bars
    else:
        yield Lines(progress=progress, advice=advice)
