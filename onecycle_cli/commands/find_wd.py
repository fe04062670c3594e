"""`onecycle find-wd`."""

from __future__ import annotations

from onecycle_cli.commands.console.candidates import show
from onecycle_cli.commands.console.ending import end
from onecycle_cli.commands.console.options import Force
from onecycle_cli.commands.console.training_command import Invocation, training_command


@training_command
def find_wd_command(asked: Invocation, *, force: Force = False) -> None:
    """Find the weight decay with short trainings at several values.

    Each value is tried in a short, complete 1cycle, from the same weights and on the same batches,
    and judged by the loss without the penalty. Values half a decade below and above the best one
    are tried, too. The result is combined with the weight decay that is usual at this learning
    rate. Writes to OUT/NAME/suggestions.yaml and OUT/NAME/find-wd/NNN.
    """
    request = asked.request(force=force)
    with asked.watched() as observer:
        from onecycle_cli.experiments.find_wd import carry_out
        from onecycle_cli.experiments.session import session

        with session(request, observer) as ready:
            result = carry_out(ready)
    asked.answer(result.folder)
    show(result, "weight_decay", asked.config.optimizer.decay_kind)
    asked.close(result.record, asked.after_finding(result.suggestion))
    end(result.suggestion)
