"""`onecycle find-momentum`."""

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


def find_momentum_command(
    config: ConfigPath,
    *,
    overrides: Set = None,
    out: Out = RUNS,
    seed: Seed = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    no_progress: NoProgress = False,
) -> None:
    """Find the momentum range by a race of several values.

    Each value runs a complete short 1cycle at the same lr / (1 - momentum), from the same weights
    on the same batches; the range 0.95 to 0.85 runs as one more candidate. The better half
    goes on to longer runs, until two are left. Where the values can't be told apart, the range
    stays 0.95 to 0.85. Writes to OUT/NAME/suggestions.yaml and OUT/NAME/find-momentum/NNN.

    Docs: docs/commands.md
    """
    with experiment(
        config, overrides, seed, quiet=quiet, verbose=verbose, no_progress=no_progress
    ) as (checked, observer):
        known_values(checked, out).known_max_lr(checked)
        from onecycle_cli.experiments.find_momentum import find_momentum

        result = find_momentum(checked, out=out, observer=observer)
    show(result, "momentum", checked.optimizer.decay_kind)
