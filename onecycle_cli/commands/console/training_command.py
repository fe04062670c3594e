"""What the commands that train have in common: their options, and how they start and end."""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onecycle_cli.commands.console.as_json import print_json, results_to
from onecycle_cli.commands.console.ending import presented
from onecycle_cli.commands.console.options import (
    RUNS,
    AsJson,
    NoProgress,
    OptionalConfigPath,
    Out,
    Quiet,
    Resume,
    Seed,
    Set,
    Verbose,
)
from onecycle_cli.commands.console.result import closing
from onecycle_cli.commands.console.result.command_line import CommandLine, after, program
from onecycle_cli.commands.console.starting import checked_config, starting
from onecycle_cli.engine.devices.processes import processes
from onecycle_cli.errors import ConfigError
from onecycle_cli.kinds import KINDS, RUN, Kind

if TYPE_CHECKING:
    from onecycle_cli.config import Config
    from onecycle_cli.experiments.asked.request import Request
    from onecycle_cli.observer import Observer
    from onecycle_cli.runs.records import Record
    from onecycle_cli.suggest import Suggestion

_ADVICE = {
    "find-lr": "--quick takes a quarter of the steps, and is less sure",
    "find-wd": "--set find_wd.steps=24 is a small test",
    "find-momentum": "--set find_momentum.steps=24 is a small test",
}
"""What to do where a search takes long."""


@dataclass(frozen=True)
class Invocation:
    """What the user asked for; known and checked before Keras is started.

    Attributes:
        kind: of the experiment.
        config: the configuration, its model looked up; that of the run, if one is resumed.
        out: the folder for runs.
        quiet: whether to show nothing but the result and warnings.
        progress: whether to show progress bars.
        as_json: whether to answer by JSON, too.
        resume: the folder of the run that is to be resumed, or `None`.
        typed: what of the command line other commands on the config need too.
        given: the configuration that was given beside the run that is resumed, if one was.
        resumed: the request to resume that run, if it is no recipe.
    """

    kind: Kind
    config: Config
    out: Path
    quiet: bool
    progress: bool
    as_json: bool = False
    resume: Path | None = None
    typed: CommandLine = field(default_factory=CommandLine)
    given: Config | None = None
    resumed: Request | None = None

    def request(self, *, force: bool = False, find_lr: Mapping[str, str] | None = None) -> Request:
        """Return the experiment that is asked for.

        Args:
            force: use a learning rate that was suggested for another optimizer, model or data set.
            find_lr: what is set in that section.

        Raises:
            OnecycleError: when it can't be started or resumed.
        """
        from onecycle_cli.experiments.asked.request import Request

        if self.resumed is None:
            config = self.with_search(find_lr or {})
            return Request.of(self.kind, config, out=self.out, force=force)
        if force or find_lr:
            by_search = "--quick" if "budget" in (find_lr or {}) else "--method"
            option = "--force" if force else by_search
            raise ConfigError(f"{option} is for a run that starts, not for --resume.")
        return self.resumed if self.given is None else self.resumed.asking(self.given)

    def with_search(self, find_lr: Mapping[str, str]) -> Config:
        """Return the configuration, with some keys of `find_lr` set, as by `--set`.

        Raises:
            ConfigError: when they contradict the others.
        """
        settings = [f"find_lr.{key}={value}" for key, value in find_lr.items()]
        if not settings:
            return self.config
        from onecycle_cli.config import load_config

        return load_config(self.config, settings)

    def watched(self) -> AbstractContextManager[Observer]:
        """Give the observer of `starting`."""
        advice = _ADVICE.get(self.kind.name, "")
        return starting(self.config, quiet=self.quiet, progress=self.progress, advice=advice)

    def close(self, record: Record | None, next_step: list[str] | None) -> None:
        """Show a curve of the run and the next step, after its result.

        Args:
            record: of the run, if there is one.
            next_step: the words of the command that follows, if one does.
        """
        closing.close(record, next_step, quiet=self.quiet)

    def after_finding(self, found: Suggestion) -> list[str] | None:
        """Return the command that follows a finder, if it has found something."""
        return after(self.kind.name, self.config, self.typed) if found.accepted else None

    def answer(self, folder: Path | None) -> None:
        """Print what the run in a folder says as JSON, if that is asked for.

        Args:
            folder: of the run that is over; `None` for a process that writes none.
        """
        if not self.as_json or folder is None:
            return
        from onecycle_cli.runs.reading.account import account
        from onecycle_cli.runs.reading.saved_run import SavedRun

        print_json(self.kind.name, account(SavedRun.read(folder)))


