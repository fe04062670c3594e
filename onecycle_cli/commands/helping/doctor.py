"""`onecycle doctor`."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onecycle_cli.commands.console.as_json import print_json
from onecycle_cli.commands.console.ending import presented, readable
from onecycle_cli.commands.console.options import AsJson, Verbose, path_here

if TYPE_CHECKING:
    from onecycle_cli.doctor import Finding

_FAILED = 1
_WIDEST = 22
_COLOURS = {"missing": typer.colors.YELLOW, "problem": typer.colors.RED}
_MARKS = {"ok": " ", "missing": "-", "problem": "!"}


def doctor_command(
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="DIR", help="Folder whose disk is checked.", parser=path_here
        ),
    ] = Path("runs"),
    fast: Annotated[
        bool, typer.Option("--fast", help="Don't start Keras, which takes seconds.")
    ] = False,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Check this machine and the installation: what is there, what is missing, what to do.

    Looks at versions, the backend and the reason for it, devices, the processor's instructions,
    memory, disk, data sets, caches and extras. Trains nothing and writes nothing. The exit code is
    1 if something will fail. Missing parts that not everybody needs do not count.
    """
    with presented(verbose):
        from onecycle_cli.doctor import State, examine

        findings: list[Finding] = []
        for finding in examine(out, start_keras=not fast):
            findings.append(finding)
            if not as_json:
                _show(finding)
        problems = sum(finding.state is State.PROBLEM for finding in findings)
        if as_json:
            found = [finding.as_dict() for finding in findings]
            print_json("doctor", {"problems": problems, "findings": found})
        elif problems:
            typer.echo(f"{problems} {'problem' if problems == 1 else 'problems'}, marked by !")
        if problems:
            raise typer.Exit(_FAILED)


def _show(finding: Finding) -> None:
    """Write a line, with what to do below it; long ones are wrapped between words."""
    state = finding.state.value
    indent = " " * (_WIDEST + 3)
    lines = [f"{_MARKS[state]} {finding.topic:<{_WIDEST}} {readable(finding.text)}"]
    if finding.remedy:
        lines.append(f"{indent}{finding.remedy}")
    for line in lines:
        wrapped = textwrap.fill(
            line, _columns(), subsequent_indent=indent, break_long_words=False,
            break_on_hyphens=False, drop_whitespace=True, replace_whitespace=False,
        )  # fmt: skip
        typer.secho(wrapped, fg=_COLOURS.get(state))


def _columns() -> int:
    import shutil

    return max(40, shutil.get_terminal_size().columns)
