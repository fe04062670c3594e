"""`onecycle find-momentum`."""

from __future__ import annotations

from onecycle_cli.commands.console.candidates import show
from onecycle_cli.commands.console.options import Force
from onecycle_cli.commands.console.rows import check_start
from onecycle_cli.commands.console.training_command import Session, training_command


@training_command
def find_momentum_command(session: Session, *, force: Force = False) -> None:
    """Find the momentum range by a race of several values.

    Each value runs a complete short 1cycle at the same lr / (1 - momentum), from the same weights
    on the same batches; the range 0.95 to 0.85 runs as one more candidate. The better half
    goes on to longer runs, until two are left. Where the values can't be told apart, the range
    stays 0.95 to 0.85. Writes to OUT/NAME/suggestions.yaml and OUT/NAME/find-momentum/NNN.

    Docs: docs/commands.md
    """
    config = session.config
    check_start("find-momentum", session, force=force)
    with session.watched() as observer:
        from onecycle_cli.experiments.find_momentum import find_momentum

        result = find_momentum(
            session.source,
            out=session.out,
            observer=observer,
            resume=session.resume,
            force=force,
        )
    show(result, "momentum", config.optimizer.decay_kind)
