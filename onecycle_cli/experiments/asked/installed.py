"""Whether the packages are there that a configuration asks for and not everybody has."""

from __future__ import annotations

from onecycle_cli.cluster import ray_pool
from onecycle_cli.config import Config
from onecycle_cli.runs.trackers import table


def check_installed(config: Config, *, searches: bool = True) -> None:
    """Refuse a configuration that needs what is not installed; nothing is imported for it.

    Args:
        config: the one.
        searches: whether a value is searched for, which Ray may be needed for.

    Raises:
        ConfigError: saying how to install it.
    """
    if searches:
        ray_pool.check_installed(config)
    table.check_installed(config)
