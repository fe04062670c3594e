"""A command line as it was typed, and the next one to type."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from onecycle_cli.commands.console.options import RUNS

if TYPE_CHECKING:
    from onecycle_cli.config import Config

_GOES_ON = " \\"


@dataclass(frozen=True)
class CommandLine:
    """What the user typed that other commands on the same config need too.

    Attributes:
        config: the path of the config; `None` where a run was resumed without.
        overrides: the values of `--set`.
        out: the folder for runs, or its URL.
        seed: the value of `--seed`.
    """

    config: str | None = None
    overrides: Sequence[str] = ()
    out: str = RUNS
    seed: int | None = None

    def of(self, command: str) -> list[str]:
        """Return the words of another command on the same config."""
        words = [*program(), command, self.config or "CONFIG"]
        for override in self.overrides:
            words += ["--set", override]
        if self.out != RUNS:
            words += ["--out", self.out]
        if self.seed is not None:
            words += ["--seed", str(self.seed)]
        return words


def after(kind: str, config: Config, typed: CommandLine) -> list[str]:
    """Return the command that follows a finder: of what the config leaves open, else `train`."""
    from onecycle_cli.experiments.hyper_parameters.values import is_auto
    from onecycle_cli.kinds import KINDS, STAGES, TRAIN

    later = STAGES[STAGES.index(kind) + 1 :]
    open_ones = (name for name in later if (key := KINDS[name].finds) and is_auto(config, key))
    return typed.of(next(open_ones, TRAIN.name))


def program() -> list[str]:
    """Return the words by which this program was started, so that they can be typed again."""
    started = Path(sys.argv[0])
    if started.parts[-2:] == ("onecycle_cli", "__main__.py"):
        return ["python", "-m", "onecycle_cli"]
    found = shutil.which("onecycle")
    if started.name != "onecycle" or (found and Path(found).resolve() == started.resolve()):
        return ["onecycle"]
    return [sys.argv[0]]


def in_lines(words: Sequence[str], room: int | None) -> list[str]:
    """Return a command line to copy; where it is too long, broken between words and options.

    Args:
        words: of the command line, not quoted yet.
        room: letters in a line; `None`: as many as needed.
    """
    text = shlex.join(words)
    if room is None or len(text) <= room:
        return [text]
    lines = [""]
    for part in _parts(words):
        longer = f"{lines[-1]} {part}" if lines[-1] else part
        if lines[-1] and len(longer) + len(_GOES_ON) > room:
            lines[-1] += _GOES_ON
            lines.append(f"    {part}")
        else:
            lines[-1] = longer
    return lines


def _parts(words: Sequence[str]) -> list[str]:
    """Return the words, quoted, and each option together with its value."""
    parts: list[list[str]] = []
    for word in words:
        if parts and parts[-1][0].startswith("--") and len(parts[-1]) == 1:
            parts[-1].append(word)
        else:
            parts.append([word])
    return list(map(shlex.join, parts))
