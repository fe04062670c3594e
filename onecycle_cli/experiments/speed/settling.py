"""What is found out about a model's speed once it is there."""

from __future__ import annotations

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.experiments.speed.fusion import settle_fusion
from onecycle_cli.experiments.speed.xla import warn_of_slow_xla
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.bench import Workbench


def settle(bench: Workbench, observer: Observer) -> None:
    """Choose the faster of what may be chosen, and warn of what is slower than it need be.

    Args:
        bench: a model at its start, where it is afterwards.
        observer: hears of it.
    """
    settle_fusion(bench, observer)
    warn_of_slow_xla(bench, observer)
