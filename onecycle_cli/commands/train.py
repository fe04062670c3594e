"""`onecycle train`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from onecycle_cli.commands.presenter import number
from onecycle_cli.commands.running import (
    cost_row,
    known_values,
    rate_rows,
    used_rows,
    write_table,
)
from onecycle_cli.commands.training_command import Session, training_command

if TYPE_CHECKING:
    from onecycle_cli.config import Config
    from onecycle_cli.experiments.train import TrainResult


@training_command
def train_command(session: Session) -> None:
    """Train by one or more 1cycle passes, with the values that were found.

    Saves the last and the best model, evaluates the last one on the test set, once, and says
    where each value came from. Writes to OUT/NAME/train/NNN.

    Docs: docs/commands.md
    """
    config = session.config
    known_values(config, session.out).cycle_rates(config)
    with session.watched() as observer:
        from onecycle_cli.experiments.train import train

        result = train(config, out=session.out, observer=observer)
    _show(result, config)


def _show(result: TrainResult, config: Config) -> None:
    last, best = result.history[-1], result.history[result.best_epoch - 1]
    rows = []
    if result.test_accuracy is not None:
        rows.append(("test accuracy", f"{result.test_accuracy:.2%}"))
    rows.append(("test loss", number(result.test_loss)))
    for name, epoch in (("last", last), ("best", best)):
        accuracy = "" if epoch.val_accuracy is None else f"accuracy {epoch.val_accuracy:.2%}, "
        text = f"{accuracy}loss {number(epoch.val_loss)} (epoch {epoch.epoch})"
        rows.append((f"validation, {name}", text))
    rows += rate_rows(result.max_lrs, result.values.cycle_rate_sources(config))
    rows += used_rows(result.values, config.optimizer.decay_kind, "momentum", "weight_decay")
    rows.append(("speed", f"{result.images_per_second:.0f} examples a second"))
    if result.peak_memory is not None:
        rows.append(("peak memory", f"{result.peak_memory / 2**20:.0f} MiB"))
    write_table([*rows, cost_row(result.cost)], result.folder)
