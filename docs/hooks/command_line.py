"""The page of all commands and options, from what `--help` knows."""

from collections.abc import Iterator, Sequence
from enum import Enum
from inspect import cleandoc
from typing import Any

import typer

from onecycle_cli.main import app

_HEAD = """\
# All options

This page is made from `onecycle --help`. [Commands](../commands.md) explains what each of
them does, how a suggestion comes about, and what verdicts and exit codes mean.
"""


def page() -> str:
    """Return the page, as Markdown."""
    group: Any = typer.main.get_command(app)
    return "\n".join([_HEAD, *_of_all(group), *_lines_of(group.commands)])


def _of_all(group: Any) -> Iterator[str]:
    yield from ("## onecycle", "", cleandoc(group.help or ""), "")
    yield from _table("option", group.params)


def _lines_of(commands: dict[str, Any]) -> Iterator[str]:
    for name, command in commands.items():
        if command.hidden:
            continue
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        options = [p for p in command.params if p.param_type_name == "option"]
        usage = " ".join(["onecycle", name, "[OPTIONS]", *map(_usage_of, arguments)])
        yield from (f"## onecycle {name}", "", "```text", usage, "```", "", _told(command), "")
        yield from _table("argument", arguments)
        yield from _table("option", options)


def _told(command: Any) -> str:
    """Return what a command says of itself; its last line, where to read on, is for a terminal."""
    text = cleandoc(command.help or "")
    return "\n".join(line for line in text.splitlines() if not line.startswith("Docs:"))


def _usage_of(argument: Any) -> str:
    name = _name_of(argument) + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _name_of(argument: Any) -> str:
    return str(argument.metavar or argument.name.upper())


def _table(kind: str, parameters: Sequence[Any]) -> Iterator[str]:
    shown = [p for p in parameters if not getattr(p, "hidden", False)]
    if not shown:
        return
    yield from (f"| {kind} | meaning | default |", "|---|---|---|")
    for parameter in shown:
        names = _cell(_names(parameter))
        yield f"| {names} | {_cell(getattr(parameter, 'help', '') or '')} | {_default(parameter)} |"
    yield ""


def _names(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return f"`{_name_of(parameter)}`"
    names = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
    return names if parameter.is_flag else f"{names} `{_value_of(parameter)}`"


def _value_of(option: Any) -> str:
    kind = option.type_descriptor.annotation
    if option.metavar or not issubclass(kind, Enum):
        return str(option.metavar or kind.__name__.upper())
    return "|".join(str(choice.value) for choice in kind)


def _default(parameter: Any) -> str:
    value = parameter.default
    if value is None or value is False or callable(value) or value in ((), []):
        return ""
    return f"`{value}`"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", r"\|").split())
