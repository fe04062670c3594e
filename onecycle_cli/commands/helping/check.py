"""`onecycle check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from onecycle_cli.commands.console.as_json import print_json
from onecycle_cli.commands.console.ending import number, presented, table
from onecycle_cli.commands.console.options import (
    AsJson,
    ConfigPath,
    NoProgress,
    Quiet,
    Seed,
    Set,
    Verbose,
)
from onecycle_cli.commands.console.starting import checked_config, starting
from onecycle_cli.engine.devices.processes import refuse_several

if TYPE_CHECKING:
    from onecycle_cli.experiments.checking.check import Checked


def check_command(
    config: ConfigPath,
    overrides: Set = None,
    seed: Seed = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    no_progress: NoProgress = False,
) -> None:
    """Check the data, the task and the model of a config, within seconds.

    Loads the data, builds the model, takes one training step and undoes it. Shows the data, the
    task, the size of the model, and how the loss of the first batch compares with that of a
    constant prediction. Warns if something is wrong. Trains nothing and writes nothing.
    """
    with presented(verbose):
        refuse_several("onecycle check")
        asked = checked_config(config, overrides, seed)
        with starting(asked, quiet=quiet or as_json, progress=not no_progress) as observer:
            from onecycle_cli.experiments.checking.check import check

            found = check(asked, observer=observer)
        if as_json:
            print_json("check", vars(found))
        else:
            typer.echo(found.preamble)
            table(_rows(found))


def _rows(found: Checked) -> list[tuple[str, str]]:
    chance = found.chance_loss
    beside = "" if chance is None else f"; a constant prediction has {number(chance)}"
    trained = "" if found.weights == found.trainable_weights else (
        f", {found.trainable_weights:,} of them trained"
    )  # fmt: skip
    epochs = found.training_steps / found.steps_per_epoch
    return [
        *([("examples", _examples(found))] if found.train is not None else []),
        ("task", f"{found.task} ({found.why})" if found.why else found.task),
        ("model", f"{found.model}, {found.weights:,} weights{trained}"),
        ("training", f"{epochs:g} epochs of {found.steps_per_epoch:,} steps"),
        ("first loss", f"{number(found.first_loss)}{beside}"),
        ("warnings", str(len(found.warnings)) if found.warnings else "none"),
    ]


def _examples(found: Checked) -> str:
    test = "" if found.test is None else f", {found.test:,} set aside for the test"
    return f"{found.train:,} to train, {found.validation:,} to validate{test}"
