import contextlib
import io
import os
import signal
import threading

import pytest
from rich.console import Console

from onecycle_cli.commands.console.progress.bars import Bars
from onecycle_cli.commands.console.progress.lines import Lines, Quiet
from onecycle_cli.commands.console.signals import break_off_reading, remembered
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


@pytest.mark.skipif(not hasattr(signal, "siginterrupt"), reason="POSIX only")
def test_it_ends_a_wait_for_what_is_typed_where_a_library_lets_reads_go_on():
    reading, writing = os.pipe()
    typed = threading.Timer(5, os.write, (writing, b"x"))
    sent = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))
    with remembered():
        signal.siginterrupt(signal.SIGINT, False)  # as Polars does
        break_off_reading()
        typed.start()
        sent.start()
        try:
            with pytest.raises(KeyboardInterrupt):
                os.read(reading, 1)
            assert typed.is_alive()
        finally:
            typed.cancel()
            os.close(reading)
            os.close(writing)
