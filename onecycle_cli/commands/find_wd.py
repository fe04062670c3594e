"""`onecycle find-wd`."""

from __future__ import annotations

from onecycle_cli.commands.comparing import show
from onecycle_cli.commands.options import (
    RUNS,
    ConfigPath,
    NoProgress,
    Out,
    Quiet,
    Seed,
    Set,
    Verbose,
)
from onecycle_cli.commands.running import experiment, known_values


def find_wd_command(
    config: ConfigPath,
    *,
    overrides: Set = None,
    out: Out = RUNS,
    seed: Seed = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    no_progress: NoProgress = False,
) -> None:
    """Find the weight decay by a race of several values.

    Each value runs a complete short 1cycle from the same weights on the same batches, and is judged
    on the loss without the penalty; half a decade around the best is searched too. The better half
    goes on to longer runs, until two are left. Of values that can't be told apart, the largest is
    suggested. Writes to OUT/NAME/suggestions.yaml and OUT/NAME/find-wd/NNN.

    Docs: docs/commands.md
    """
    with experiment(
        config, overrides, seed, quiet=quiet, verbose=verbose, no_progress=no_progress
    ) as (checked, observer):
        known_values(checked, out).known_max_lr(checked)
        from onecycle_cli.experiments.find_wd import find_wd

        result = find_wd(checked, out=out, observer=observer)
    show(result, "weight_decay", checked.optimizer.decay_kind)
