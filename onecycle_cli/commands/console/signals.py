"""Ctrl-C and SIGTERM, remembered as well as raised.

What a handler raises within a callback from native code, such as a garbage collector's, is lost
there or becomes another error. Who remembers the signal can tell, and break off all the same.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from onecycle_cli.errors import Terminated

_RAISED = {signal.SIGINT: KeyboardInterrupt, signal.SIGTERM: Terminated}
_heard: list[type[KeyboardInterrupt]] = []


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """Within it, remember signals; one that the process was told to ignore stays ignored."""
    _heard.clear()
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {n: signal.getsignal(n) for n in _RAISED}
        before = {n: handler for n, handler in before.items() if handler != signal.SIG_IGN}
    for number in before:
        signal.signal(number, _raise)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def heard() -> type[KeyboardInterrupt] | None:
    """Return what the first signal raised, if there was one."""
    return _heard[0] if _heard else None


def break_off_reading() -> None:
    """Let Ctrl-C end a wait for what somebody types, whatever a library has set since.

    Polars has the system go on with an interrupted read, as if nothing had happened.
    """
    if hasattr(signal, "siginterrupt"):  # not on Windows
        signal.siginterrupt(signal.SIGINT, True)


def check() -> None:
    """Raise what was raised before and got lost, where work goes on in spite of a signal.

    Raises:
        KeyboardInterrupt: after Ctrl-C; `Terminated` after SIGTERM.
    """
    if _heard:
        raise _heard[0]


def _raise(number: int, _frame: FrameType | None) -> None:
    error = _RAISED[signal.Signals(number)]
    _heard.append(error)
    raise error
