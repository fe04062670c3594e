"""`onecycle report`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onecycle_cli.commands.console.as_json import print_json
from onecycle_cli.commands.console.ending import presented
from onecycle_cli.commands.console.new_file import check_is_new, free_path
from onecycle_cli.commands.console.options import AsJson, Verbose, path_here

if TYPE_CHECKING:
    from onecycle_cli.runs.reading.saved_run import SavedRun
    from onecycle_cli.runs.records import Record


def report_command(
    runs: Annotated[
        list[str],
        typer.Argument(
            metavar="RUN", help="Folders or URLs of one or several runs, or folders above runs."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write to this new file.", parser=path_here),
    ] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Write a report about runs: one HTML file for any browser, without a server or a network.

    For one run, the report has the answer and how sure it is, charts to zoom into, the origins of
    the values, the configuration and the cost. It is report.html in the run's folder, where the
    run itself has written it already. For a training that is not finished, it has the epochs so
    far, and says how to resume it. For several runs, it has a table to sort and filter, the
    differences of their configurations, and their curves in one chart, and is written to the
    current folder. Needs no Keras.
    """
    with presented(verbose):
        if out is not None:
            check_is_new(out)
        target, html, about = _several(runs) if len(runs) > 1 else _one(runs[0])
        from onecycle_cli.runs import files

        path = out or target
        files.write_text(path, html)
        typer.echo(str(path))
        if as_json:
            print_json("report", {"report": str(path), "runs": about})


def _one(run: str) -> tuple[Path, str, list[str]]:
    """Return where the report of a run goes, into its folder if that stays, and what it says."""
    from onecycle_cli import report
    from onecycle_cli.runs import files, finding, records
    from onecycle_cli.runs.reading.choice import unfinished_run
    from onecycle_cli.runs.run_folder import MANIFEST
    from onecycle_cli.runs.stores.urls import is_url

    if not is_url(run) and finding.is_recipe(Path(run)):
        return Path(run) / report.FILE, report.report_of_recipe(Path(run)), [run]
    if not is_url(run) and (unfinished := unfinished_run(run)):
        return _so_far(unfinished)
    folder = finding.find_run(run)
    record = records.read_record(folder)
    is_ours = (folder / MANIFEST).is_file()
    html = report.report_of(record, files.read_json(folder / MANIFEST) if is_ours else {})
    stays = is_ours and not is_url(run)
    path = folder / report.FILE if stays else free_path(Path(_file_name(record)))
    return path, html, [record.label]


def _so_far(run: SavedRun) -> tuple[Path, str, list[str]]:
    """Return the same of a training that is not finished.

    At its end its own report takes the place of this one; if it writes none, this one goes
    elsewhere.
    """
    from onecycle_cli import report
    from onecycle_cli.runs.reading.so_far import record_so_far

    record = record_so_far(run)
    goes = record.config.get("report") is not False
    target = run.folder / report.FILE if goes else free_path(Path(_file_name(record)))
    return target, report.report_so_far(run, record), [record.label]


def _several(runs: list[str]) -> tuple[Path, str, list[str]]:
    from onecycle_cli import report
    from onecycle_cli.runs import finding, records

    read = [records.read_record(finding.find_run(run)) for run in runs]
    about = [record.label for record in read]
    return free_path(Path("comparison.html")), report.report_of_several(read), about


def _file_name(record: Record) -> str:
    return f"{record.label.replace('/', '-').strip('.') or 'run'}-report.html"
