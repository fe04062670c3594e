"""The app: each command's help has examples, and says nothing that goes without saying."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from onecycle_cli.commands.console.usage.examples import EXAMPLES, in_markdown


class _Command(TyperCommand):
    """A command whose help does not say that a flag is a truth value."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types_of_flags(super().get_params(ctx))


class _Group(TyperGroup):
    """All commands; alike."""

    def get_params(self, ctx: Any) -> list[Any]:
        return _without_types_of_flags(super().get_params(ctx))


class App(typer.Typer):
    """An app whose commands have examples, by their names."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(cls=_Group, epilog=in_markdown(EXAMPLES["onecycle"]), **settings)

    def command(self, name: str | None = None, **settings: Any) -> Callable[[Any], Any]:
        """Return what makes a command of a function."""
        examples = EXAMPLES.get(name or "")
        if examples is not None:
            settings["epilog"] = in_markdown(examples)
        return super().command(name, cls=_Command, **settings)


def _without_types_of_flags(parameters: list[Any]) -> list[Any]:
    for parameter in parameters:
        if getattr(parameter, "is_flag", False):
            parameter.metavar = ""
    return parameters
