"""`onecycle run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onecycle_cli.commands.console.as_json import print_json
from onecycle_cli.commands.console.ending import REFUSED, columns, say, table
from onecycle_cli.commands.console.options import Confirm, Force
from onecycle_cli.commands.console.result.closing import folder_rows
from onecycle_cli.commands.console.result.colours import by_verdict
from onecycle_cli.commands.console.training_command import (
    Invocation,
    after_training,
    training_command,
)
from onecycle_cli.kinds import TRAIN

if TYPE_CHECKING:
    from onecycle_cli.config import Config
    from onecycle_cli.experiments.recipe.result import RunResult
    from onecycle_cli.experiments.recipe.stages import Stage
    from onecycle_cli.runs.records import Record

Skip = Annotated[
    list[str] | None,
    typer.Option(
        "--skip", metavar="STAGE", help="Leave a stage out, such as find-wd. Can be given again."
    ),
]
Reuse = Annotated[
    bool, typer.Option("--reuse", help="Use saved suggestions from the same conditions.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only predict the cost; write nothing.")]


@training_command
def run_command(
    asked: Invocation,
    *,
    confirm: Confirm = False,
    skip: Skip = None,
    reuse: Reuse = False,
    dry_run: DryRun = False,
    force: Force = False,
) -> None:
    """Do everything in one command: find-lr, find-wd, find-momentum, train.

    Says before it starts how many steps and minutes this will take. Searches only the values that
    the config does not set. Each stage writes the same files as its own command. After an
    interruption, --resume continues and repeats nothing that is finished. Writes to
    OUT/NAME/run/NNN.
    """
    starting = skip or reuse or dry_run or confirm or force
    config = asked.with_search({"method": "probes"} if confirm else {})
    _check(asked, config, starting=bool(starting), skip=skip or [], force=force, dry_run=dry_run)
    if dry_run:
        _forecast(asked, config, skip or [], reuse=reuse, force=force)
        return
    with asked.watched() as observer:
        from onecycle_cli.experiments.recipe.run import run

        result = run(
            asked.given if asked.resume else config,
            out=asked.out,
            observer=observer,
            resume=asked.resume,
            skip=skip or [],
            reuse=reuse,
            force=force,
        )
    asked.answer(result.folder)
    _show(result)
    training = _training_of(result)
    asked.close(_record_in(training), after_training(training))


def _check(
    asked: Invocation,
    config: Config,
    *,
    starting: bool,
    skip: list[str],
    force: bool,
    dry_run: bool,
) -> None:
    """Spare the user the wait for an error that is known without Keras."""
    from onecycle_cli.engine.devices.processes import refuse_several
    from onecycle_cli.errors import ConfigError
    from onecycle_cli.experiments.recipe import planning, resuming
    from onecycle_cli.observer import Observer
    from onecycle_cli.runs.folders.writable import check_writable

    refuse_several("onecycle run")
    if asked.resume is None:
        if not dry_run:
            check_writable(asked.out.absolute() / config.name / asked.kind.name)
        planning.plan(config, asked.out, Observer(), skip, force=force)
    elif starting:
        raise ConfigError("--confirm, --skip, --reuse, --dry-run and --force are for a recipe "
                          "that starts, not for --resume.")  # fmt: skip
    elif asked.given is not None:
        resuming.check_config(asked.resume, asked.given)


def _forecast(
    asked: Invocation, config: Config, skip: list[str], *, reuse: bool, force: bool
) -> None:
    with asked.watched() as observer:
        from onecycle_cli.experiments.recipe.run import foresee
        from onecycle_cli.experiments.recipe.stages import total
        from onecycle_cli.experiments.recipe.summary import forecast_rows
        from onecycle_cli.runs.reading.account import stages_of

        recipe = foresee(
            config,
            out=asked.out,
            observer=observer,
            skip=skip,
            reuse=reuse,
            force=force,
        )
    if asked.as_json:
        foreseen = {
            "dry_run": True,
            "stages": stages_of(recipe.as_dict()),
            "predicted": total(stage.predicted for stage in recipe.pending),
            "share_of_other_programs": recipe.others,
        }
        print_json("run", foreseen)
    table(forecast_rows(recipe))


def _show(result: RunResult) -> None:
    from onecycle_cli.experiments.recipe import summary

    stages = [*result.recipe.stages.values(), None]
    rows = [
        (name, value, _coloured(stage, verdict), *costs)
        for stage, (name, value, verdict, *costs) in zip(
            stages, summary.brief_rows(result.recipe), strict=True
        )
    ]
    columns([summary.BRIEF_COLUMNS, *rows])
    table([*summary.facts(result.recipe), *folder_rows(result.folder)])
    if result.refused:
        say("no learning rate was found, so nothing was trained; change what the reason says and "
            "run again, or set train.max_lr to a number.")  # fmt: skip
        raise typer.Exit(REFUSED)


def _coloured(stage: Stage | None, verdict: str) -> str:
    has_one = stage is not None and stage.verdict is not None and stage.verdict == verdict
    return by_verdict(verdict, verdict) if has_one else verdict


def _training_of(result: RunResult) -> Path | None:
    """Return the folder of the recipe's training, if it is kept."""
    place = result.recipe.stages[TRAIN.name].folder
    return result.folder.parents[2] / place if result.folder and place else None


def _record_in(folder: Path | None) -> Record | None:
    from onecycle_cli.runs.records import read_record

    return read_record(folder) if folder else None
