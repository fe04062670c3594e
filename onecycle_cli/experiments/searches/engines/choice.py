"""The engine that a configuration asks for."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import onecycle_cli.engine.started  # noqa: F401
from onecycle_cli.config import Config
from onecycle_cli.engine.devices.data_parallel import in_use
from onecycle_cli.experiments.searches.engines.engine import Engine
from onecycle_cli.experiments.searches.engines.local import Local
from onecycle_cli.experiments.searches.engines.on_cluster import OnCluster
from onecycle_cli.observer import Observer
from onecycle_cli.workbench.bench import Workbench


@contextlib.contextmanager
def engine_for(config: Config, bench: Workbench, observer: Observer) -> Iterator[Engine]:
    """Give what carries trials out, and close it at the end.

    Args:
        config: what the model was set up with, before it was asked anything.
        bench: the model.
        observer: hears of the progress.
    """
    if config.search.engine == "local":
        yield Local(bench, observer)
        return
    if in_use() > 1:
        raise config.error(
            "search.engine",
            f"each worker of a cluster trains on one device, and {in_use()} would share a batch "
            f"here; set devices to 1, or use search.engine local.",
        )
    with contextlib.closing(OnCluster(config, bench, observer)) as engine:
        yield engine
