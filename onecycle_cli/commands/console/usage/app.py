"""The app: each command's help has examples, and says nothing that goes without saying."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from onecycle_cli.commands.console.usage.examples import EXAMPLES, in_markdown


class App(typer.Typer):
    """An app whose commands have examples, by their names.

    Args:
        cls: of the group of all commands.
        settings: as of `typer.Typer`.
    """

    def __init__(self, cls: type[TyperGroup] = TyperGroup, **settings: Any) -> None:
        examples = in_markdown(EXAMPLES["onecycle"])
        super().__init__(cls=_without_types(cls), epilog=examples, **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """Return what makes a command of a function."""
        examples = EXAMPLES.get(name or "")
        if examples is not None:
            settings["epilog"] = in_markdown(examples)
        return super().command(name, cls=_without_types(TyperCommand), **settings)


def _without_types(cls: Any) -> Any:
    """Return a class of commands whose help names no types that go without saying.

    Those of flags, which are truth values, and those of arguments, whose names say what they are.
    """

    def get_params(self: Any, ctx: Any) -> list[Any]:
        parameters: list[Any] = cls.get_params(self, ctx)
        for parameter in parameters:
            if getattr(parameter, "is_flag", False):
                parameter.metavar = ""
            elif parameter.param_type_name == "argument":
                parameter.display_type_rich = lambda ctx: None
        return parameters

    return type(cls.__name__, (cls,), {"get_params": get_params})
