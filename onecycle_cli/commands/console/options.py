"""The options that commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from onecycle_cli import kinds
from onecycle_cli.commands.console.usage import completion

ConfigPath = Annotated[
    Path,
    typer.Argument(
        metavar="CONFIG",
        help="YAML file; 'onecycle init' writes one. -: standard input.",
        autocompletion=completion.configs,
    ),
]
OptionalConfigPath = Annotated[
    Path | None,
    typer.Argument(
        metavar="CONFIG",
        help="YAML file; 'onecycle init' writes one. -: standard input. Not needed with --resume.",
        autocompletion=completion.configs,
    ),
]
Resume = Annotated[
    str | None,
    typer.Option(
        "--resume",
        metavar="RUN",
        help="Continue a run that was interrupted: its folder or URL, or one above it, such as "
        "runs/NAME.",
        autocompletion=completion.runs,
    ),
]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Override a value of the config, such as find_lr.max_lr=3. Can be given again.",
        autocompletion=completion.settings,
    ),
]
Out = Annotated[
    str,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Folder for the runs, or the URL of an object store, such as s3://bucket/runs.",
    ),
]


def path_here(text: str) -> Path:
    """Return a path of this machine; what is no run is not written to object stores."""
    from onecycle_cli.runs.stores.urls import is_url

    if is_url(text):
        raise typer.BadParameter(f"{text}: only runs go to object stores; give a local path.")
    return Path(text)


OutHere = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Folder to write to.", parser=path_here)
]
Seed = Annotated[
    int | None, typer.Option("--seed", metavar="N", help="Use this seed, not the config's.")
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show only the result and warnings.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show the traceback of an unexpected error.")
]
NoProgress = Annotated[bool, typer.Option("--no-progress", help="Show no progress bars.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one line of JSON to stdout.")]
Confirm = Annotated[
    bool,
    typer.Option("--confirm", hidden=True, help="An older name of --method probes."),
]


class SearchMethod(StrEnum):
    """How `find-lr` searches."""

    PROBES = kinds.PROBES
    SWEEP = kinds.SWEEP


Method = Annotated[
    SearchMethod | None,
    typer.Option(
        "--method",
        help="probes: search with short trainings (default); sweep: with range tests.",
    ),
]
Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Use a max_lr even if it was suggested for another optimizer, model or data set.",
    ),
]

RUNS = completion.RUNS
