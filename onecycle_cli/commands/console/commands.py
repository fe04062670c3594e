"""The group of all commands: failures in plain words, and as JSON where `--json` asks for it."""

from __future__ import annotations

from typing import Any

import typer.core

from onecycle_cli.commands.console.as_json import only_answers, print_json
from onecycle_cli.commands.console.ending import Failed
from onecycle_cli.commands.console.plain_words import in_plain_words

_OPTION = "--json"


class Commands(typer.core.TyperGroup):
    """All commands. With `--json`, whatever happens, stdout holds JSON and nothing else."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Note what is asked for, before the commands take their own arguments away."""
        ctx.meta[_OPTION] = list(args) if _OPTION in args else None
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Carry the command out."""
        asked = ctx.meta[_OPTION]
        if asked is None:
            return self._invoke(ctx)
        with only_answers():
            try:
                return self._invoke(ctx)
            except Exception as error:
                message = _message_of(error)
                if message is not None:
                    code = getattr(error, "exit_code", 1)
                    command = next(word for word in asked if not word.startswith("-"))
                    print_json(command, {"error": {"message": message, "exit_code": code}})
                raise

    def _invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            if isinstance(said := getattr(error, "message", None), str):
                error.message = in_plain_words(said)  # type: ignore[attr-defined]
            raise


def _message_of(error: Exception) -> str | None:
    """Return what went wrong; `None` for an exit that is no failure, or is answered already."""
    if isinstance(error, Failed):
        return error.message
    in_words = getattr(error, "format_message", None)  # of bad usage, whichever package raises it
    return str(in_words()) if callable(in_words) else None
