"""Run what a page of the tutorials says, in a folder of its own, and show what came out.

    python docs/run_page.py docs/tutorials/digits.md            # prints what each command prints
    python docs/run_page.py docs/tutorials/digits.md --write    # and puts it into the page

A block of code with a title is a file. A block of bash holds commands: `onecycle` and `python` are
run, and others, which install or look at something, are not. A block of text behind it is what its
last command prints. All other Python is run as it stands. Everything runs in one process, so that
Keras starts once.
"""

import contextlib
import io
import os
import re
import runpy
import shlex
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
COLUMNS = "80"
SOMEWHERE = "/home/you/onecycle"
_FENCE = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
_RUN = ("onecycle", "python")


@dataclass(frozen=True)
class Block:
    """A block of code of a page.

    Attributes:
        language: `bash`, `python`, `yaml`, `text`, ...
        title: the name of the file that it is, if it is one.
        code: what stands in it.
        place: where that begins and ends in the page's text.
    """

    language: str
    title: str | None
    code: str
    place: tuple[int, int]


def blocks_of(page: str) -> list[Block]:
    """Return the blocks of a page's text, in order."""
    return [Block(match[1], match[2], match[3], match.span(3)) for match in _FENCE.finditer(page)]


def run(blocks: list[Block], more: tuple[str, ...] = ()) -> Iterator[tuple[Block, str]]:
    """Run blocks in the current folder, and yield each block of text with what was printed.

    Args:
        blocks: of one page.
        more: options for every command that takes a config, such as a shorter training.
    """
    printed, names = "", {"__name__": "__main__"}
    for block in blocks:
        if block.title is not None:
            Path(block.title).write_text(block.code)
        elif block.language == "bash":
            printed = _commands(block.code, more) or printed
        elif block.language == "python":
            printed = _printed_by(lambda code=block.code: exec(code, names))
        elif block.language == "text":
            yield block, printed


def _commands(code: str, more: tuple[str, ...]) -> str:
    """Run the commands of a block, and return what the last of them prints."""
    printed = ""
    for line in code.splitlines():
        program, *arguments = shlex.split(line, comments=True) or [""]
        if program in _RUN:
            called = {"onecycle": _onecycle, "python": _python}[program]
            printed = _printed_by(lambda: called(arguments, more))  # noqa: B023
    return printed


def _onecycle(arguments: list[str], more: tuple[str, ...]) -> None:
    from onecycle_cli.main import app

    takes_a_config = any(argument.endswith((".yaml", ".yml")) for argument in arguments)
    try:
        app([*arguments, *(more if takes_a_config else ())])
    except SystemExit as end:
        if end.code not in (0, 3):  # 3: a refusal, which is an answer, too
            raise RuntimeError(f"onecycle {shlex.join(arguments)}: exit code {end.code}") from end


def _python(arguments: list[str], more: tuple[str, ...]) -> None:
    runpy.run_path(arguments[0], run_name="__main__")


def _printed_by(call: Any) -> str:
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream):
        call()
    return stream.getvalue()


def main() -> None:
    """Run a page from the command line."""
    path, *options = sys.argv[1:]
    os.environ |= {"COLUMNS": COLUMNS, "MPLBACKEND": "agg"}
    page = Path(path).resolve()
    text = page.read_text()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "configs").symlink_to(ROOT / "configs")
        os.chdir(folder)
        shown = list(run(blocks_of(text)))
        os.chdir(ROOT)
    for block, printed in reversed(shown):
        start, end = block.place
        text = f"{text[:start]}{_tidy(printed, folder)}{text[end:]}"
    if "--write" in options:
        page.write_text(text)
    else:
        print(text)


def _tidy(printed: str, folder: str) -> str:
    lines = printed.strip("\n").replace(folder, SOMEWHERE).splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines)


if __name__ == "__main__":
    main()