def after_training(folder: Path | None) -> list[str] | None:
    """Return the command that follows a training, if it is kept."""
    from onecycle_cli.runs.stores.urls import from_here

    return [*program(), "evaluate", from_here(folder)] if folder else None


def training_command(body: Callable[..., None]) -> Callable[..., None]:
    """Make a command of a function that takes an `Invocation`, and parameters of its own.

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
        as_json: AsJson = False,
        **own: Any,
    ) -> None:
        with presented(verbose), _results_of_the_chief():
            from onecycle_cli.runs.stores.urls import local

            kind = _kind(body)
            if resume is None:
                asked: dict[str, Any] = {"config": _to_start(config, overrides, seed)}
            else:
                asked = _to_resume(kind, resume, config, overrides, seed)
            path = None if config is None else str(config)
            typed = CommandLine(path, overrides or [], out, seed)
            asked |= {"out": local(out), "quiet": quiet, "progress": not no_progress}
            asked["typed"] = typed
            asked |= {"as_json": as_json}
            body(Invocation(kind, **asked), **own)

    command.__name__, command.__doc__ = body.__name__, body.__doc__
    vars(command)["__signature__"] = _joined(command, body)
    return command


@contextlib.contextmanager
def _results_of_the_chief() -> Iterator[None]:
    """Of several processes, let the chief show its results, and native code nothing on stdout."""
    if not processes().are_several:
        yield
        return
    sys.stdout.flush()
    stdout = os.dup(1)
    with Path(os.devnull).open("w") as nowhere, os.fdopen(stdout, "w") as everywhere:
        os.dup2(nowhere.fileno(), 1)
        try:
            is_chief = processes().is_chief
            with results_to(everywhere) if is_chief else contextlib.redirect_stdout(nowhere):
                yield
        finally:
            os.dup2(stdout, 1)


def _joined(command: Callable[..., None], body: Callable[..., None]) -> inspect.Signature:
    """Return the command's signature with the body's own parameters in the place of `**own`."""
    common = list(inspect.signature(command, eval_str=True).parameters.values())[:-1]
    own = list(inspect.signature(body, eval_str=True).parameters.values())[1:]
    return inspect.Signature([common[0], *own, *common[1:]])


def _kind(body: Callable[..., None]) -> Kind:
    """Return the kind of experiment that `find_lr_command` carries out."""
    return KINDS[body.__name__.removesuffix("_command").replace("_", "-")]


def _to_start(path: Path | None, overrides: list[str] | None, seed: int | None) -> Config:
    if path is None:
        raise ConfigError(
            "CONFIG is missing: name a YAML file ('onecycle init' writes one), or a run to "
            "continue with --resume RUN."
        )
    return checked_config(path, overrides, seed)


def _to_resume(
    kind: Kind, run: str, path: Path | None, overrides: list[str] | None, seed: int | None
) -> dict[str, Any]:
    """Find the run, what it was started with, and what was given beside it."""
    from onecycle_cli.experiments.asked.request import Request
    from onecycle_cli.experiments.recipe import resuming
    from onecycle_cli.runs import finding
    from onecycle_cli.runs.stores.unfinished import here

    if kind is RUN:
        folder, resumed = resuming.find_recipe(run), None
        config = resuming.config_of(folder)
    else:
        folder = finding.find_unfinished(here(run, kind.name), kind.name)
        resumed = Request.to_resume(kind, folder)
        config = resumed.config
    given = None
    if path is not None or overrides or seed is not None:
        given = checked_config(path or config.model_dump(), overrides, seed)
    return {"config": config, "resume": folder, "given": given, "resumed": resumed}
