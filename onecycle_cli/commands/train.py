"""`onecycle train`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from onecycle_cli.commands.console.ending import INTERRUPTED, number, say
from onecycle_cli.commands.console.options import Force
from onecycle_cli.commands.console.rows import (
    cost_row,
    rate_rows,
    score_rows,
    used_rows,
    write_table,
)
from onecycle_cli.commands.console.training_command import (
    Invocation,
    after_training,
    training_command,
)
from onecycle_cli.schedules import POLICIES

if TYPE_CHECKING:
    from onecycle_cli.config import Config
    from onecycle_cli.experiments.trainings.result import TrainResult


Policy = Annotated[
    str | None,
    typer.Option(
        "--policy",
        metavar="HOW",
        help="With --resume and other epochs: 'stretch' the rest of the schedule over the "
        "remaining steps, or 'extend' it by holding the current values first.",
    ),
]


@training_command
def train_command(asked: Invocation, *, policy: Policy = None, force: Force = False) -> None:
    """Train by the 1cycle policy, with the values that were found.

    Saves the last and the best model, and evaluates the last one on the test set, once. Says where
    each value comes from. Writes to OUT/NAME/train/NNN.

    Ctrl-C ends the training with a cool-down: the learning rate falls within a tenth of the steps
    done, and the model is usable. Ctrl-C twice, or SIGTERM, saves a checkpoint and quits. After any
    interruption, even a kill or a power cut, --resume continues from the last checkpoint. The
    result is the same, bit for bit, as without the interruption.
    """
    _check(asked, policy)
    request = asked.request(force=force)
    with asked.watched() as observer:
        from onecycle_cli.experiments.session import session
        from onecycle_cli.experiments.train import carry_out

        with session(request, observer) as ready:
            result = carry_out(ready, policy)
    asked.answer(result.folder)
    _show(result, asked.config)
    asked.close(result.record, after_training(result.folder))
    if result.ended == "interrupted":
        if result.folder is not None:
            from onecycle_cli.runs.stores.urls import address

            say(
                f"ended by Ctrl-C, with a cool-down; 'onecycle train --resume "
                f"{address(result.folder)}' goes on from before it."
            )
        raise typer.Exit(INTERRUPTED)


def _check(asked: Invocation, policy: str | None) -> None:
    from onecycle_cli.errors import ConfigError

    if policy is None:
        return
    if policy not in POLICIES:
        raise ConfigError(f"--policy: must be one of {', '.join(POLICIES)}; got {policy}.")
    if asked.resume is None:
        raise ConfigError("--policy needs --resume, and other epochs for the cycles.")


def _show(result: TrainResult, config: Config) -> None:
    rows = []
    if result.test_accuracy is not None:
        rows.append(("test accuracy", f"{result.test_accuracy:.2%}"))
    rows += score_rows(result.test_scores, "test ")
    if result.test_loss is not None:
        rows.append(("test loss", number(result.test_loss)))
    for name, epoch in (("last", result.history[-1]), ("best", result.best)):
        if epoch is None or epoch.val_loss is None:
            continue
        accuracy = "" if epoch.val_accuracy is None else f"accuracy {epoch.val_accuracy:.2%}, "
        text = f"{accuracy}loss {number(epoch.val_loss)} (epoch {epoch.epoch})"
        rows.append((f"validation, {name}", text))
    rows += rate_rows(result.max_lrs, result.values.cycle_rate_sources(config))
    rows += used_rows(result.values, config.optimizer.decay_kind, "momentum", "weight_decay")
    rows.append(("speed", f"{result.images_per_second:.0f} examples a second"))
    if result.peak_memory is not None:
        rows.append(("peak memory", f"{result.peak_memory / 2**20:.0f} MiB"))
    write_table([*rows, cost_row(result.cost)], result.folder)
