"""`onecycle ls`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from onecycle_cli.commands.console.as_json import print_json
from onecycle_cli.commands.console.ending import columns, presented, say, table
from onecycle_cli.commands.console.options import RUNS, AsJson, Verbose
from onecycle_cli.commands.reading.wording import age_of, found_in_words, seconds_since

if TYPE_CHECKING:
    from onecycle_cli.runs.reading.saved_run import SavedRun


def ls_command(
    folder: Annotated[
        str, typer.Argument(metavar="[DIR]", help="Folder of runs, or a folder inside it.")
    ] = RUNS,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """List all runs below a folder, the newest first.

    Shows the status of each run, what it has found, and its age. For unfinished runs, shows the
    command that continues them. Needs no Keras.
    """
    with presented(verbose):
        from pathlib import Path

        from onecycle_cli.errors import ConfigError
        from onecycle_cli.runs.reading.account import in_brief
        from onecycle_cli.runs.reading.listing import runs_below
        from onecycle_cli.runs.stores.urls import is_url

        if is_url(folder):
            raise ConfigError(
                f"{folder}: ls lists runs in a folder; 'onecycle show {folder}' shows the newest "
                f"run there that is finished."
            )
        listing = runs_below(Path(folder))
        for problem in listing.damaged:
            say(f"warning: {problem}")
        if as_json:
            runs = [in_brief(run) | {"age_seconds": seconds_since(run)} for run in listing.runs]
            print_json("ls", {"folder": folder, "runs": runs, "damaged": listing.damaged})
        elif listing.runs:
            _show(listing.runs)
        else:
            what = "no run that can be read" if listing.damaged else "no run yet"
            say(f"{folder}: holds {what}; 'onecycle find-lr CONFIG' starts one.")


def _show(runs: list[SavedRun]) -> None:
    rows = [(run.label, run.status, found_in_words(run), age_of(run)) for run in runs]
    columns([("run", "status", "found", "age"), *rows])
    at_work = [(run.label, str(path)) for run in runs if run.status == "running"
               for path in run.pictures[:1]]  # fmt: skip
    to_resume = [(run.label, run.resume) for run in runs if run.resume]
    for title, entries in (("pictures of running runs", at_work), ("to continue", to_resume)):
        if entries:
            typer.echo(f"\n{title}")
            table(entries)
