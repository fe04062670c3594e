"""`onecycle find-wd`."""

from __future__ import annotations

from onecycle_cli.commands.console.candidates import show
from onecycle_cli.commands.console.options import Force
from onecycle_cli.commands.console.training_command import Invocation, training_command


@training_command
def find_wd_command(asked: Invocation, *, force: Force = False) -> None:
    """Find the weight decay by short trainings with several values.

    Each value runs a complete short 1cycle from the same weights on the same batches, and is judged
    on the loss without the penalty; half a decade around the best is tried too. What they say is
    weighed with the decay that is usual at such a learning rate. Writes to
    OUT/NAME/suggestions.yaml and OUT/NAME/find-wd/NNN.

    Docs: docs/commands.md
    """
    request = asked.request(force=force)
    with asked.watched() as observer:
        from onecycle_cli.experiments.find_wd import carry_out
        from onecycle_cli.experiments.session import session

        with session(request, observer) as ready:
            result = carry_out(ready)
    asked.answer(result.folder)
    show(result, "weight_decay", asked.config.optimizer.decay_kind)
