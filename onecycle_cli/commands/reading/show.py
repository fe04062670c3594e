"""`onecycle show`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onecycle_cli.commands.console.as_json import print_json
from onecycle_cli.commands.console.ending import number, presented, table
from onecycle_cli.commands.console.options import RUNS, AsJson, Verbose
from onecycle_cli.commands.reading.wording import (
    age_of,
    score_rows,
    suggestion_in_words,
    value_in_words,
)

if TYPE_CHECKING:
    from onecycle_cli.runs.reading.saved_run import SavedRun

Row = tuple[str, str]

_ASKED = {
    "asked": {
        "model": "model {}",
        "dataset": "data {}",
        "optimizer": "optimizer {}",
        "batch_size": "batch size {}",
        "epochs": "{} epochs",
        "method": "method {}",
    },
    "on": {"backend": "{}", "precision": "{}", "seed": "seed {}"},
    "command": {"command": "{}"},
}
"""The rows that say what was asked for, and how each fact is put."""


def show_command(
    run: Annotated[
        str,
        typer.Argument(
            metavar="[RUN]", help="Folder or URL of a run, or one above the newest run."
        ),
    ] = RUNS,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Show a run: what was asked, what was found, how sure it is, and where the files are.

    RUN is the folder of a run, finished or not, or one above it, for the newest run inside. The
    default is the newest run in 'runs'. Needs no Keras.
    """
    with presented(verbose):
        from onecycle_cli.runs.reading.account import account
        from onecycle_cli.runs.reading.choice import run_meant

        found = run_meant(run)
        said = account(found)
        if as_json:
            print_json("show", said)
        else:
            table(_rows(found, said))


def _rows(run: SavedRun, said: Mapping[str, Any]) -> list[Row]:
    return [
        ("run", f"{run.label}, {run.status}, {age_of(run)} ago"),
        *_found(run),
        *(_stage(stage) for stage in said["stages"] or ()),
        *_asked(said["asked"]),
        *(_value(value) for value in said["values"]),
        *_cost(said["cost"]),
        *(("caveat", text) for text in said["caveats"]),
        *(("picture", path) for path in said["pictures"]),
        *(("report", path) for path in said["reports"]),
        ("saved in", said["folder"]),
        ("files", ", ".join(_at_the_top(said["files"]))),
        *([("to continue", run.resume)] if run.resume else []),
    ]


def _found(run: SavedRun) -> list[Row]:
    rows: list[Row] = [("progress", run.progress)] if run.progress else []
    found = run.suggestion
    if found is not None:
        if found.get("value") is not None:
            rows.append((str(run.kind.finds), suggestion_in_words(found)))
        rows += [("verdict", str(found.get("verdict"))), ("reason", str(found.get("reason")))]
    return rows if run.scores is None else rows + score_rows(run.scores)


def _stage(stage: Mapping[str, Any]) -> Row:
    parts = [stage["status"]]
    if stage["value"] is not None:
        parts.append(suggestion_in_words(stage))
    if stage["verdict"] is not None:
        parts.append(stage["verdict"])
    if stage["run"]:
        parts.append(stage["run"])
    if stage["note"]:
        parts.append(stage["note"])
    return stage["stage"], ", ".join(parts)


def _asked(asked: Mapping[str, Any]) -> list[Row]:
    rows = []
    for name, forms in _ASKED.items():
        parts = [form.format(asked[key]) for key, form in forms.items() if asked[key] is not None]
        if parts:
            rows.append((name, ", ".join(parts)))
    return rows


def _value(value: Mapping[str, Any]) -> Row:
    name = value["key"].replace("weight_decay", "weight decay")
    origin = f" ({value['origin']})" if value["origin"] else ""
    return name, f"{value_in_words(value['value'])}{origin}"


def _cost(cost: Mapping[str, Any] | None) -> list[Row]:
    if cost is None:
        return []
    from onecycle_cli.workbench.cost import Cost

    return [("cost", f"{Cost(**cost)} in {number(cost['seconds'])} s")]


def _at_the_top(files: list[str]) -> list[str]:
    return list(dict.fromkeys(f"{top}/" if rest else top for top, _, rest in
                              (name.partition("/") for name in files)))  # fmt: skip
