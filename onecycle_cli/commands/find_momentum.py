"""`onecycle find-momentum`."""

from __future__ import annotations

from onecycle_cli.commands.console.candidates import show
from onecycle_cli.commands.console.ending import end
from onecycle_cli.commands.console.options import Force
from onecycle_cli.commands.console.training_command import Invocation, training_command


@training_command
def find_momentum_command(asked: Invocation, *, force: Force = False) -> None:
    """Find the range of momentum with short trainings at several ranges.

    Each range is tried in a short, complete 1cycle, from the same weights and on the same batches.
    The learning rate is chosen so that lr / (1 - momentum), the size of the steps, is the same for
    all. 'train' adapts the learning rate in the same way. Writes to OUT/NAME/suggestions.yaml and
    OUT/NAME/find-momentum/NNN.
    """
    request = asked.request(force=force)
    with asked.watched() as observer:
        from onecycle_cli.experiments.find_momentum import carry_out
        from onecycle_cli.experiments.session import session

        with session(request, observer) as ready:
            result = carry_out(ready)
    asked.answer(result.folder)
    show(result, "momentum", asked.config.optimizer.decay_kind)
    asked.close(result.record, asked.after_finding(result.suggestion))
    end(result.suggestion)
