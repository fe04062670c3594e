"""What the commands that train have in common: their options, and how they start and end."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onecycle_cli.commands.options import (
    RUNS,
    ConfigPath,
    NoProgress,
    Out,
    Quiet,
    Seed,
    Set,
    Verbose,
)
from onecycle_cli.commands.presenter import presented
from onecycle_cli.commands.progress import watching

if TYPE_CHECKING:
    from onecycle_cli.config import Config
    from onecycle_cli.experiments.observer import Observer


@dataclass(frozen=True)
class Session:
    """What the user asked for.

    Attributes:
        config: the configuration, checked, its model looked up; Keras is not imported yet.
        out: the folder for runs.
        quiet: whether to show nothing but the result and warnings.
        progress: whether to show progress bars.
    """

    config: Config
    out: Path
    quiet: bool
    progress: bool

    def confirming(self, wanted: bool) -> Session:
        """Return the session with `find_lr.confirm` set, if that is wanted."""
        if not wanted:
            return self
        return replace(self, config=self.config.with_values(find_lr={"confirm": True}))

    def watched(self) -> contextlib.AbstractContextManager[Observer]:
        """Give an observer that shows what happens; leave it before printing a result."""
        return watching(quiet=self.quiet, progress=self.progress)


def training_command(body: Callable[..., None]) -> Callable[..., None]:
    """Make a command of a function that takes a `Session`, and parameters of its own.

    The command has the argument CONFIG, the options that all commands that train share, and
    whatever the function's further parameters say. What goes wrong inside becomes one message.
    """

    def command(
        config: ConfigPath,
        *,
        overrides: Set = None,
        out: Out = RUNS,
        seed: Seed = None,
        quiet: Quiet = False,
        verbose: Verbose = False,
        no_progress: NoProgress = False,
        **own: Any,
    ) -> None:
        with presented(verbose):
            checked = _checked(config, overrides, seed)
            body(Session(checked, out, quiet, not no_progress), **own)

    command.__name__, command.__doc__ = body.__name__, body.__doc__
    vars(command)["__signature__"] = _joined(command, body)
    return command


def _joined(command: Callable[..., None], body: Callable[..., None]) -> inspect.Signature:
    """Return the command's signature with the body's own parameters in the place of `**own`."""
    common = list(inspect.signature(command, eval_str=True).parameters.values())[:-1]
    own = list(inspect.signature(body, eval_str=True).parameters.values())[1:]
    return inspect.Signature([common[0], *own, *common[1:]])


def _checked(path: Path, overrides: list[str] | None, seed: int | None) -> Config:
    """Return the configuration with its model looked up, all without importing Keras."""
    from onecycle_cli import registry
    from onecycle_cli.config import load_config

    config = load_config(path, overrides or [], seed=seed)
    registry.check(config)
    return config
