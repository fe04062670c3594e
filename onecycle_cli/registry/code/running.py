"""A function's code, imported and run so that whatever it does becomes one sentence."""

from __future__ import annotations

import contextlib
import importlib
import sys
import traceback
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from onecycle_cli.errors import OnecycleError, PluginError, cause_of
from onecycle_cli.plugin_names import short
from onecycle_cli.registry.code.containment import contained
from onecycle_cli.registry.code.functions import Function
from onecycle_cli.registry.code.neighbours import Neighbours

__all__ = ["Runner", "loaded"]

Own = TypeVar("Own")


class Runner:
    """Runs a function and what belongs to it.

    Args:
        function: the function.
        error: what is raised when its code fails.
        package: the package that the functions which are not the user's own are in.
    """

    def __init__(
        self, function: Function, error: type[OnecycleError], package: str | None = None
    ) -> None:
        self._function, self._error, self._package = function, error, package
        self._neighbours = Neighbours(function.path.resolve().parent)

    def load(self) -> Callable[..., Any]:
        """Run the file afresh and return the function; call it within `doing`, as this."""
        function = self._function
        if function.is_users:
            module = self._neighbours.load(function.path.resolve())
        else:
            module = importlib.import_module(f"{self._package}.{function.path.stem}")
        return getattr(module, function.function)

    @staticmethod
    def beside(function: Callable[..., Any], name: str) -> Callable[..., Any]:
        """Return another function of the module that one is in."""
        return getattr(sys.modules[function.__module__], name)

    @contextlib.contextmanager
    def doing(self, verb: str) -> Iterator[None]:
        """Contain the code, and turn whatever it raises into one error.

        Args:
            verb: what it is to do, for the sentence: "failed to build".
        """
        what, name = self._function.what, self._function.name
        try:
            with contained(what, self._error), self._importable():
                yield
        except (KeyboardInterrupt, self._error):
            raise
        except BaseException as error:  # GeneratorExit and a user's own ones too
            raise self._error(
                f"{what} {name!r} failed to {verb}: {cause_of(error)}{self._place(error)}"
            ) from error

    def _importable(self) -> contextlib.AbstractContextManager[None]:
        """Let a user's code import its neighbours by whatever means; ours needs none."""
        is_users = self._function.is_users
        return self._neighbours.importable() if is_users else contextlib.nullcontext()

    def _place(self, error: BaseException) -> str:
        """Say which line of the user's own file led to an error; nothing for code of ours."""
        if not self._function.is_users:
            return ""
        frames = traceback.extract_tb(error.__traceback__)
        file, path = self._function.path, self._function.path.resolve()
        lines = [frame.lineno for frame in frames if Path(frame.filename) == path]
        return f" ({file}, line {lines[-1]})" if lines else f" ({file})"


def loaded(function: Function, kind: Callable[..., Own], verb: str) -> Own:
    """Run the file of a user's function, and return the function ready to be called.

    Args:
        function: the function.
        kind: made of the function, its name, and a context in which its failures become one error.
        verb: what it is to do, for that error.

    Raises:
        PluginError: the file fails when it is run.
    """
    runner = Runner(function, PluginError)
    with runner.doing("load"):
        inner = runner.load()
    return kind(inner, short(function.name), partial(runner.doing, verb))
