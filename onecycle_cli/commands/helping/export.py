"""`onecycle export`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onecycle_cli.commands.console.as_json import print_json
from onecycle_cli.commands.console.ending import presented
from onecycle_cli.commands.console.new_file import check_is_new
from onecycle_cli.commands.console.options import AsJson, Verbose, path_here

if TYPE_CHECKING:
    from onecycle_cli.export import TrainingPlan


class Target(StrEnum):
    """What can be exported to."""

    keras = "keras"
    pytorch = "pytorch"
    yaml = "yaml"


def export_command(
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="Folder or URL of a run of find-lr, find-wd, find-momentum, train or run, or one "
            "above it.",
        ),
    ],
    to: Annotated[
        Target, typer.Option("--to", metavar="TO", help="keras or pytorch: code; yaml: a config.")
    ] = Target.keras,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="Write it to this new file.", parser=path_here),
    ] = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Print code that trains with the values of a run: optimizer, weight decay and schedule.

    For a search, these are the value that it found and those that it used. Comments say what is
    not in the code. With --to yaml, prints a config for 'onecycle train'. Needs no Keras.
    """
    with presented(verbose):
        from onecycle_cli.export import keras_code, pytorch_code, read_plan, yaml_values
        from onecycle_cli.runs import files

        if out is not None:
            check_is_new(out)
        plan = read_plan(run)
        written = {"keras": keras_code, "pytorch": pytorch_code, "yaml": yaml_values}
        text = written[to.value](plan)
        if out is not None:
            files.write_text(out, text)
        if as_json:
            print_json("export", _answer(plan, to, text, out))
        elif out is not None:
            typer.echo(f"wrote {out}")
        else:
            typer.echo(text, nl=False)


def _answer(plan: TrainingPlan, to: Target, text: str, out: Path | None) -> dict[str, Any]:
    return {
        "run": plan.label,
        "to": to.value,
        "max_lr": plan.max_lrs,
        "momentum": plan.momentum.model_dump(),
        "weight_decay": plan.weight_decay,
        "decay": plan.decay_kind,
        "text": text,
        "file": None if out is None else str(out),
    }
