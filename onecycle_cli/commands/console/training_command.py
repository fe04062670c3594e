"""What the commands that train have in common: their options, and how they start and end."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onecycle_cli.commands.console.ending import presented
from onecycle_cli.commands.console.options import (
    RUNS,
    NoProgress,
    OptionalConfigPath,
    Out,
    Quiet,
    Resume,
    Seed,
    Set,
    Verbose,
)
from onecycle_cli.commands.console.progress import watching
from onecycle_cli.errors import ConfigError

if TYPE_CHECKING:
    from onecycle_cli.config import Config
    from onecycle_cli.observer import Observer


@dataclass(frozen=True)
class Session:
    """What the user asked for.

    Attributes:
        config: the configuration, checked, its model looked up; Keras is not imported yet.
        out: the folder for runs.
        quiet: whether to show nothing but the result and warnings.
        progress: whether to show progress bars.
        resume: the folder of the run that is to be resumed, or `None`.
        asked: the configuration to be compared with that of the run that is resumed; `None` if
            none was given.
    """

    config: Config
    out: Path = RUNS
    quiet: bool = False
    progress: bool = True
    resume: Path | None = None
    asked: Config | None = None

    @property
    def source(self) -> Config | None:
        """What to hand an experiment as its configuration: none for a run that just goes on."""
        return self.config if self.resume is None else self.asked

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

    The command has the argument CONFIG, the options that all commands that train share, --resume
    among them, and whatever the function's further parameters say. What goes wrong inside becomes
    one message.
    """

    def command(
        config: OptionalConfigPath = None,
        *,
        resume: Resume = None,
        overrides: Set = None,
        out: Out = RUNS,
        seed: Seed = None,
        quiet: Quiet = False,
        verbose: Verbose = False,
        no_progress: NoProgress = False,
        **own: Any,
    ) -> None:
        with presented(verbose):
            if resume is None:
                session = _starting(config, overrides, seed)
            else:
                session = _resuming(_kind(body), resume, config, overrides, seed)
            body(replace(session, out=out, quiet=quiet, progress=not no_progress), **own)

    command.__name__, command.__doc__ = body.__name__, body.__doc__
    vars(command)["__signature__"] = _joined(command, body)
    return command


def _joined(command: Callable[..., None], body: Callable[..., None]) -> inspect.Signature:
    """Return the command's signature with the body's own parameters in the place of `**own`."""
    common = list(inspect.signature(command, eval_str=True).parameters.values())[:-1]
    own = list(inspect.signature(body, eval_str=True).parameters.values())[1:]
    return inspect.Signature([common[0], *own, *common[1:]])


def _kind(body: Callable[..., None]) -> str:
    """Return what `find_lr_command` is called on the command line: `find-lr`."""
    return body.__name__.removesuffix("_command").replace("_", "-")


def _starting(path: Path | None, overrides: list[str] | None, seed: int | None) -> Session:
    if path is None:
        raise ConfigError(
            "CONFIG is missing: name a YAML file ('onecycle init' writes one), or a run to go on "
            "with by --resume RUN."
        )
    return Session(_checked(path, overrides, seed))


def _resuming(
    kind: str,
    resume: Path,
    path: Path | None,
    overrides: list[str] | None,
    seed: int | None,
) -> Session:
    """Find the run, and refuse a configuration that is not its own, before Keras is started."""
    from onecycle_cli.experiments.recipe import stages
    from onecycle_cli.experiments.resume import Resume, epochs_asked_for
    from onecycle_cli.kinds import RUN
    from onecycle_cli.runs import finding

    if kind == RUN.name:
        folder = stages.find_recipe(resume)
        started_with = stages.config_of(folder)
    else:
        folder = finding.find_unfinished(resume, kind)
        started_with = Resume.read(folder).config
    asked = None
    if path is not None or overrides or seed is not None:
        asked = _checked(path or started_with.model_dump(), overrides, seed)
        if kind != RUN.name:
            epochs_asked_for(folder, started_with, asked)
    return Session(started_with, resume=folder, asked=asked)


def _checked(
    source: Path | dict[str, Any], overrides: list[str] | None, seed: int | None
) -> Config:
    """Return the configuration with what it names looked up, all without importing Keras."""
    from onecycle_cli import registry
    from onecycle_cli.config import load_config

    config = load_config(source, overrides or [], seed=seed)
    registry.check(config)
    return config
