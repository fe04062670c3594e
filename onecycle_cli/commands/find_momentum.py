"""`onecycle find-momentum`."""

from __future__ import annotations

from onecycle_cli.commands.console.candidates import show
from onecycle_cli.commands.console.options import Force
from onecycle_cli.commands.console.training_command import Invocation, training_command


@training_command
def find_momentum_command(asked: Invocation, *, force: Force = False) -> None:
    """Find the range of momentum by short trainings with several.

    Each range runs a complete short 1cycle at the same lr / (1 - momentum), from the same weights
    on the same batches. The training then takes the suggested learning rate to the momentum found
    in the same way. Writes to OUT/NAME/suggestions.yaml and OUT/NAME/find-momentum/NNN.

    Docs: docs/commands.md
    """
    request = asked.request(force=force)
    with asked.watched() as observer:
        from onecycle_cli.experiments.find_momentum import carry_out
        from onecycle_cli.experiments.session import session

        with session(request, observer) as ready:
            result = carry_out(ready)
    asked.answer(result.folder)
    show(result, "momentum", asked.config.optimizer.decay_kind)
