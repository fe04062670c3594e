"""The start of an experiment that several processes carry out."""

from __future__ import annotations

import os

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.config import Config
from onecycle_cli.engine.devices.distributed import join
from onecycle_cli.engine.devices.processes import ADDRESSES, processes
from onecycle_cli.observer import Observer


def meet(config: Config, observer: Observer) -> None:
    """Wait until all processes are there, where there are several.

    Raises:
        OnecycleError: when they can't meet.
    """
    if processes().are_several:
        observer.note(f"{processes().count} processes, which meet at {os.environ[ADDRESSES]}")
        join(config.seed)
