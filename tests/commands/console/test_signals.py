import contextlib
import io
import signal

import pytest
from rich.console import Console

from onecycle_cli.commands.console.progress.bars import Bars
from onecycle_cli.commands.console.progress.lines import Lines, Quiet
from onecycle_cli.commands.console.signals import remembered
from onecycle_cli.errors import Terminated


@pytest.mark.parametrize(
    "observer",
    [Quiet(), Lines(progress=False), Bars(Console(file=io.StringIO()))],
    ids=lambda o: type(o).__name__,
)
@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, Terminated)]
)
def test_a_signal_that_was_lost_breaks_off_at_the_next_step(observer, number, error):
    with remembered():
        observer.begin("training", 3)
        observer.advance(loss=1.0)
        with contextlib.suppress(KeyboardInterrupt):  # as a garbage collector's callback does
            signal.raise_signal(number)
        with pytest.raises(error):
            observer.advance(loss=1.0)
        observer.end()
