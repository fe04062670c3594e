"""How a command starts: its configuration is read and checked, its data are loaded."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from onecycle_cli.commands.console.progress.watching import watching
from onecycle_cli.errors import ConfigError

if TYPE_CHECKING:
    from onecycle_cli.config import Config
    from onecycle_cli.observer import Observer

STANDARD_INPUT = "-"
"""What stands for standard input in the place of a config."""


def checked_config(
    source: Path | dict[str, Any], overrides: list[str] | None, seed: int | None
) -> Config:
    """Return the configuration with what it names looked up, all without importing Keras.

    Args:
        source: a YAML file, `-` for standard input, or what one would hold.
        overrides: of `--set`.
        seed: goes before all else.

    Raises:
        ConfigError: when it breaks a rule.
    """
    from onecycle_cli import registry
    from onecycle_cli.config import load_config
    from onecycle_cli.data.sources.early import check_names

    config = load_config(_opened(source), overrides or [], seed=seed)
    registry.check(config)
    check_names(config)
    return config


def _opened(source: Path | dict[str, Any]) -> Path | TextIO | dict[str, Any]:
    """Return standard input for `-`.

    Raises:
        ConfigError: when nothing is piped into it.
    """
    if str(source) != STANDARD_INPUT:
        return source
    if sys.stdin.isatty():
        raise ConfigError(
            "CONFIG is -, which is standard input, and nothing is piped into it; name a file, or "
            "give it as in 'cat config.yaml | onecycle find-lr -'."
        )
    return sys.stdin


@contextlib.contextmanager
def starting(
    config: Config, *, quiet: bool, progress: bool, advice: str = ""
) -> Iterator[Observer]:
    """Give an observer that shows what happens; leave it before printing a result.

    The backend is decided, and the data are loaded: what is wrong with them is said before Keras
    takes its seconds.

    Args:
        config: what is going to be trained.
        quiet: show nothing but warnings.
        progress: show how far the work is.
        advice: what to do where it takes long, as the end of a sentence; "" for nothing.

    Raises:
        OnecycleError: when the data can't be loaded.
    """
    from onecycle_cli.engine.backends.choice import settle_backend
    from onecycle_cli.workbench.loading import load_early

    settle_backend(config)
    with watching(quiet=quiet, progress=progress, advice=advice) as observer:
        load_early(config, observer)
        yield observer
